package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// ErrBackupExists says that there is a file where a backup was to be made.
var ErrBackupExists = errors.New("a file of that name exists, and a backup never replaces one")

// Backup writes a copy of the ledger, as of one moment, to the new file at to,
// with mode 0600, and returns what the copy says about itself. The copy is
// checked as Verify does and is on disk before it gets its name: whatever is at
// to afterwards is a whole, sound ledger. Runs go on meanwhile.
//
// An existing file is left alone, and the error matches ErrBackupExists. The
// folder must exist.
func (l *Ledger) Backup(ctx context.Context, to string) (Meta, error) {
	wrap := func(err error) (Meta, error) {
		return Meta{}, fmt.Errorf("back up ledger %s to %s: %w", l.path, to, err)
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = ErrBackupExists
		}
		return wrap(err)
	}
	draft := to + draftMark + rand.Text()[:8]
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return wrap(err)
	}
	defer func() { _ = os.Remove(draft) }()
	if err := file.Close(); err != nil {
		return wrap(err)
	}
	if err := l.copyInto(ctx, draft); err != nil {
		return wrap(err)
	}
	meta, err := checkCopy(ctx, draft)
	if err == nil {
		err = publish(draft, to)
	}
	if err != nil {
		return wrap(err)
	}
	return meta, nil
}

// copyInto writes what one read transaction sees into an empty file.
func (l *Ledger) copyInto(ctx context.Context, draft string) error {
	name, err := readerDSN(l.path)
	if err != nil {
		return err
	}
	// The file is opened read-only; query_only would forbid the other file too.
	settings := append([]setting{{"query_only", "0"}}, readerSettings[1:]...)
	pool := openPool(strings.Replace(name, "_query_only=1", "_query_only=0", 1), settings, 1)
	defer func() { _ = pool.Close() }()
	_, err = pool.ExecContext(ctx, "VACUUM INTO ?", draft)
	return trouble(l.path, "copy it", err)
}

// checkCopy reads all of a fresh copy. Unlike a ledger in use, a copy may be on
// any file system.
func checkCopy(ctx context.Context, path string) (Meta, error) {
	o := Options{sharedFS: func(string) (string, error) { return "", nil }}.withDefaults()
	copied, err := openReader(ctx, path, o)
	if err != nil {
		return Meta{}, trouble(path, "open the copy", err)
	}
	defer func() { _ = copied.Close() }()
	if err := copied.Verify(ctx); err != nil {
		return Meta{}, err
	}
	return copied.Meta(ctx)
}

// publish makes the draft durable and gives it its name, unless that is taken
// by now.
func publish(draft, to string) error {
	// No SQLite in this process has the draft open any more.
	file, err := os.OpenFile(draft, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	if err := os.Link(draft, to); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return ErrBackupExists
		}
		// Some file systems have no hard links.
		if _, there := os.Lstat(to); !errors.Is(there, fs.ErrNotExist) {
			return ErrBackupExists
		}
		if err := os.Rename(draft, to); err != nil {
			return err
		}
	}
	return syncFolder(filepath.Dir(to))
}
