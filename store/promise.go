package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
)

const updatePending = `UPDATE entries SET pending = ?, pending_digest = ?, pending_signed_at_ms = ?,
	pending_confirmed = ?, updated_at_ms = ?
	WHERE plan = ? AND name = ? AND state = 'created' AND attempt = ? AND aps_job_id = ?
		AND pending = ? AND pending_signed_at_ms IS ?`

// Promise commits the note that a request to change an existing job is about to
// be sent, or takes it back. It is on disk when Promise returns nil; with any
// error nothing was written and nothing may be sent: plan.ErrMovedOn when the
// entry is not created, at p.Attempt, with the id p.JobID and p.Before pending. A
// cancelled ctx does not stop it.
func (l *Ledger) Promise(_ context.Context, p plan.Promise) error {
	op := fmt.Sprintf("record the change of job %q of plan %q", p.Name, p.Plan)
	if err := checkPromise(p); err != nil {
		return fmt.Errorf("%s: %w: %w", op, ErrIllegal, err)
	}
	// What only takes one back is followed by no request.
	return l.carry(&item{op: op, sends: p.Pending.IsSet(), do: func(w *writer) error {
		changed, err := w.exec(updatePending, string(p.Pending.Operation), p.Pending.Digest, toMs(p.Pending.SignedAt),
			p.Pending.Confirmed, toMs(p.At),
			p.Plan, p.Name, p.Attempt, p.JobID,
			string(p.Before.Operation), toMs(p.Before.SignedAt))
		if err == nil && changed == 0 {
			err = plan.ErrMovedOn
		}
		if err != nil {
			return err
		}
		err = w.event(Event{At: p.At, Plan: p.Plan, Name: p.Name, Attempt: p.Attempt, From: plan.StateCreated,
			To: plan.StateCreated, Run: p.RunID, JobID: p.JobID, Reason: p.Reason, Evidence: promiseEvidence(p.Pending)})
		crashpoint.At(crashpoint.PromiseWritten)
		return err
	}})
}

// promiseEvidence says in the history what was promised.
func promiseEvidence(p plan.Pending) string {
	text, err := json.Marshal(struct {
		Kind      string         `json:"kind"`
		Operation plan.Operation `json:"operation,omitempty"` // "" for none
		Digest    string         `json:"digest,omitempty"`
		SignedAt  time.Time      `json:"signed_at,omitzero"`
	}{"promise", p.Operation, p.Digest, p.SignedAt})
	if err != nil {
		panic("store: evidence cannot fail to marshal: " + err.Error())
	}
	return string(text)
}

func checkPromise(p plan.Promise) error {
	none := !p.Pending.IsSet()
	switch {
	case p.Plan == "" || p.Name == "" || p.JobID == "":
		return errors.New("the plan, the job and its id must be named")
	case none && p.Pending != (plan.Pending{}):
		return errors.New("what is taken back has no digest and no date")
	case !none && p.Pending.SignedAt.IsZero() || p.At.IsZero():
		return errors.New("the signed date and the time must be set")
	case p.Pending.Operation == plan.OperationModify && p.Pending.Digest == "":
		return errors.New("a change of the objects has a digest")
	case p.Reason == "":
		return errors.New("the reason must be given")
	}
	return nil
}
