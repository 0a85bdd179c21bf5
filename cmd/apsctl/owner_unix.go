//go:build unix

package main

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// mayReplace refuses a file that has more than one name: the others would keep
// the old content.
func mayReplace(info fs.FileInfo) error {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Nlink > 1 {
		return errors.New("it has several names (hard links), and only one of them would be changed")
	}
	return nil
}

// keepOwner gives a new file to whoever has the old one.
func keepOwner(draft *os.File, info fs.FileInfo) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	mine, err := draft.Stat()
	if err != nil {
		return err
	}
	if now, ok := mine.Sys().(*syscall.Stat_t); ok && now.Uid == stat.Uid && now.Gid == stat.Gid {
		return nil
	}
	if err := draft.Chown(int(stat.Uid), int(stat.Gid)); err != nil {
		return errors.New("it belongs to somebody else, who would lose it")
	}
	return nil
}
