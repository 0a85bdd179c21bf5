package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
)

// Verify reads the whole ledger and checks every page, index and rule of the
// schema, and that each attempt of an entry has its row. What it finds is an
// *Error of kind ErrDamaged that names the first of it. It takes time in
// proportion to the ledger's size, and does not hold up those who write.
//
// On a ledger that was opened for reading only, the CHECK rules of the schema
// are left out: SQLite does not know them on a read-only connection.
func (l *Ledger) Verify(ctx context.Context) error {
	pool := l.read
	if l.writer != nil {
		name, err := readerDSN(l.path)
		if err != nil {
			return trouble(l.path, "verify", err)
		}
		pool = openPool(strings.Replace(name, "mode=ro", "mode=rw", 1), readerSettings, 1)
		defer func() { _ = pool.Close() }()
	}
	return trouble(l.path, "verify", view(ctx, pool, func(tx *sql.Tx) error { return verify(ctx, tx, l.path) }))
}

// checks are queries that return a row only for damage, each with what the
// row's text stands for.
var checks = []struct{ query, text string }{
	{"SELECT integrity_check FROM pragma_integrity_check WHERE integrity_check <> 'ok' LIMIT 1", "%s"},
	{`SELECT "table" FROM pragma_foreign_key_check LIMIT 1`, "a row of %s refers to nothing"},
	{"SELECT name FROM entries WHERE attempt <> (SELECT count(*) FROM attempts WHERE entry_id = entries.id) LIMIT 1",
		"job %q lacks the record of an attempt"},
	{"SELECT serial FROM meta WHERE serial < (SELECT coalesce(max(serial), 0) FROM events)",
		"the serial %s is behind the events"},
}

func verify(ctx context.Context, q querier, path string) error {
	for _, check := range checks {
		err := each(ctx, q, check.query, nil, func(rows *sql.Rows) error {
			var found string
			if err := rows.Scan(&found); err != nil {
				return err
			}
			return &Error{Kind: ErrDamaged, Path: path, Text: adviceDamaged, Err: fmt.Errorf(check.text, found)}
		})
		if err != nil {
			return err
		}
	}
	return nil
}
