package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
)

// reserveBytes is more than the record of one created job takes.
const reserveBytes = 256 << 10

// putBy sets disk space aside beside the ledger, in a file that is given back
// when a full disk keeps a created job from being recorded. It is real bytes: a
// hole in a file reserves nothing.
func putBy(path string) error {
	if info, err := os.Stat(path); err == nil && info.Size() == reserveBytes {
		return nil
	}
	err := os.WriteFile(path, bytes.Repeat([]byte("reserve\n"), reserveBytes/8), 0o600)
	if err != nil {
		_ = os.Remove(path) // half a reserve only takes room
	}
	return err
}

// giveBack frees the space again. An error means that there was none.
func giveBack(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("no space was put by")
	}
	return err
}
