package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Pruned is what a prune deleted, or would delete, and what it left.
type Pruned struct {
	Before       time.Time
	Events, Runs int
	// KeptOpen are events older than Before of jobs whose outcome is open or may
	// be; KeptLatest those that say how a job came to its state. Both stay.
	KeptOpen, KeptLatest int
}

// keptOpen are the events of jobs that are not settled: of an attempt without an
// outcome, of one that is proven absent, which a later listing can refute, of
// what waits for a person, and of a change that may still take effect.
const keptOpen = `(plan, name) IN (SELECT plan, name FROM entries
	WHERE state NOT IN ('created', 'rejected', 'not-sent') OR pending <> '' AND NOT pending_confirmed)`

// keptLatest are the last event of each job, and the last one of all, whose id
// must not be given again.
const keptLatest = `id IN (SELECT max(id) FROM events GROUP BY plan, name HAVING (plan, name) IN (SELECT plan, name FROM entries)
	UNION ALL SELECT max(id) FROM events)`

// goneRuns are the runs that go: none that an event or an attempt without an
// outcome tells of, and not the last one of a plan.
const goneRuns = `started_at_ms < ?
	AND id NOT IN (SELECT run_id FROM events WHERE NOT (` + goneEvents + `))
	AND id NOT IN (SELECT a.run_id FROM attempts a WHERE a.outcome IN ('intent', 'unknown', 'absent', 'conflict', 'duplicate'))
	AND seq NOT IN (SELECT max(seq) FROM runs GROUP BY plan, command)`

const goneEvents = `at_ms < ? AND NOT (` + keptOpen + `) AND NOT (` + keptLatest + `)`

// Prune deletes events, and records of runs, that are older than before: no
// entry, no attempt, and no event of a job that is not settled. Each entry keeps
// its last event. The deletion itself stays on record, with who. With dry it
// only counts, which a ledger that is open for reading can do.
func (l *Ledger) Prune(ctx context.Context, before time.Time, by Person, dry bool) (Pruned, error) {
	if before.IsZero() || !dry && by.At.IsZero() {
		return Pruned{}, errors.New("prune the ledger: the times must be set")
	}
	if dry {
		var p Pruned
		err := view(ctx, l.read, func(tx *sql.Tx) (err error) {
			p, err = countPruned(before, func(query string, args []any, into any) error {
				return tx.QueryRowContext(ctx, query, args...).Scan(into)
			})
			return err
		})
		return p, trouble(l.path, "count what can be pruned", err)
	}
	var p Pruned
	err := l.write(ctx, "prune it", func(w *writer) (err error) {
		p, err = countPruned(before, func(query string, args []any, into any) error { return w.scan(query, args, into) })
		if err != nil || p.Events+p.Runs == 0 {
			return err
		}
		return w.prune(p, by)
	})
	return p, err
}

// PrunedBefore returns the moment before which events may have been deleted, the
// zero time when none were.
func (l *Ledger) PrunedBefore(ctx context.Context) (time.Time, error) {
	var ms sql.NullInt64
	err := l.read.QueryRowContext(ctx, "SELECT max(before_ms) FROM prunes").Scan(&ms)
	return fromMs(ms), trouble(l.path, "read when it was pruned", err)
}

func countPruned(before time.Time, count func(query string, args []any, into any) error) (Pruned, error) {
	p, ms := Pruned{Before: before}, toMs(before)
	for _, c := range []struct {
		query string
		args  []any
		into  *int
	}{
		{"SELECT count(*) FROM events WHERE " + goneEvents, []any{ms}, &p.Events},
		{"SELECT count(*) FROM runs WHERE " + goneRuns, []any{ms, ms}, &p.Runs},
		{"SELECT count(*) FROM events WHERE at_ms < ? AND " + keptOpen, []any{ms}, &p.KeptOpen},
		{"SELECT count(*) FROM events WHERE at_ms < ? AND NOT (" + keptOpen + ") AND " + keptLatest, []any{ms}, &p.KeptLatest},
	} {
		if err := count(c.query, c.args, c.into); err != nil {
			return Pruned{}, err
		}
	}
	return p, nil
}

// prune deletes what p counted, in the order that lets goneRuns see the events.
func (w *writer) prune(p Pruned, by Person) error {
	ms := toMs(p.Before)
	if _, err := w.exec(`INSERT INTO prunes (at_ms, who, before_ms, through_event, events, runs) VALUES (?, ?, ?,
		(SELECT coalesce(max(id), 0) FROM events WHERE at_ms < ?), ?, ?)`, toMs(by.At), by.Who, ms, ms, p.Events, p.Runs); err != nil {
		return err
	}
	for _, d := range []struct {
		query string
		args  []any
		want  int
	}{
		{"DELETE FROM runs WHERE " + goneRuns, []any{ms, ms}, p.Runs},
		{"DELETE FROM events WHERE " + goneEvents, []any{ms}, p.Events},
	} {
		if n, err := w.exec(d.query, d.args...); err != nil || int(n) != d.want {
			return errors.Join(err, mismatch(int(n), d.want))
		}
	}
	return nil
}

func mismatch(got, want int) error {
	if got == want {
		return nil
	}
	return fmt.Errorf("%d rows would have gone, and %d were counted", got, want)
}
