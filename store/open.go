package store

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// pageMinBytes is the smallest page that SQLite has, and so the smallest file.
const pageMinBytes = 512

// sqliteBeginning is what every database of SQLite begins with.
const sqliteBeginning = "SQLite format 3\x00"

// Open opens the ledger at path for reading and writing, and brings an older
// schema forward. The time it takes does not depend on the ledger's size, but for an
// older schema that is rewritten: that takes as long, and as much room again, as the
// ledger has.
//
// A ledger that does not exist is made with o.Create, the folder with mode 0700
// and the file with 0600; without it the error matches fs.ErrNotExist. Anything
// that exists and is not a sound ledger of a known version is an *Error, and is
// left as it is; so is one with a second hard link. A ledger that others may read
// is made private.
//
// Take the lock first, see AcquireLock. ctx limits the opening only.
func Open(ctx context.Context, path string, o Options) (*Ledger, error) {
	o = o.withDefaults()
	l, err := openReader(ctx, path, o)
	if errors.Is(err, fs.ErrNotExist) && o.Create {
		if err := create(ctx, path, o); err != nil {
			return nil, trouble(path, "create", err)
		}
		l, err = openReader(ctx, path, o)
	}
	if err != nil {
		return nil, trouble(path, "open", err)
	}
	removeDrafts(path, l.file)
	err = makePrivate(path)
	if err == nil {
		l.writer, err = openWriter(ctx, path)
	}
	if err == nil {
		err = l.writer.migrate(o.migrations, o.Now)
	}
	if err != nil {
		_ = l.Close()
		return nil, trouble(path, "open", err)
	}
	if o.Settle > 0 {
		pruneSent(path, o.Now(), max(sentKeep, 2*o.Settle))
	}
	return l, nil
}

// OpenReadOnly opens the ledger at path for reading. It never creates, migrates
// or changes a ledger; one with an older schema matches ErrOlder. A ledger that does not exist is an error that matches fs.ErrNotExist. Reading
// works while a run writes, and sees what was committed.
func OpenReadOnly(ctx context.Context, path string) (*Ledger, error) {
	o := Options{}.withDefaults()
	l, err := openReader(ctx, path, o)
	if err != nil {
		return nil, trouble(path, "open", err)
	}
	meta, err := l.Meta(ctx)
	if err == nil && meta.Schema < len(o.migrations) {
		err = &Error{Kind: ErrOlder, Path: path, Text: fmt.Sprintf(
			"it has schema %d and this apsctl reads schema %d; the next `apsctl apply` brings it forward",
			meta.Schema, len(o.migrations))}
	}
	if err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

func (o Options) withDefaults() Options {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.migrations == nil {
		o.migrations = migrations
	}
	if o.sharedFS == nil {
		o.sharedFS = sharedFileSystem
	}
	return o
}

// openReader opens and judges the file without changing it.
//
// The file is only ever opened by SQLite: closing any other handle on it would
// drop the locks that SQLite holds in this process.
func openReader(ctx context.Context, path string, o Options) (*Ledger, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if target, err := os.Readlink(path); err == nil {
			return nil, danglingLink(path, target)
		}
		return nil, &Error{Kind: fs.ErrNotExist, Path: path, Text: "it does not exist; the first `apsctl apply` makes it"}
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, &Error{Kind: ErrNotLedger, Path: path, Text: "it is not a regular file; name the ledger file itself"}
	}
	if err := refuseShared(path, path, o); err != nil {
		return nil, err
	}
	if err := refuseNames(path, info); err != nil {
		return nil, err
	}
	// SQLite would take such a file for a new database.
	if info.Size() < pageMinBytes {
		return nil, tooShort(path, info.Size())
	}
	name, err := readerDSN(path)
	if err != nil {
		return nil, err
	}
	l := &Ledger{path: path, file: info, read: openPool(name, readerSettings, readersMax)}
	if err := l.judge(ctx, len(o.migrations)); err != nil {
		_ = l.read.Close()
		return nil, err
	}
	return l, nil
}

// tooShort says what is wrong with a file that is shorter than any ledger: a ledger
// of which little is left, or something else. It may be opened here, since SQLite has
// no such file open: whoever cut it short while it was in use has damaged it anyway.
func tooShort(path string, size int64) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	head, err := io.ReadAll(io.LimitReader(file, int64(len(sqliteBeginning))))
	switch {
	case err != nil:
		return err
	case !strings.HasPrefix(sqliteBeginning, string(head)):
		return &Error{Kind: ErrNotLedger, Path: path, Text: adviceNotLedger}
	}
	return &Error{Kind: ErrDamaged, Path: path, Text: fmt.Sprintf(
		"it has %d bytes, and a ledger never has fewer than %d; check the path, and if it is right move the file away with its -wal and -shm files, "+adviceRestore,
		size, pageMinBytes)}
}

// judge refuses what is not a ledger, or not one that this program knows.
// SQLite itself refuses a file that was cut short at the first read.
func (l *Ledger) judge(ctx context.Context, known int) error {
	var app, version int
	if err := l.read.QueryRowContext(ctx, "PRAGMA application_id").Scan(&app); err != nil {
		return err
	}
	if err := l.read.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	switch {
	case app != applicationID:
		return &Error{Kind: ErrNotLedger, Path: l.path, Text: fmt.Sprintf(
			"it is a SQLite database of another program (application id %#x); name another path", uint32(app))}
	case version > known:
		return &Error{Kind: ErrNewer, Path: l.path, Text: fmt.Sprintf(
			"it has schema %d, written by a newer apsctl, and this one knows up to %d; upgrade apsctl", version, known)}
	case version < 1:
		return &Error{Kind: ErrDamaged, Path: l.path, Text: adviceDamaged,
			Err: fmt.Errorf("schema version %d", version)}
	}
	_, err := l.Meta(ctx)
	return err
}

// openWriter opens the one connection that writes and checks its settings.
func openWriter(ctx context.Context, path string) (*writer, error) {
	name, err := writerDSN(path)
	if err != nil {
		return nil, err
	}
	pool := openPool(name, writerSettings, 1)
	conn, err := pool.Conn(ctx)
	if err != nil {
		_ = pool.Close()
		return nil, err
	}
	return &writer{pool: pool, conn: conn, stmts: map[string]*sql.Stmt{}}, nil
}

// create makes a whole ledger under another name and then gives it its own, so
// that a kill in between leaves nothing at path, and one that another process
// made meanwhile stays.
func create(ctx context.Context, path string, o Options) error {
	folder := filepath.Dir(path)
	// Before anything is made: the nearest folder that exists tells.
	if err := refuseShared(path, NearestFolder(path), o); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	draft := path + draftMark + rand.Text()[:8]
	file, err := os.OpenFile(draft, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(draft + suffix)
		}
	}()
	if err := file.Close(); err != nil {
		return err
	}
	w, err := openWriter(ctx, draft)
	if err != nil {
		return err
	}
	err = w.migrate(o.migrations, o.Now)
	if err == nil {
		err = w.fold(ctx)
	}
	if err := errors.Join(err, w.close()); err != nil {
		return err
	}
	if err := os.Link(draft, path); err != nil && !errors.Is(err, fs.ErrExist) {
		// Some file systems have no hard links. The lock keeps others away.
		if _, there := os.Lstat(path); !errors.Is(there, fs.ErrNotExist) {
			return err
		}
		if err := os.Rename(draft, path); err != nil {
			return err
		}
	}
	return syncFolder(folder)
}

// fold brings all of the -wal file into the ledger itself. Closing does so too, and
// says nothing when it cannot, for instance on a full disk: a draft that was given
// its name then, and whose -wal file was removed, would be damaged for good.
func (w *writer) fold(ctx context.Context) error {
	var busy, frames, folded int
	err := w.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &folded)
	if err != nil {
		return fmt.Errorf("fold its -wal file in: %w", err)
	}
	if busy != 0 || frames != folded {
		return &Error{Kind: ErrBusy, Text: adviceBusy, Err: fmt.Errorf("%d of %d pages of its -wal file were folded in", folded, frames)}
	}
	return nil
}

// danglingLink refuses a link to nothing. A new ledger in the link's place would not be
// beside the lock and the notes of what was sent, which are where the old one was.
func danglingLink(path, target string) error {
	if !filepath.IsAbs(target) {
		target = filepath.Join(filepath.Dir(path), target)
	}
	return &Error{Kind: ErrNotLedger, Path: path, Text: fmt.Sprintf("it is a link to %s, which does not exist; put the ledger back there, "+
		"or name that path itself, and the first `apsctl apply` makes a new one there, beside what was noted of the old one", target)}
}

// NearestFolder returns the nearest folder above path that exists.
func NearestFolder(path string) string {
	nearest := filepath.Dir(path)
	for {
		if _, err := os.Stat(nearest); err == nil || nearest == filepath.Dir(nearest) {
			return nearest
		}
		nearest = filepath.Dir(nearest)
	}
}

// CheckPlace says whether the file system at path can keep a ledger, which need
// not exist yet. The error is an *Error of kind ErrFileSystem.
func CheckPlace(path string) error {
	return trouble(path, "look at its file system", refuseShared(path, NearestFolder(path), Options{}.withDefaults()))
}

// refuseShared refuses path if the file system that place is on cannot keep a
// ledger. A link is judged by where it leads.
func refuseShared(path, place string, o Options) error {
	name, err := o.sharedFS(place)
	if err != nil || name == "" {
		return err
	}
	return &Error{Kind: ErrFileSystem, Path: path, Text: fmt.Sprintf(
		"it is on %s, where several machines may write at once and a commit is not safe; use a path on a local disk", name)}
}
