package store

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Run is one execution of a command that may change something.
type Run struct {
	plan.RunRecord
	// RunEnd is zero while the run goes on, and for one that died.
	RunEnd
}

// RunEnd says how a run ended.
type RunEnd struct {
	FinishedAt time.Time
	ExitCode   int
	Counts     string // JSON, or ""
	Detail     string // JSON: what it did beside the counts; "" is {}
}

// BeginRun records a run. It does not change the ledger's serial.
func (l *Ledger) BeginRun(ctx context.Context, r plan.RunRecord) error {
	if r.ID == "" || r.StartedAt.IsZero() {
		return errors.New("record the run: its id and its start must be set")
	}
	return l.write(ctx, "record the run", func(w *writer) error {
		_, err := w.exec(`INSERT INTO runs (id, command, plan, plan_digest, host, user, pid, version, started_at_ms)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			r.ID, r.Command, r.Plan, r.PlanDigest, r.Host, r.User, r.PID, r.Version, toMs(r.StartedAt))
		return err
	})
}

// FinishRun records how the run id ended, once.
func (l *Ledger) FinishRun(ctx context.Context, id string, end RunEnd) error {
	for what, text := range map[string]string{"counts": end.Counts, "detail": end.Detail} {
		if text != "" && !json.Valid([]byte(text)) {
			return fmt.Errorf("record the end of the run: the %s are not JSON", what)
		}
	}
	if end.FinishedAt.IsZero() {
		return errors.New("record the end of the run: the time must be set")
	}
	return l.write(ctx, "record the end of the run", func(w *writer) error {
		changed, err := w.exec("UPDATE runs SET finished_at_ms = ?, exit_code = ?, counts = nullif(?, ''), detail = ?"+
			" WHERE id = ? AND finished_at_ms IS NULL", toMs(end.FinishedAt), end.ExitCode, end.Counts, cmp.Or(end.Detail, "{}"), id)
		if err == nil && changed == 0 {
			err = fmt.Errorf("no run %q is under way", id)
		}
		return err
	})
}

// Runs returns the latest runs, newest first, at most limit; 0 means all.
func (l *Ledger) Runs(ctx context.Context, limit int) (runs []Run, err error) {
	if limit <= 0 {
		limit = -1
	}
	err = each(ctx, l.read, `SELECT id, command, plan, plan_digest, host, user, pid, version, started_at_ms,
		finished_at_ms, coalesce(exit_code, 0), coalesce(counts, ''), CASE detail WHEN '{}' THEN '' ELSE detail END FROM runs ORDER BY seq DESC LIMIT ?`, []any{limit},
		func(rows *sql.Rows) error {
			var r Run
			var started, finished sql.NullInt64
			err := rows.Scan(&r.ID, &r.Command, &r.Plan, &r.PlanDigest, &r.Host, &r.User, &r.PID, &r.Version,
				&started, &finished, &r.ExitCode, &r.Counts, &r.Detail)
			r.StartedAt, r.FinishedAt = fromMs(started), fromMs(finished)
			runs = append(runs, r)
			return err
		})
	return runs, trouble(l.path, "read its runs", err)
}
