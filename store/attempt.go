package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Attempt is one create request that was promised, and what became of it.
type Attempt struct {
	Plan, Name     string
	Number         int
	Nonce          string
	SignedAt       time.Time
	ServerOffset   time.Duration
	Endpoint       string
	Region, Digest string
	Baseline       []string
	Run            string     // id of the run that promised it, "" outside of runs
	Outcome        plan.State // intent while nothing is known
	RequestID      string
	Code, Reason   string
	Evidence       string // JSON, or ""
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// Attempts returns every attempt of a job, oldest first.
func (l *Ledger) Attempts(ctx context.Context, planName, name string) ([]Attempt, error) {
	attempts, err := readAttempts(ctx, l.read, "e.plan = ? AND e.name = ?", planName, name)
	return attempts, trouble(l.path, "read its attempts", err)
}

// AllAttempts returns every attempt of every job, by number; those of one number
// are in no order.
func (l *Ledger) AllAttempts(ctx context.Context) ([]Attempt, error) {
	attempts, err := readAttempts(ctx, l.read, "TRUE")
	return attempts, trouble(l.path, "read its attempts", err)
}

// AttemptByNonce returns the attempt that was promised with nonce; found is false
// when there is none on disk. It is for the witnesses of tests.
func (l *Ledger) AttemptByNonce(ctx context.Context, nonce string) (a Attempt, found bool, err error) {
	attempts, err := readAttempts(ctx, l.read, "a.nonce = ?", nonce)
	if err != nil || len(attempts) == 0 {
		return Attempt{}, false, trouble(l.path, "read its attempts", err)
	}
	return attempts[0], true, nil
}

func readAttempts(ctx context.Context, q querier, where string, args ...any) (attempts []Attempt, err error) {
	err = each(ctx, q, `SELECT e.plan, e.name, a.attempt, a.nonce, a.signed_at_ms, a.server_offset_ms, a.endpoint,
		a.region, a.digest, a.baseline, a.run_id, a.outcome, a.request_id, a.code, a.reason, a.evidence,
		a.created_at_ms, a.updated_at_ms
		FROM attempts a JOIN entries e ON e.id = a.entry_id WHERE `+where+` ORDER BY a.attempt`, args,
		func(rows *sql.Rows) error {
			var a Attempt
			var signed, created, updated sql.NullInt64
			var offset int64
			var baseline string
			if err := rows.Scan(&a.Plan, &a.Name, &a.Number, &a.Nonce, &signed, &offset, &a.Endpoint,
				&a.Region, &a.Digest, &baseline, &a.Run, &a.Outcome, &a.RequestID, &a.Code, &a.Reason, &a.Evidence,
				&created, &updated); err != nil {
				return err
			}
			a.SignedAt, a.CreatedAt, a.UpdatedAt = fromMs(signed), fromMs(created), fromMs(updated)
			a.ServerOffset = time.Duration(offset) * time.Millisecond
			err := json.Unmarshal([]byte(baseline), &a.Baseline)
			attempts = append(attempts, a)
			return err
		})
	return attempts, err
}
