package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/mattn/go-sqlite3"
)

const (
	// queryValueMaxBytes bounds one value, and so what a query can make SQLite
	// build in memory.
	queryValueMaxBytes = 16 << 20
	// actionRecursive is SQLITE_RECURSIVE, which the driver does not name.
	actionRecursive = 33

	limitLength   = 0 // SQLITE_LIMIT_LENGTH
	limitAttached = 7 // SQLITE_LIMIT_ATTACHED
)

// Table is the answer to a query. Values are nil, int64, float64, string or
// []byte.
type Table struct {
	Columns []string
	Rows    [][]any
	// More says that the query has more rows than were asked for.
	More bool
}

// QueryError says what is wrong with a query; the ledger is fine.
type QueryError struct{ Err error }

func (e *QueryError) Error() string { return "the query cannot be carried out: " + e.Err.Error() }
func (e *QueryError) Unwrap() error { return e.Err }

// Query carries out one SELECT, WITH, VALUES or EXPLAIN and returns at most
// rowsMax rows; 0 means all. It cannot change anything, whatever the text says:
// the file is opened read-only, the connection takes queries only, and every
// action but reading is denied when the text is prepared. Anything wrong with
// the text is a *QueryError. ctx limits the time that it may take.
func (l *Ledger) Query(ctx context.Context, text string, rowsMax int) (Table, error) {
	text, err := singleQuery(text)
	if err != nil {
		return Table{}, &QueryError{err}
	}
	name, err := readerDSN(l.path)
	if err != nil {
		return Table{}, err
	}
	pool := sql.OpenDB(&queryConnector{newConnector(name, readerSettings)})
	pool.SetMaxOpenConns(1)
	defer func() { _ = pool.Close() }()
	table, err := readTable(ctx, pool, text, rowsMax)
	if err == nil {
		return table, nil
	}
	if why := context.Cause(ctx); why != nil {
		err = why
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return Table{}, &QueryError{errors.New("it took longer than allowed; select less, or allow more time")}
	}
	if cause := (sqlite3.Error{}); errors.As(err, &cause) {
		switch cause.Code {
		case sqlite3.ErrError, sqlite3.ErrAuth, sqlite3.ErrTooBig, sqlite3.ErrReadonly, sqlite3.ErrMismatch, sqlite3.ErrRange:
			return Table{}, &QueryError{cause}
		}
	}
	return Table{}, trouble(l.path, "query it", err)
}

// queryConnector opens connections that can only read.
type queryConnector struct{ *connector }

func (c *queryConnector) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := c.connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	conn, ok := opened.(*sqlite3.SQLiteConn)
	if !ok {
		_ = opened.Close()
		return nil, fmt.Errorf("unexpected connection %T", opened)
	}
	conn.SetLimit(limitLength, queryValueMaxBytes)
	conn.SetLimit(limitAttached, 0)
	conn.RegisterAuthorizer(onlyReading)
	return conn, nil
}

// onlyReading denies what is not needed to read; a new kind of action is denied
// until it is known.
func onlyReading(action int, _, function, _ string) int {
	switch action {
	case sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, actionRecursive:
		return sqlite3.SQLITE_OK
	case sqlite3.SQLITE_FUNCTION:
		if function != "load_extension" {
			return sqlite3.SQLITE_OK
		}
	}
	return sqlite3.SQLITE_DENY
}

func readTable(ctx context.Context, pool *sql.DB, text string, rowsMax int) (Table, error) {
	rows, err := pool.QueryContext(ctx, text)
	if err != nil {
		return Table{}, err
	}
	defer func() { _ = rows.Close() }()
	table := Table{}
	if table.Columns, err = rows.Columns(); err != nil {
		return Table{}, err
	}
	for rows.Next() {
		if rowsMax > 0 && len(table.Rows) == rowsMax {
			table.More = true
			return table, nil
		}
		row, into := make([]any, len(table.Columns)), make([]any, len(table.Columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return Table{}, err
		}
		for i, value := range row {
			if at, ok := value.(time.Time); ok { // the driver's reading of a column type
				row[i] = at.UTC().Format(time.RFC3339Nano)
			}
		}
		table.Rows = append(table.Rows, row)
	}
	return table, rows.Err()
}
