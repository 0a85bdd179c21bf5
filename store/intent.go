package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
)

// sendable lists the states from which a create may be promised. An unknown
// outcome is not among them: it must become absent, with its certificate, first.
var sendable = []plan.State{plan.StateNone, plan.StateRejected, plan.StateNotSent, plan.StateAbsent}

const (
	insertIntent = `INSERT INTO entries (plan, name, state, attempt, region, digest, spec, labels, signed_at_ms,
		baseline, updated_at_ms, life, settle_ms, on_unknown, aps_job_id, candidates, code, reason, request_id)
	VALUES (?, ?, 'intent', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, 'null', '', '', '')
	ON CONFLICT (plan, name) DO NOTHING`

	updateIntent = `UPDATE entries SET state = 'intent', attempt = ?, region = ?, digest = ?, spec = ?, labels = ?,
		signed_at_ms = ?, baseline = ?, updated_at_ms = ?, life = ?, settle_ms = ?, on_unknown = ?, doing = '', aps_job_id = NULL, candidates = 'null',
		code = '', reason = '', request_id = '', compared_at_ms = NULL, differed = ''
	WHERE id = ?`

	insertAttempt = `INSERT INTO attempts (entry_id, attempt, nonce, signed_at_ms, server_offset_ms, endpoint, region,
		digest, baseline, run_id, outcome, created_at_ms, updated_at_ms)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'intent', ?, ?)`
)

// Intend commits the promise that one create request is about to be sent: the
// entry is in state intent at in.Attempt when it returns nil, on disk, and the
// request may leave. With any error nothing was written and nothing may be sent:
// plan.ErrMovedOn when the entry is not as in.From and in.Attempt say, or another
// plan has a job of that name open in that region, ErrIllegal for what the protocol
// does not have, an *Error for trouble with the file. A cancelled ctx does not stop it.
func (l *Ledger) Intend(_ context.Context, in plan.Intent) error {
	op := fmt.Sprintf("record the intent for job %q of plan %q", in.Name, in.Plan)
	if err := checkIntent(in); err != nil {
		return fmt.Errorf("%s: %w: %w", op, ErrIllegal, err)
	}
	return l.carry(&item{op: op, sends: true, sent: lineOf(in), do: func(w *writer) error {
		spec, labels, baseline := in.Spec.JSON(), toJSON(in.Labels), toJSON(in.Baseline)
		at, signed, settle := toMs(in.At), toMs(in.SignedAt), in.Settle.Milliseconds()
		if err := w.checkElsewhere(in); err != nil {
			return err
		}
		var id int64
		var err error
		if in.From == plan.StateNone {
			id, err = w.insert(insertIntent, in.Plan, in.Name, in.Attempt,
				in.Spec.Region, in.Digest, spec, labels, signed, baseline, at, in.Life.Kept(), settle, string(in.OnUnknown))
		} else if id, _, err = w.find(in.Plan, in.Name, in.From, in.Attempt-1); err == nil {
			_, err = w.exec(updateIntent, in.Attempt,
				in.Spec.Region, in.Digest, spec, labels, signed, baseline, at, in.Life.Kept(), settle, string(in.OnUnknown), id)
		}
		if err != nil {
			return err
		}
		if _, err := w.exec(insertAttempt, id, in.Attempt, in.Nonce, signed, in.ServerOffset.Milliseconds(),
			in.Endpoint, in.Spec.Region, in.Digest, baseline, in.RunID, at, at); err != nil {
			return err
		}
		err = w.event(Event{At: in.At, Plan: in.Plan, Name: in.Name, Attempt: in.Attempt,
			From: in.From, To: plan.StateIntent, Run: in.RunID, Evidence: intentEvidence(in)})
		crashpoint.At(crashpoint.IntentWritten)
		return err
	}})
}

// intentEvidence says in the history what was promised, exactly enough to tell it from
// every other create. The history outlives the attempt, and keeps the name.
func intentEvidence(in plan.Intent) string {
	text, err := json.Marshal(struct {
		Kind     string `json:"kind"`
		Region   string `json:"region"`
		SignedAt string `json:"signed_at"`
	}{"intent", in.Spec.Region, exactly(in.SignedAt)})
	if err != nil {
		panic("store: evidence cannot fail to marshal: " + err.Error())
	}
	return string(text)
}

// exactly is a date as it is compared in evidence, of the precision that all of the ledger has.
func exactly(at time.Time) string {
	return at.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano)
}

// openElsewhere finds an open entry of another plan: of plans before it and after
// it, so that the plan's own open entries are passed over unread.
const (
	openElsewhere = "SELECT plan FROM entries WHERE " + openRule + " AND plan < ?1" + ofThatName +
		" UNION ALL SELECT plan FROM entries WHERE " + openRule + " AND plan > ?1" + ofThatName
	ofThatName = " AND region = ?2 AND json_extract(spec, '$.name') = ?3"

	anyElsewhere = "SELECT EXISTS (SELECT 1 FROM entries WHERE " + openRule + " AND plan < ?1)" +
		" OR EXISTS (SELECT 1 FROM entries WHERE " + openRule + " AND plan > ?1)"
)

// checkElsewhere refuses an intent for what an open entry of another plan may
// already be on the service. Nearly always no other plan has an open entry at all,
// which is asked once for all intents of a transaction.
func (w *writer) checkElsewhere(in plan.Intent) error {
	if w.alone == in.Plan {
		return nil
	}
	var others bool
	if err := w.scan(anyElsewhere, []any{in.Plan}, &others); err != nil {
		return err
	}
	if !others {
		w.alone = in.Plan
		return nil
	}
	var other string
	err := w.scan(openElsewhere, []any{in.Plan, in.Spec.Region, in.Spec.Name}, &other)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return err
	}
	return plan.ErrMovedOn
}

func checkIntent(in plan.Intent) error {
	switch {
	case in.Plan == "" || in.Name == "":
		return errors.New("the plan and the job must have names")
	case !slices.Contains(sendable, in.From):
		return fmt.Errorf("no create follows from state %q", in.From)
	case in.Attempt < 1 || in.From == plan.StateNone && in.Attempt != 1:
		return fmt.Errorf("attempt %d cannot follow state %q", in.Attempt, in.From)
	case in.Nonce == "" || in.SignedAt.IsZero() || in.At.IsZero():
		return errors.New("the nonce, the signed date and the time must be set")
	}
	return nil
}
