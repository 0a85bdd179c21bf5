package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Forgotten is what the ledger had about a job that was removed from it.
type Forgotten struct {
	Region     string             `json:"region"`
	JobID      string             `json:"aps_job_id,omitempty"`
	Candidates []string           `json:"candidates,omitempty"`
	Reason     string             `json:"reason,omitempty"`
	Spec       json.RawMessage    `json:"spec"`
	Attempts   []ForgottenAttempt `json:"attempts,omitempty"`

	settle time.Duration
}

// ForgottenAttempt is one create request of a removed job.
type ForgottenAttempt struct {
	Number    int        `json:"attempt"`
	Nonce     string     `json:"nonce"`
	SignedAt  time.Time  `json:"signed_at"`
	Outcome   plan.State `json:"outcome"`
	RequestID string     `json:"request_id,omitempty"`
}

// Forget removes one entry with its attempts and returns when that is on disk.
// The job's events stay, with one more whose evidence keeps what is removed.
// The error is plan.ErrMovedOn, with nothing written, when the entry is not as m
// says. The job itself, if there is one, stays on the service; whether the
// ledger may lose sight of it is for the caller to judge.
//
// What was sent for it is noted beside the ledger before that, since nothing else tells
// of it afterwards: where it cannot be noted, nothing is forgotten. A note whose commit
// failed does no harm, see standing.
func (l *Ledger) Forget(ctx context.Context, m Mark, forced bool, p Person) error {
	op := fmt.Sprintf("forget job %q of plan %q", m.Name, m.Plan)
	if err := p.check(); err != nil {
		return fmt.Errorf("%s: %w: %w", op, ErrIllegal, err)
	}
	return l.write(ctx, op, func(w *writer) error {
		id, gone, err := w.forgotten(m)
		if err != nil {
			return err
		}
		if err := l.noteForgotten(lineOfForgotten(m, gone)); err != nil {
			return err
		}
		for _, query := range []string{"DELETE FROM attempts WHERE entry_id = ?", "DELETE FROM entries WHERE id = ?"} {
			if _, err := w.exec(query, id); err != nil {
				return err
			}
		}
		proof := PersonEvidence{Who: p.Who, Reason: p.Reason, Forced: forced, Forgotten: &gone}
		return w.event(Event{At: p.At, Plan: m.Plan, Name: m.Name, Attempt: m.Attempt, From: m.State,
			To: plan.StateNone, Run: p.RunID, JobID: gone.JobID, Reason: "forgotten: " + p.Reason, Evidence: proof.JSON()})
	})
}

// lineOfForgotten notes again what was sent for an entry that is forgotten, since its
// own line may be gone; nil where there is no job of it.
func lineOfForgotten(m Mark, gone Forgotten) []byte {
	var spec plan.Spec
	if m.State.HasNoJob() || len(gone.Attempts) == 0 || json.Unmarshal(gone.Spec, &spec) != nil {
		return nil
	}
	last := gone.Attempts[len(gone.Attempts)-1]
	return sentLine{
		SignedAtMs: last.SignedAt.UnixMilli(), Plan: m.Plan, Name: spec.Name, Region: gone.Region,
		Data: spec.DataKey(), Attempt: last.Number, SettleMs: gone.settle.Milliseconds(), Forgotten: true,
	}.text()
}

// forgotten reads what is about to be removed; plan.ErrMovedOn when the entry is
// not as m says.
func (w *writer) forgotten(m Mark) (id int64, gone Forgotten, err error) {
	var candidates, spec string
	var settleMs int64
	err = w.scan(`SELECT id, region, coalesce(aps_job_id, ''), candidates, reason, spec, settle_ms FROM entries
		WHERE plan = ? AND name = ? AND state = ? AND attempt = ?`,
		[]any{m.Plan, m.Name, string(m.State), m.Attempt},
		&id, &gone.Region, &gone.JobID, &candidates, &gone.Reason, &spec, &settleMs)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, gone, plan.ErrMovedOn
	}
	if err != nil {
		return 0, gone, err
	}
	gone.Spec, gone.settle = json.RawMessage(spec), time.Duration(settleMs)*time.Millisecond
	if err := json.Unmarshal([]byte(candidates), &gone.Candidates); err != nil {
		return 0, gone, err
	}
	err = each(context.Background(), w.conn, `SELECT attempt, nonce, signed_at_ms, outcome, request_id FROM attempts
		WHERE entry_id = ? ORDER BY attempt`, []any{id}, func(rows *sql.Rows) error {
		var a ForgottenAttempt
		var signed sql.NullInt64
		err := rows.Scan(&a.Number, &a.Nonce, &signed, &a.Outcome, &a.RequestID)
		a.SignedAt = fromMs(signed)
		gone.Attempts = append(gone.Attempts, a)
		return err
	})
	return id, gone, err
}
