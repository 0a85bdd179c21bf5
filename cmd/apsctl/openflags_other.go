//go:build !unix

package main

const openNoFollow, openNoWait = 0, 0
