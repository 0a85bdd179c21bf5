//go:build unix

package logfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Open opens the ordinary file at path to append to, at the beginning of a line, or
// makes it, for this user alone. What others may do with one that is there is taken
// away, but for its group reading it: that is how logs are shipped. A symbolic link is
// followed if it is this user's or the system's: another one's would have us write
// where they want. What is no ordinary file, or somebody else's, is an error.
//
// What is written by one Write stays whole beside what other processes append.
func Open(path string) (*os.File, error) {
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if owner := ownerOf(info); owner != os.Geteuid() && owner != 0 {
			return nil, errors.New(path + " is a symbolic link of somebody else")
		}
		target, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		path = target
	}
	// It is no pipe whose reader would be waited for, and no link made by now.
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New(path + " is not an ordinary file")
	case ownerOf(info) != os.Geteuid():
		err = errors.New(path + " belongs to somebody else")
	default:
		err = file.Chmod(info.Mode().Perm() & 0o640)
	}
	if err == nil {
		err = endLine(file)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

func ownerOf(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}

// endLine ends a line that a full disk or a crash cut short.
func endLine(file *os.File) error {
	size, err := file.Seek(0, 2)
	if err != nil || size == 0 {
		return err
	}
	last := []byte{0}
	if _, err := file.ReadAt(last, size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = file.Write([]byte("\n"))
	return err
}
