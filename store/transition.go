package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
)

// next lists where Settle may move an entry from each state. Intent is never
// among them, see Intend. From an unresolved state no way leads to a create but
// by absent with evidence, and none from a state that needs a person but by one.
var next = map[plan.State][]plan.State{
	plan.StateNone: {plan.StateCreated, plan.StateConflict, plan.StateDuplicate},
	plan.StateIntent: {plan.StateUnknown, plan.StateCreated, plan.StateRejected, plan.StateNotSent,
		plan.StateAbsent, plan.StateConflict, plan.StateDuplicate},
	plan.StateUnknown:   {plan.StateCreated, plan.StateAbsent, plan.StateConflict, plan.StateDuplicate},
	plan.StateCreated:   {plan.StateCreated, plan.StateAbsent, plan.StateLost, plan.StateDuplicate},
	plan.StateRejected:  {plan.StateCreated, plan.StateConflict, plan.StateDuplicate},
	plan.StateNotSent:   {plan.StateCreated, plan.StateConflict, plan.StateDuplicate},
	plan.StateAbsent:    {plan.StateCreated, plan.StateConflict, plan.StateDuplicate},
	plan.StateConflict:  {plan.StateCreated, plan.StateAbsent, plan.StateDuplicate},
	plan.StateDuplicate: {plan.StateCreated, plan.StateAbsent, plan.StateConflict},
	plan.StateLost:      {plan.StateCreated, plan.StateAbsent},
}

const (
	insertAdopted = `INSERT INTO entries (plan, name, state, attempt, region, digest, spec, labels, aps_job_id,
		candidates, code, reason, signed_at_ms, baseline, request_id, updated_at_ms, life, doing, compared_at_ms)
	VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, NULL, ?, ?, ?, ?, ?, ?)
	ON CONFLICT (plan, name) DO NOTHING`

	// A lost job keeps its id; a transition with a digest brings a new spec, and
	// says what is pending beside it.
	updateSettled = `UPDATE entries SET state = ?1, aps_job_id = iif(?1 = 'lost', aps_job_id, ?2), candidates = ?3,
		code = ?4, reason = ?5, request_id = iif(?6 = '', request_id, ?6), updated_at_ms = ?7,
		region = iif(?8 = '', region, ?9), spec = iif(?8 = '', spec, ?10), labels = iif(?8 = '', labels, ?11),
		digest = iif(?8 = '', digest, ?8), baseline = iif(?20 = 'null', baseline, ?20),
		pending = iif(?8 = '' AND ?1 <> 'absent', pending, ?16),
		pending_digest = iif(?8 = '' AND ?1 <> 'absent', pending_digest, ?17),
		pending_signed_at_ms = iif(?8 = '' AND ?1 <> 'absent', pending_signed_at_ms, ?18),
		pending_confirmed = iif(?8 = '' AND ?1 <> 'absent', pending_confirmed, ?19),
		life = iif(?8 = '', life, ?21), doing = iif(?8 = '' AND ?1 <> 'absent' OR ?22 = '' AND state = 'created' AND aps_job_id IS ?2, doing, ?22),
		compared_at_ms = iif(?15, ?7, compared_at_ms), differed = iif(?15, '', differed)
	WHERE id = ?12
		AND (?8 = '' OR ?1 <> 'created' OR state <> 'created' OR pending = ?13 AND pending_signed_at_ms IS ?14 AND (?15 OR digest = ?8))`

	// updateVerdict is updateSettled for what an answer or a look shows of an
	// attempt: most transitions of a run, at a third of the cost. A job whose deletion
	// another process has sent since is not lost: it was to go.
	updateVerdict = `UPDATE entries SET state = ?1, aps_job_id = iif(?1 = 'lost', aps_job_id, ?2), candidates = ?3,
		code = ?4, reason = ?5, request_id = iif(?6 = '', request_id, ?6), updated_at_ms = ?7
	WHERE id = ?8 AND (?1 <> 'lost' OR pending <> 'DeleteApsJob')`

	updateAttempt = `UPDATE attempts SET outcome = ?, request_id = iif(? = '', request_id, ?), code = ?, reason = ?,
		evidence = ?, updated_at_ms = ? WHERE entry_id = ? AND attempt = ? AND outcome = ?`
)

// Settle commits one transition. It is on disk when Settle returns nil; with any
// error nothing was written: plan.ErrMovedOn when the entry is not as the guard of t
// says, ErrIllegal for what the protocol does not have, *SameIDError when
// another entry has t.JobID, an *Error for trouble with the file. A transition
// with a Digest replaces the entry's spec, region, digest and labels; one
// without keeps them, and what is pending; so does one without a Baseline for the
// baseline. A cancelled ctx does not stop it.
func (l *Ledger) Settle(ctx context.Context, t plan.Transition) error {
	op := fmt.Sprintf("record job %q of plan %q as %s", t.Name, t.Plan, t.To)
	if err := checkTransition(t); err != nil {
		return fmt.Errorf("%s: %w: %w", op, ErrIllegal, err)
	}
	full := t.To == plan.StateCreated && crashpoint.Fails(crashpoint.CreatedUnsaved)
	return l.carry(&item{op: op, queued: t.Queued, do: func(w *writer) error {
		if full {
			return syscall.ENOSPC
		}
		err := w.settle(t)
		crashpoint.At(crashpoint.VerdictWritten)
		return err
	}})
}

func (w *writer) settle(t plan.Transition) error {
	id, recorded, err := w.settleEntry(t)
	if err != nil {
		return w.sameID(t, err)
	}
	// The attempt's own outcome follows as long as it is open. An adoption after
	// a rejection does not make the rejected attempt a success.
	if t.From.Unresolved() || t.From == plan.StateConflict || t.From == plan.StateDuplicate {
		changed, err := w.exec(updateAttempt, string(t.To), t.RequestID, t.RequestID, t.Code, t.Reason,
			t.Evidence, toMs(t.At), id, t.Attempt, string(t.From))
		if err != nil {
			return err
		}
		if changed == 0 && t.From.Unresolved() {
			return &Error{Kind: ErrDamaged, Text: adviceDamaged,
				Err: fmt.Errorf("attempt %d of job %q of plan %q is missing", t.Attempt, t.Name, t.Plan)}
		}
	}
	return w.event(Event{At: t.At, Plan: t.Plan, Name: t.Name, Attempt: t.Attempt, From: t.From, To: t.To,
		Run: t.RunID, JobID: recorded, RequestID: t.RequestID, Code: t.Code, Reason: t.Reason, Evidence: t.Evidence})
}

// settleEntry brings the entry to t.To, and returns its row and the job id that it
// has now; plan.ErrMovedOn when it is not as the guard of t says.
func (w *writer) settleEntry(t plan.Transition) (id int64, jobID string, err error) {
	made := sql.NullString{}
	if t.To == plan.StateCreated {
		made = sql.NullString{String: t.JobID, Valid: true}
	}
	candidates, at := toJSON(t.Candidates), toMs(t.At)
	if t.From == plan.StateNone {
		id, err = w.insert(insertAdopted, t.Plan, t.Name, string(t.To), t.Spec.Region, t.Digest, t.Spec.JSON(), toJSON(t.Labels),
			made, candidates, t.Code, t.Reason, toJSON(t.Baseline), t.RequestID, at, t.Life.Kept(), string(t.Doing), comparedAt(t))
		return id, made.String, err
	}
	if id, jobID, err = w.find(t.Plan, t.Name, t.From, t.Attempt); err != nil {
		return 0, "", err
	}
	if t.To != plan.StateLost {
		jobID = made.String
	}
	if t.Digest == "" && t.To != plan.StateAbsent && t.Baseline == nil && !t.Compared {
		changed, err := w.exec(updateVerdict, string(t.To), made, candidates, t.Code, t.Reason, t.RequestID, at, id)
		if err == nil && changed == 0 {
			err = plan.ErrMovedOn
		}
		return id, jobID, err
	}
	changed, err := w.exec(updateSettled, string(t.To), made, candidates, t.Code, t.Reason, t.RequestID, at,
		t.Digest, t.Spec.Region, t.Spec.JSON(), toJSON(t.Labels), id,
		string(t.Before.Operation), toMs(t.Before.SignedAt), t.Compared,
		string(t.Pending.Operation), t.Pending.Digest, toMs(t.Pending.SignedAt), t.Pending.Confirmed,
		toJSON(t.Baseline), t.Life.Kept(), string(t.Doing))
	if err == nil && changed == 0 {
		err = plan.ErrMovedOn
	}
	return id, jobID, err
}

// comparedAt is when the details of the job were compared, if t says that they were.
func comparedAt(t plan.Transition) sql.NullInt64 {
	if !t.Compared {
		return sql.NullInt64{}
	}
	return toMs(t.At)
}

// sameID turns the violation of the rule that job ids are unique into its error.
func (w *writer) sameID(t plan.Transition, err error) error {
	if cause := (sqlite3.Error{}); !errors.As(err, &cause) || cause.ExtendedCode != sqlite3.ErrConstraintUnique {
		return err
	}
	same := &SameIDError{JobID: t.JobID, Plan: t.Plan, Name: t.Name}
	if w.scan("SELECT plan, name FROM entries WHERE aps_job_id = ?", []any{t.JobID},
		&same.OtherPlan, &same.OtherName) != nil {
		return err
	}
	return same
}

func checkTransition(t plan.Transition) error {
	switch {
	case t.Plan == "" || t.Name == "":
		return errors.New("the plan and the job must have names")
	case !slices.Contains(next[t.From], t.To):
		return fmt.Errorf("no step leads from %q to %q", t.From, t.To)
	case t.From == plan.StateNone && (t.Attempt != 0 || t.Digest == ""):
		return errors.New("an adopted job has attempt 0, a spec and a digest")
	case t.From == plan.StateCreated && t.To == plan.StateCreated && t.Digest == "":
		return errors.New("an updated job has a new spec and digest")
	case t.To == plan.StateCreated && t.JobID == "":
		return errors.New("a created job has an id")
	case (t.To == plan.StateConflict || t.To == plan.StateDuplicate) && len(t.Candidates) == 0:
		return errors.New("a conflict or duplicate names its candidates")
	case t.To == plan.StateAbsent && t.Evidence == "":
		return errors.New("absence needs its certificate")
	case t.Evidence != "" && !json.Valid([]byte(t.Evidence)):
		return errors.New("the evidence is not JSON")
	case t.Pending.IsSet() && (t.To != plan.StateCreated || t.Digest == ""):
		return errors.New("a change can be pending of a created job only, beside a new spec")
	case t.At.IsZero():
		return errors.New("the time must be set")
	}
	return nil
}
