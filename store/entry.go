package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Filter chooses entries. The zero Filter chooses all.
type Filter struct {
	Plan   string       // "" means every plan
	States []plan.State // none means every state
}

const entryColumns = "plan, name, state, attempt, region, digest, spec, labels, aps_job_id," +
	" candidates, code, reason, signed_at_ms, baseline, request_id, updated_at_ms," +
	" pending, pending_digest, pending_signed_at_ms, pending_confirmed, life, doing, compared_at_ms, differed, settle_ms, on_unknown"

// Snapshot returns the ledger's content for one plan, read in one transaction.
// Entries is empty, not nil, for a plan that the ledger does not know.
func (l *Ledger) Snapshot(ctx context.Context, planName string) (plan.Snapshot, error) {
	return l.snapshot(ctx, planName, func(*sql.Tx) error { return nil })
}

// MarkedSnapshot returns a Snapshot and the Fingerprint of exactly what is in it, ""
// if that cannot be taken.
func (l *Ledger) MarkedSnapshot(ctx context.Context, planName string) (snap plan.Snapshot, fingerprint string, err error) {
	snap, err = l.snapshot(ctx, planName, func(tx *sql.Tx) error {
		fingerprint, _ = readFingerprint(ctx, tx, planName)
		return nil
	})
	return snap, fingerprint, err
}

// snapshot reads a Snapshot, and also what else the same transaction is to see.
func (l *Ledger) snapshot(ctx context.Context, planName string, also func(*sql.Tx) error) (plan.Snapshot, error) {
	snap := plan.Snapshot{Entries: map[string]plan.Entry{}}
	err := view(ctx, l.read, func(tx *sql.Tx) error {
		meta, err := readMeta(ctx, tx)
		if err != nil {
			return err
		}
		snap.Lineage, snap.Serial = meta.Lineage, meta.Serial
		entries, err := readEntries(ctx, tx, "plan = ?", planName)
		for _, e := range entries {
			snap.Entries[e.Name] = e
		}
		if err == nil {
			snap.Elsewhere, err = readElsewhere(ctx, tx, planName)
		}
		if err == nil {
			err = also(tx)
		}
		return err
	})
	if err != nil {
		return plan.Snapshot{}, trouble(l.path, fmt.Sprintf("read plan %q", planName), err)
	}
	return snap, nil
}

// readElsewhere returns the entries of other plans that a job may exist for and nothing
// accounts for it: the open ones, and then those that are lost.
func readElsewhere(ctx context.Context, q querier, planName string) ([]plan.Entry, error) {
	elsewhere, err := readEntries(ctx, q, openRule+" AND plan <> ?", planName)
	if err != nil {
		return nil, err
	}
	lost, err := readEntries(ctx, q, lostElsewhere, planName)
	return append(elsewhere, lost...), err
}

// lostElsewhere goes by the index entries_other.
const lostElsewhere = "state = 'lost' AND " + otherRule + " AND plan <> ?"

// Entries returns the entries that f chooses, of all plans, sorted by plan and
// name.
func (l *Ledger) Entries(ctx context.Context, f Filter) ([]plan.Entry, error) {
	where, args := []string{"TRUE"}, []any(nil)
	if f.Plan != "" {
		where, args = append(where, "plan = ?"), append(args, f.Plan)
	}
	if len(f.States) > 0 {
		where = append(where, "state IN (?"+strings.Repeat(", ?", len(f.States)-1)+")")
		for _, state := range f.States {
			args = append(args, string(state))
		}
		if !slices.Contains(f.States, plan.StateCreated) {
			where = append(where, otherRule)
		}
	}
	entries, err := readEntries(ctx, l.read, strings.Join(where, " AND "), args...)
	return entries, trouble(l.path, "read its entries", err)
}

// liveRule is word for word the rule of the index entries_live.
const liveRule = "state IN ('created', 'lost') AND region = ?"

// openRule is word for word the rule of the index entries_open, in brackets.
const openRule = "(state = 'intent' OR state = 'unknown' OR state = 'conflict' OR state = 'duplicate')"

// otherRule is word for word the rule of the index entries_other.
const otherRule = "state <> 'created'"

// Live returns the entries of all plans in region that have a job id, created
// and lost ones, sorted by plan and name. A complete listing of the region that
// shows none of them proves nothing about what else it does not show.
func (l *Ledger) Live(ctx context.Context, region string) ([]plan.Entry, error) {
	entries, err := readEntries(ctx, l.read, liveRule, region)
	return entries, trouble(l.path, "read its live jobs", err)
}

// Stands reports whether the entry of a job is still an intent, of this attempt.
func (l *Ledger) Stands(ctx context.Context, planName, name string, attempt int) (bool, error) {
	stands := false
	err := each(ctx, l.read, "SELECT 1 FROM entries WHERE plan = ? AND name = ? AND state = 'intent' AND attempt = ?",
		[]any{planName, name, attempt}, func(*sql.Rows) error {
			stands = true
			return nil
		})
	return stands, trouble(l.path, fmt.Sprintf("read job %q of plan %q", name, planName), err)
}

// view runs do in one read transaction, which sees one state of the ledger.
func view(ctx context.Context, pool *sql.DB, do func(*sql.Tx) error) error {
	tx, err := pool.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	return do(tx)
}

// each calls do for every row of query.
func each(ctx context.Context, q querier, query string, args []any, do func(*sql.Rows) error) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := do(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// readEntries returns the entries for which where holds, sorted by plan and name.
func readEntries(ctx context.Context, q querier, where string, args ...any) (entries []plan.Entry, err error) {
	return readFirst(ctx, q, -1, where, args...)
}

// readFirst returns the first of these only; a limit below zero is none.
func readFirst(ctx context.Context, q querier, limit int, where string, args ...any) (entries []plan.Entry, err error) {
	query := fmt.Sprintf("SELECT "+entryColumns+" FROM entries WHERE %s ORDER BY plan, name LIMIT %d", where, limit)
	err = each(ctx, q, query, args, func(rows *sql.Rows) error {
		e, err := scanEntry(rows)
		entries = append(entries, e)
		return err
	})
	return entries, err
}

// scanEntry reads a row of entryColumns.
func scanEntry(rows *sql.Rows) (e plan.Entry, err error) {
	var spec, labels, candidates, baseline, life string
	var jobID sql.NullString
	var signed, updated, pending, compared sql.NullInt64
	var settleMs int64
	if err := rows.Scan(&e.Plan, &e.Name, &e.State, &e.Attempt, &e.Region, &e.Digest, &spec, &labels, &jobID,
		&candidates, &e.Code, &e.Reason, &signed, &baseline, &e.RequestID, &updated,
		&e.Pending.Operation, &e.Pending.Digest, &pending, &e.Pending.Confirmed, &life, &e.Doing,
		&compared, &e.Differed, &settleMs, &e.OnUnknown); err != nil {
		return e, err
	}
	e.JobID, e.SignedAt, e.UpdatedAt = jobID.String, fromMs(signed), fromMs(updated)
	e.Pending.SignedAt, e.ComparedAt = fromMs(pending), fromMs(compared)
	e.Settle = time.Duration(settleMs) * time.Millisecond
	for _, column := range []struct {
		text string
		into any
	}{{spec, &e.Spec}, {labels, &e.Labels}, {candidates, &e.Candidates}, {baseline, &e.Baseline}} {
		if column.text == nothing { // most of them, and a third of the time
			continue
		}
		if err := json.Unmarshal([]byte(column.text), column.into); err != nil {
			return e, fmt.Errorf("job %q of plan %q: %w", e.Name, e.Plan, err)
		}
	}
	if life == noLife {
		return e, nil
	}
	if e.Life, err = plan.ParseLife(life); err != nil {
		return e, fmt.Errorf("job %q of plan %q: %w", e.Name, e.Plan, err)
	}
	return e, nil
}

// nothing is how an empty list or map is kept, and read back as nil.
const nothing = "null"

// noLife is how a life of which the plan says nothing is kept.
var noLife = plan.Life{}.Kept()

// toJSON returns list or map as JSON, and "null" for an empty one, so that it
// is read back as nil.
func toJSON[T []string | map[string]string](value T) string {
	if len(value) == 0 {
		return nothing
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic("store: only texts: " + err.Error())
	}
	return string(text)
}

// toMs and fromMs are the one place where times are converted: to integer
// milliseconds UTC, and the zero Time to NULL.
func toMs(t time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: t.UnixMilli(), Valid: !t.IsZero()}
}

func fromMs(ms sql.NullInt64) time.Time {
	if !ms.Valid {
		return time.Time{}
	}
	return time.UnixMilli(ms.Int64).UTC()
}
