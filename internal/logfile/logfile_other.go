//go:build !unix

package logfile

import "os"

// Open opens the file at path to append to, or makes it.
func Open(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
}
