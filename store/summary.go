package store

import (
	"context"
	"database/sql"

	"github.com/apsctl/apsctl/plan"
)

// Summary is what a ledger has in few words.
type Summary struct {
	States map[plan.State]int // entries in each state; states without any are absent
	First  []plan.Entry       // by plan and name
}

// Summary counts the entries of planName, "" for all plans together, and returns the
// first so many of them. It reads one by one only those that are not created, and so
// takes hardly longer for a million entries than for a few, but for one plan of
// several, whose entries it counts one by one.
func (l *Ledger) Summary(ctx context.Context, planName string, first int) (s Summary, err error) {
	err = view(ctx, l.read, func(tx *sql.Tx) error {
		if s.States, err = countStates(ctx, tx, planName); err != nil {
			return err
		}
		where, args := "TRUE", []any(nil)
		if planName != "" {
			where, args = "plan = ?", []any{planName}
		}
		s.First, err = readFirst(ctx, tx, first, where, args...)
		return err
	})
	return s, trouble(l.path, "count its entries", err)
}

const (
	countOthers = "SELECT state, count(*) FROM entries WHERE " + otherRule + " AND (?1 = '' OR plan = ?1) GROUP BY state"
	// countEach looks at each entry; without a condition, SQLite adds up the pages of an
	// index.
	countEach = "SELECT count(*) FROM entries WHERE plan = ?1"
	countAll  = "SELECT count(*) FROM entries"
	hasOthers = "SELECT EXISTS (SELECT 1 FROM entries WHERE plan < ?1) OR EXISTS (SELECT 1 FROM entries WHERE plan > ?1)"
)

// countStates counts the entries of planName, "" for all plans together.
func countStates(ctx context.Context, tx *sql.Tx, planName string) (map[plan.State]int, error) {
	count, args := countAll, []any(nil)
	if planName != "" {
		beside := false
		if err := tx.QueryRowContext(ctx, hasOthers, planName).Scan(&beside); err != nil {
			return nil, err
		}
		if beside {
			count, args = countEach, []any{planName}
		}
	}
	created := 0
	if err := tx.QueryRowContext(ctx, count, args...).Scan(&created); err != nil {
		return nil, err
	}
	counts := map[plan.State]int{}
	err := each(ctx, tx, countOthers, []any{planName}, func(rows *sql.Rows) error {
		var state plan.State
		var n int
		err := rows.Scan(&state, &n)
		counts[state] = n
		created -= n
		return err
	})
	if created > 0 {
		counts[plan.StateCreated] = created
	}
	return counts, err
}
