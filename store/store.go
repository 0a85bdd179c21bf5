// Package store is the ledger: one SQLite file that holds what apsctl intended,
// sent, got back and saw for each job, and from which a run that died is taken
// up again. It imports plan, talks to no service and reads no clock but to date
// a new file.
//
// Every change of an entry is a compare-and-swap on (state, attempt), and is on
// disk when the method that makes it returns nil. Changes asked for at the same
// time share one transaction.
package store

import (
	"database/sql"
	"errors"
	"io/fs"
	"sync"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	_ "github.com/apsctl/apsctl/internal/needcgo" // one clear message in place of many
)

// Ledger is an open ledger. It is safe for concurrent use, also by several
// Ledgers and processes on one file. Close it when done.
type Ledger struct {
	path string
	file fs.FileInfo // of the opened file, to notice another in its place
	read *sql.DB
	// writer has the only connection that writes; nil for a read-only ledger.
	// Whoever leads the queue owns it.
	writer *writer

	mu      sync.Mutex
	queue   []*item // changes that wait for a transaction
	leading bool    // somebody is carrying changes out
	closed  bool
	sick    error // the first trouble, after which no promise is taken; whoever leads has it
	sent    sentNotes
}

// Options say how to open a ledger.
type Options struct {
	// Create makes a ledger, and its folder, where there is none. A file that
	// exists is never replaced, whatever is in it.
	Create bool
	// Settle has notes of creates deleted that are older than a day and than twice
	// this. Zero keeps them all.
	Settle time.Duration
	// Now dates a new ledger. nil means time.Now.
	Now func() time.Time

	// For tests; nil means the real ones.
	migrations []string
	sharedFS   func(place string) (string, error)
}

// Path returns the path that the ledger was opened with.
func (l *Ledger) Path() string { return l.path }

// Close waits for changes under way and closes the ledger. Closing it twice
// does nothing.
func (l *Ledger) Close() error {
	var errs []error
	if l.writer == nil {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
	} else {
		last := &item{last: true}
		if !l.enqueue(last) {
			return nil
		}
		l.serve(last)
	}
	// The reader first: the last connection to close tidies the -wal file up,
	// and only the writer may.
	errs = append(errs, l.read.Close())
	if l.writer != nil {
		crashpoint.At(crashpoint.LedgerClosing)
		errs = append(errs, l.writer.close())
		l.sent.close()
	}
	return trouble(l.path, "close", errors.Join(errs...))
}
