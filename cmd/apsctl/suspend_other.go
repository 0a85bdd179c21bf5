//go:build !unix

package main

// onSuspend does nothing where processes are not stopped from a terminal.
func onSuspend(func(suspend func())) (stop func()) { return func() {} }
