//go:build unix

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// makePrivate takes the rights of group and others away from the ledger and its
// side files. It refuses the ledger if it has to and is not its owner.
func makePrivate(path string) error {
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 == 0 {
			continue
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		if ok && int(stat.Uid) == os.Geteuid() {
			err = os.Chmod(path+suffix, 0o600)
		} else {
			err = errors.New("it belongs to another user")
		}
		if err != nil {
			return &Error{Kind: ErrPermission, Path: path, Err: err, Text: fmt.Sprintf(
				"others may read or write %s (mode %#o); let its owner run: chmod 600 %[1]s", path+suffix, info.Mode().Perm())}
		}
	}
	return nil
}

// nameCount returns how many names (hard links) a file has.
func nameCount(info fs.FileInfo) int {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Nlink)
	}
	return 1
}

// syncFolder makes the names in folder durable.
func syncFolder(folder string) error {
	dir, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// openNoFollow makes opening a symbolic link fail.
const openNoFollow = syscall.O_NOFOLLOW

// openNoWait makes opening a pipe return at once.
const openNoWait = syscall.O_NONBLOCK
