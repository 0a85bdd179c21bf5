package store

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// draftMark stands between the name of a file and what tells its drafts apart.
const draftMark = ".new-"

// refuseNames refuses a ledger that has several names (hard links). The lock and
// the -wal file go by name: a run under one name neither waits for a run under the
// other nor sees what it wrote, and creates the same jobs once more.
//
// A draft that a kill in create left is a name that nothing was ever opened under
// since, and does not count. info is what path was when it was looked at.
func refuseNames(path string, info fs.FileInfo) error {
	if nameCount(info) < 2 {
		return nil
	}
	drafts, others, err := namesBeside(path, info)
	if err != nil {
		return err
	}
	// Once more, after the drafts: another process that makes the ledger may have
	// removed its own in between.
	now, err := os.Stat(path)
	if err != nil {
		return err
	}
	count := nameCount(now)
	if count-len(drafts) < 2 {
		return nil
	}
	known := ""
	if len(others) > 0 {
		known = ", among them " + strings.Join(others, ", ")
	}
	return &Error{Kind: ErrSeveralNames, Path: path, Text: fmt.Sprintf(
		"it has %d names (hard links)%s; runs under two names do not see each other and would create jobs twice; end all runs, keep the name "+
			"that has a -wal file beside it, or this one if none has, and remove every other; for a copy use `apsctl ledger backup`", count, known)}
}

// namesBeside returns the other names of the file at path that are in its folder:
// drafts that were left behind, and all others.
func namesBeside(path string, info fs.FileInfo) (drafts, others []string, err error) {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, nil, err
	}
	folder, name := filepath.Split(target)
	files, err := os.ReadDir(filepath.Clean(folder + "."))
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		other, err := file.Info()
		switch {
		case err != nil, file.Name() == name, !os.SameFile(info, other):
		case strings.HasPrefix(file.Name(), name+draftMark):
			drafts = append(drafts, folder+file.Name())
		default:
			others = append(others, folder+file.Name())
		}
	}
	return drafts, others, nil
}

// removeDrafts removes names of the ledger that a kill in create left. One that
// cannot be removed does no harm: it counts for nothing.
func removeDrafts(path string, info fs.FileInfo) {
	if nameCount(info) < 2 {
		return
	}
	drafts, _, _ := namesBeside(path, info)
	for _, draft := range drafts {
		_ = os.Remove(draft)
	}
}
