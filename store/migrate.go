package store

import (
	"crypto/rand"
	"embed"
	"fmt"
	"io/fs"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
)

// applicationID marks a SQLite file as a ledger: "APSC".
const applicationID = 0x41505343

//go:embed migrations/*.sql
var migrationFiles embed.FS

// migrations are the texts of migrations/NNNN_*.sql in order. The schema version
// of a file, its user_version, is the number of them that it has had.
var migrations = func() []string {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql") // sorted
	if err != nil {
		panic("store: " + err.Error())
	}
	texts := make([]string, len(names))
	for i, name := range names {
		text, err := migrationFiles.ReadFile(name)
		if err != nil {
			panic("store: " + err.Error())
		}
		texts[i] = string(text)
	}
	return texts
}()

// migrate brings the file forward to all of texts. Each is one transaction
// together with its version: killed at any point, the file is as before it or as
// after it. Processes that migrate at once take turns.
func (w *writer) migrate(texts []string, now func() time.Time) error {
	for {
		version, err := w.migrateOne(texts, now)
		if err != nil {
			return fmt.Errorf("migration %d: %w", version+1, err)
		}
		if version >= len(texts) {
			return nil
		}
	}
}

// migrateOne applies the next text, if any, and returns the version before.
func (w *writer) migrateOne(texts []string, now func() time.Time) (version int, err error) {
	if err := w.scan("PRAGMA user_version", nil, &version); err != nil || version >= len(texts) {
		return version, err
	}
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return version, err
	}
	defer func() {
		if err != nil {
			_, _ = w.exec("ROLLBACK")
		}
	}()
	// Another process may have been here while we waited.
	if err := w.scan("PRAGMA user_version", nil, &version); err != nil {
		return version, err
	}
	if version < len(texts) {
		if err := w.script(texts[version]); err != nil {
			return version, err
		}
		if version == 0 {
			if err := w.script(fmt.Sprintf("PRAGMA application_id = %d", applicationID)); err != nil {
				return version, err
			}
			if _, err := w.exec("INSERT INTO meta (id, lineage, created_at_ms) VALUES (1, ?, ?)",
				newUUID(), now().UnixMilli()); err != nil {
				return version, err
			}
		}
		if err := w.script(fmt.Sprintf("PRAGMA user_version = %d", version+1)); err != nil {
			return version, err
		}
	}
	crashpoint.At(crashpoint.LedgerOpened)
	_, err = w.exec("COMMIT")
	return version, err
}

// newUUID returns a random UUID (version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
