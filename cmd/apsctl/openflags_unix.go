//go:build unix

package main

import "syscall"

const (
	openNoFollow = syscall.O_NOFOLLOW // makes opening a symbolic link fail
	openNoWait   = syscall.O_NONBLOCK // makes opening a pipe return at once
)
