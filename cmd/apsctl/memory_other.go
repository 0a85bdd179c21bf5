//go:build !linux

package main

// keepMemoryPrivate does nothing: see docs/secrets.md for what that means.
func keepMemoryPrivate() {}
