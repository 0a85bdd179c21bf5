package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// reserveBytes is more than the record of one created job takes.
const reserveBytes = 256 << 10

// putBy sets disk space aside beside the ledger, in a file that is given back
// when a full disk keeps a created job from being recorded. It is real bytes: a
// hole in a file reserves nothing. It writes a new file only, never into one that
// is there: that may have another name as well, or be a link to something else.
func putBy(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return notOrdinary(path)
	case info.Size() == reserveBytes:
		return nil
	default: // cut short by a kill
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(bytes.Repeat([]byte("reserve\n"), reserveBytes/8))
	if err = errors.Join(err, file.Close()); err != nil {
		_ = os.Remove(path) // half a reserve only takes room
	}
	return err
}

// whyNoReserve says what kept putBy from putting anything by.
func whyNoReserve(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return "the disk is full, or nearly so"
	}
	return err.Error()
}

// giveBack frees the space again. An error means that there was none.
func giveBack(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return errors.New("no space was put by")
	}
	if err != nil {
		return err
	}
	return os.Remove(path)
}
