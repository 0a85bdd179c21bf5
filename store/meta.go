package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Meta is what the ledger knows about itself.
type Meta struct {
	Lineage string // a UUID, made with the file and kept by its copies
	Serial  int64  // number of changes of entries so far; it only grows
	// Account and Service are what Bind recorded, "" before.
	Account, Service string
	Schema           int // number of migrations that the file has had
	CreatedAt        time.Time
}

// querier is a pool or a transaction.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Meta returns what the ledger knows about itself.
func (l *Ledger) Meta(ctx context.Context) (Meta, error) {
	m, err := readMeta(ctx, l.read)
	if errors.Is(err, sql.ErrNoRows) {
		err = &Error{Kind: ErrDamaged, Path: l.path, Text: adviceDamaged, Err: errors.New("its identity is missing")}
	}
	return m, trouble(l.path, "read its identity", err)
}

func readMeta(ctx context.Context, q querier) (Meta, error) {
	var m Meta
	var created int64
	err := q.QueryRowContext(ctx, "SELECT lineage, serial, account, service, created_at_ms,"+
		" (SELECT user_version FROM pragma_user_version) FROM meta WHERE id = 1").
		Scan(&m.Lineage, &m.Serial, &m.Account, &m.Service, &created, &m.Schema)
	m.CreatedAt = time.UnixMilli(created).UTC()
	return m, err
}

// Bind records at its first use which account and service the ledger belongs to;
// neither may be "". Afterwards, another pair is a *ForeignError, and nothing is
// written.
func (l *Ledger) Bind(ctx context.Context, account, service string) error {
	if account == "" || service == "" {
		return errors.New("bind the ledger: the account and the service must be known")
	}
	m, err := l.Meta(ctx)
	if err != nil {
		return err
	}
	if m.Account == "" {
		if err := l.write(ctx, "bind it to the account", func(w *writer) error {
			_, err := w.exec("UPDATE meta SET account = ?, service = ? WHERE id = 1 AND account = ''", account, service)
			return err
		}); err != nil {
			return err
		}
		// Another process may have been first.
		if m, err = l.Meta(ctx); err != nil {
			return err
		}
	}
	if m.Account != account || m.Service != service {
		return &ForeignError{l.path, m.Account, m.Service, account, service}
	}
	return nil
}
