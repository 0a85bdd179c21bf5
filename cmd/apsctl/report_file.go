package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// writeReportFile gives the file at path the content that write makes, readable
// by its owner only. What was there stays whole until the new content is on disk,
// however this ends. A symbolic link, and whatever is no ordinary file, is refused
// and not followed; so are the ledger and plans.
func writeReportFile(path string, used inUse, write func(*os.File) error) error {
	if err := cmp.Or(ordinaryOrNew(path), used.refuse(path)); err != nil {
		return cannotWrite(path, err)
	}
	folder := filepath.Dir(path)
	draft, err := os.CreateTemp(folder, ".apsctl-report-*") // mode 0600
	if errors.Is(err, fs.ErrNotExist) {
		return coded(codeNoFolder, fmt.Errorf("there is no folder %s to write %s to: make it first", folder, filepath.Base(path)))
	}
	if err != nil {
		return cannotWrite(path, err)
	}
	err = write(draft)
	if err == nil {
		err = draft.Sync()
	}
	if err = errors.Join(err, draft.Close()); err == nil {
		err = os.Rename(draft.Name(), path) // replaces a link that came meanwhile, and does not follow it
	}
	if err != nil {
		return cannotWrite(path, errors.Join(err, ignoreNotExist(os.Remove(draft.Name()))))
	}
	return syncFolder(folder)
}
