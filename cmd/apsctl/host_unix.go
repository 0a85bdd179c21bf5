//go:build unix

package main

import "golang.org/x/sys/unix"

// freeSpace is what this user may still write where folder is, in bytes.
func freeSpace(folder string) (uint64, error) {
	var stat unix.Statfs_t
	if err := unix.Statfs(folder, &stat); err != nil {
		return 0, err
	}
	return uint64(stat.Bavail) * uint64(stat.Bsize), nil
}

func writable(folder string) bool { return unix.Access(folder, unix.W_OK|unix.X_OK) == nil }
