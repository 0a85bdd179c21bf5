//go:build !unix

package main

import "errors"

func freeSpace(string) (uint64, error) { return 0, errors.ErrUnsupported }
func writable(string) bool             { return true }
