//go:build !unix

package main

import "os"

// openEventFile opens a file to append to, or makes it.
func openEventFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}
