package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/mattn/go-sqlite3"
)

const (
	// busyTimeoutMs is how long SQLite waits for another program's lock.
	busyTimeoutMs = 10_000
	// readersMax is how many reads go on at once.
	readersMax = 4
	// versionMin is SQLite 3.44.0, the first with concat.
	versionMin = 3_044_000
)

// setting is a pragma and what it must read as on every connection.
type setting struct{ pragma, want string }

// A commit must be on disk before the request it promises is sent, hence WAL
// with synchronous=FULL (2), and where the system has two kinds of fsync, the
// one that reaches the platters.
var writerSettings = []setting{
	{"journal_mode", "wal"},
	{"synchronous", "2"},
	{"fullfsync", "1"},
	{"checkpoint_fullfsync", "1"},
	{"foreign_keys", "1"},
	{"busy_timeout", fmt.Sprint(busyTimeoutMs)},
	{"cell_size_check", "1"},
	{"trusted_schema", "0"},
	{"query_only", "0"},
	// A run writes all over the indexes: without room for them, SQLite reads most
	// pages again for each transaction. In KiB, taken only as far as they exist.
	{"cache_size", "-32768"},
	// Pages that are changed again and again are copied into the file less often, at
	// the price of a -wal file of up to 16 MiB. In pages.
	{"wal_autocheckpoint", "4000"},
	// What a statement that fails would have to restore is kept in memory, not in a file.
	{"temp_store", "2"},
}

var readerSettings = []setting{
	{"query_only", "1"},
	{"busy_timeout", fmt.Sprint(busyTimeoutMs)},
	{"cell_size_check", "1"},
	{"trusted_schema", "0"},
}

// writerDSN and readerDSN name the file so that SQLite never creates it. The one
// connection that writes is used by one goroutine at a time, and needs no mutex.
func writerDSN(path string) (string, error) {
	return dsn(path, fmt.Sprintf(
		"mode=rw&_mutex=no&_journal_mode=WAL&_synchronous=FULL&_txlock=immediate&_busy_timeout=%d&_foreign_keys=on", busyTimeoutMs))
}

func readerDSN(path string) (string, error) {
	return dsn(path, fmt.Sprintf("mode=ro&_query_only=1&_busy_timeout=%d", busyTimeoutMs))
}

// dsn returns path as a URI; a path may hold any character.
func dsn(path, query string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // a drive letter
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + query, nil
}

// connector opens connections and checks each one's settings: the driver
// ignores an option that it does not know, and SQLite a pragma that it cannot
// carry out.
type connector struct {
	driver sqlite3.SQLiteDriver
	dsn    string
}

func newConnector(dsn string, settings []setting) *connector {
	return &connector{dsn: dsn, driver: sqlite3.SQLiteDriver{
		ConnectHook: func(conn *sqlite3.SQLiteConn) error { return settle(conn, settings) },
	}}
}

func (c *connector) Connect(context.Context) (driver.Conn, error) { return c.driver.Open(c.dsn) }
func (c *connector) Driver() driver.Driver                        { return &c.driver }

// settle sets what a DSN has no option for and reads every setting back.
func settle(conn *sqlite3.SQLiteConn, settings []setting) error {
	if text, number, _ := sqlite3.Version(); number < versionMin {
		return &Error{Kind: ErrSettings, Text: "SQLite " + text + " is too old; build apsctl with its own SQLite"}
	}
	for _, s := range settings {
		switch s.pragma {
		case "fullfsync", "checkpoint_fullfsync", "cell_size_check", "trusted_schema", "cache_size", "wal_autocheckpoint",
			"temp_store":
			if _, err := conn.Exec("PRAGMA "+s.pragma+"="+s.want, nil); err != nil {
				return err
			}
		}
		got, err := pragma(conn, s.pragma)
		if err != nil {
			return err
		}
		if got != s.want {
			return &Error{Kind: ErrSettings, Text: fmt.Sprintf(
				"SQLite answers %s=%s and apsctl needs %s; move the ledger to an ordinary local disk", s.pragma, got, s.want)}
		}
	}
	return nil
}

func pragma(conn *sqlite3.SQLiteConn, name string) (string, error) {
	rows, err := conn.Query("PRAGMA "+name, nil)
	if err != nil {
		return "", err
	}
	defer func() { _ = rows.Close() }()
	value := make([]driver.Value, 1)
	if err := rows.Next(value); err != nil {
		return "", fmt.Errorf("pragma %s: %w", name, err)
	}
	return fmt.Sprint(value[0]), nil
}

// openPool returns a pool of at most size connections, kept open.
func openPool(dsn string, settings []setting, size int) *sql.DB {
	pool := sql.OpenDB(newConnector(dsn, settings))
	pool.SetMaxOpenConns(size)
	pool.SetMaxIdleConns(size)
	return pool
}
