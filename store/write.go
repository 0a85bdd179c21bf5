package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"os"
	"slices"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/apsctl/apsctl/plan"
)

// batchMax limits how many changes share one transaction.
const batchMax = 256

// writer is the connection that writes, with its prepared statements. One
// goroutine uses it at a time. No statement gets a context that can end:
// SQLite rolls the whole transaction back when one is interrupted, and the next
// statement would then commit by itself.
type writer struct {
	pool   *sql.DB
	conn   *sql.Conn
	stmts  map[string]*sql.Stmt
	serial int64 // the ledger's, in the transaction under way
	// alone is the plan beside which no other has an open entry, in the transaction
	// under way; "" for none, or where nobody has looked.
	alone string
}

func (w *writer) close() error {
	var errs []error
	for _, stmt := range w.stmts {
		errs = append(errs, stmt.Close())
	}
	return errors.Join(append(errs, w.conn.Close(), w.pool.Close())...)
}

// stmt prepares query at its first use.
func (w *writer) stmt(query string) (*sql.Stmt, error) {
	if stmt := w.stmts[query]; stmt != nil {
		return stmt, nil
	}
	stmt, err := w.conn.PrepareContext(context.Background(), query)
	if err == nil {
		w.stmts[query] = stmt
	}
	return stmt, err
}

// exec runs query and returns the number of rows that it changed.
func (w *writer) exec(query string, args ...any) (int64, error) {
	stmt, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// insert runs query, which inserts one row, and returns its id; plan.ErrMovedOn
// when there is one already.
func (w *writer) insert(query string, args ...any) (id int64, err error) {
	stmt, err := w.stmt(query)
	if err != nil {
		return 0, err
	}
	result, err := stmt.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	if changed, err := result.RowsAffected(); err != nil || changed == 0 {
		return 0, cmp.Or(err, plan.ErrMovedOn)
	}
	return result.LastInsertId()
}

// find returns the row of an entry and the job id that it has; plan.ErrMovedOn when
// it is not in state at attempt. A change goes by this row, since SQLite builds a
// table of its own for what a statement is to return.
func (w *writer) find(planName, name string, state plan.State, attempt int) (id int64, jobID string, err error) {
	err = w.scan("SELECT id, coalesce(aps_job_id, '') FROM entries WHERE plan = ? AND name = ? AND state = ? AND attempt = ?",
		[]any{planName, name, string(state), attempt}, &id, &jobID)
	if errors.Is(err, sql.ErrNoRows) {
		err = plan.ErrMovedOn
	}
	return id, jobID, err
}

// script runs statements that are not worth preparing.
func (w *writer) script(text string) error {
	_, err := w.conn.ExecContext(context.Background(), text)
	return err
}

// scan reads the one row that query returns; sql.ErrNoRows says there was none.
func (w *writer) scan(query string, args []any, into ...any) error {
	stmt, err := w.stmt(query)
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(context.Background(), args...).Scan(into...)
}

// item is one change that waits for its transaction.
type item struct {
	op     string
	do     func(*writer) error
	queued func() // told that it has its place; nil for nobody
	// sends says that a request follows it. After the first trouble it fails: nothing is
	// to be sent any more whose outcome might find no room.
	sends bool
	sent  []byte // what is noted of it beside the ledger once it is committed; nil for nothing
	last  bool   // the ledger closes behind it
	err   error
	// wake says true when the item has to lead, and false when it is done.
	wake chan bool
}

// write carries do out in a transaction and returns when it is committed. The
// changes that are asked for while another transaction is being committed share
// the next one, in the order they came; each is undone by itself if it fails.
// ctx does not interrupt it: a verdict is recorded also after a cancel.
func (l *Ledger) write(_ context.Context, op string, do func(*writer) error) error {
	return l.carry(&item{op: op, do: do})
}

// carry is write for an item.
func (l *Ledger) carry(it *item) error {
	if l.writer == nil {
		return &Error{Kind: ErrPermission, Path: l.path, Text: it.op + ": it was opened for reading only"}
	}
	if !l.enqueue(it) {
		return &Error{Kind: ErrClosed, Path: l.path, Text: it.op + ": it is closed"}
	}
	if it.queued != nil {
		it.queued()
	}
	l.serve(it)
	return trouble(l.path, it.op, it.err)
}

// enqueue reports false when the ledger is closed.
func (l *Ledger) enqueue(it *item) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.closed = it.last
	it.wake = make(chan bool, 1)
	l.queue = append(l.queue, it)
	if !l.leading {
		l.leading = true
		it.wake <- true
	}
	return true
}

// serve waits until it is done, leading the queue for one transaction if asked.
// Whoever leads is first in the queue, does what is waiting, and hands the lead
// to the first that came meanwhile. There is no goroutine to start or to stop.
func (l *Ledger) serve(it *item) {
	if lead := <-it.wake; !lead {
		return
	}
	l.mu.Lock()
	count := min(len(l.queue), batchMax)
	batch := l.queue[:count:count]
	l.queue = l.queue[count:]
	l.mu.Unlock()

	l.commit(batch)

	for _, other := range batch {
		if other != it {
			other.wake <- false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) > 0 {
		l.queue[0].wake <- true
		return
	}
	l.leading = false
}

// commit carries batch out in one transaction and sets each item's err.
func (l *Ledger) commit(batch []*item) {
	if len(batch) == 1 && batch[0].last {
		return
	}
	err := l.checkPlace()
	if batch = l.refusePromises(batch); err == nil && len(batch) > 0 {
		// Nearly always all of them succeed, so they are tried without savepoints first,
		// for which SQLite copies each page that is about to change.
		err = l.writer.transact(func() error { return l.writer.doAll(batch) })
		if err != nil && !fromDisk(err) {
			err = l.writer.transact(func() error { return l.doEach(batch) })
		}
	}
	if err == nil {
		l.noteSent(batch)
		return
	}
	if l.sick == nil && fromDisk(err) && !isBusy(err) {
		l.sick = err
	}
	for _, it := range batch {
		if it.err == nil {
			it.err = err
		}
	}
}

// refusePromises fails the promises of batch once there was trouble with the file, and
// returns the rest.
func (l *Ledger) refusePromises(batch []*item) []*item {
	if l.sick == nil {
		return batch
	}
	return slices.DeleteFunc(slices.Clone(batch), func(it *item) bool {
		if it.sends {
			it.err = l.sick
		}
		return it.sends
	})
}

// transact carries do out in a transaction, which is undone if it fails. The
// ledger's serial is read and written once for all changes in it.
func (w *writer) transact(do func() error) error {
	if _, err := w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	w.alone = ""
	err := w.scan("SELECT serial FROM meta", nil, &w.serial)
	before := w.serial
	if err == nil {
		err = do()
	}
	if err == nil && w.serial != before {
		_, err = w.exec("UPDATE meta SET serial = ? WHERE id = 1", w.serial)
	}
	if err == nil {
		_, err = w.exec("COMMIT")
	}
	if err != nil {
		// SQLite may have rolled back already; then this says so, in vain.
		_, _ = w.exec("ROLLBACK")
	}
	return err
}

// doAll does items until one fails, and returns its error. They may be done
// again: what one sets for its caller, it sets anew.
func (w *writer) doAll(batch []*item) error {
	for _, it := range batch {
		if it.last {
			continue
		}
		if err := it.do(w); err != nil {
			return err
		}
	}
	return nil
}

// doEach does every item; one that fails has its own err and is undone. It returns
// the error that makes going on pointless. Where the record fails that gave a seat to
// the promise behind it, no promise is taken any more: there would be more creates open
// than there are seats.
func (l *Ledger) doEach(batch []*item) error {
	for _, it := range batch {
		switch {
		case it.last:
			continue
		case it.sends && l.sick != nil:
			it.err = l.sick
			continue
		}
		if err := l.writer.doOne(it); err != nil {
			return err
		}
		if it.err != nil && it.queued != nil && l.sick == nil {
			l.sick = it.err
		}
	}
	return nil
}

func (w *writer) doOne(it *item) error {
	if _, err := w.exec("SAVEPOINT item"); err != nil {
		return err
	}
	before := w.serial
	if it.err = it.do(w); it.err != nil {
		if fromDisk(it.err) {
			return it.err
		}
		w.serial = before
		if _, err := w.exec("ROLLBACK TO item"); err != nil {
			return err
		}
	}
	_, err := w.exec("RELEASE item")
	return err
}

// fromDisk reports whether an error is about the file, and not about one item.
func fromDisk(err error) bool {
	cause := sqlite3.Error{}
	return errors.Is(err, syscall.ENOSPC) || errors.As(err, &cause) && cause.Code != sqlite3.ErrConstraint
}

// isBusy reports whether another program has the file locked, which passes.
func isBusy(err error) bool {
	cause := sqlite3.Error{}
	return errors.As(err, &cause) && (cause.Code == sqlite3.ErrBusy || cause.Code == sqlite3.ErrLocked)
}

// checkPlace makes sure that what is committed can be found again: on most
// systems, a file can be deleted or replaced while it is open.
func (l *Ledger) checkPlace() error {
	now, err := os.Stat(l.path)
	if err == nil && os.SameFile(now, l.file) {
		return nil
	}
	return &Error{Kind: ErrReplaced, Path: l.path, Err: err,
		Text: "it was deleted or replaced while in use; nothing more is written; if it cannot be put back, " + adviceRestore}
}
