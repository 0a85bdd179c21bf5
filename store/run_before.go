package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// RunsBefore returns the runs of one plan by one command, whatever its
// arguments, that began before the run id, or for "" all, newest first, at most
// limit.
func (l *Ledger) RunsBefore(ctx context.Context, id, planName, command string, limit int) (runs []Run, err error) {
	err = each(ctx, l.read, `SELECT id, started_at_ms, finished_at_ms, coalesce(exit_code, 0) FROM runs
		WHERE plan = ? AND (command = ? OR command GLOB ? || ' *') AND (? = '' OR seq < (SELECT seq FROM runs WHERE id = ?))
		ORDER BY seq DESC LIMIT ?`, []any{planName, command, command, id, id, limit},
		func(rows *sql.Rows) error {
			r := Run{}
			r.Plan, r.Command = planName, command
			var started, finished sql.NullInt64
			err := rows.Scan(&r.ID, &started, &finished, &r.ExitCode)
			r.StartedAt, r.FinishedAt = fromMs(started), fromMs(finished)
			runs = append(runs, r)
			return err
		})
	return runs, trouble(l.path, "read its runs", err)
}

// LastDone is when a run of the plan by this command last ended with exit code 0;
// zero when none did.
func (l *Ledger) LastDone(ctx context.Context, planName, command string) (time.Time, error) {
	var finished sql.NullInt64
	err := l.read.QueryRowContext(ctx, `SELECT finished_at_ms FROM runs
		WHERE plan = ? AND (command = ? OR command GLOB ? || ' *') AND exit_code = 0 AND finished_at_ms IS NOT NULL ORDER BY seq DESC LIMIT 1`,
		planName, command, command).Scan(&finished)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return fromMs(finished), trouble(l.path, "read its runs", err)
}
