package runner

import (
	"context"
	"fmt"

	"github.com/apsctl/apsctl/plan"
)

// recordVerdict settles the attempt by its outcome. Where that is a created job, the
// seat is free as soon as the record has its place in the ledger: the next intent of
// that seat is on disk together with the record or after it, so that a kill leaves no
// more open intents than there are seats.
func (r *Run) recordVerdict(ctx context.Context, a *attempt) error {
	t := r.transition(a, stateOf(a.outcome.Verdict), a.outcome)
	if a.outcome.Verdict == plan.VerdictCreated {
		t.Queued = a.giveSeat
	}
	return r.write(ctx, t)
}

// rescue saves a created job that the ledger could not record: it makes room and
// tries once more, and failing that leaves the emergency line. It reports whether
// the ledger has the job now. The run ends either way.
func (r *Run) rescue(ctx context.Context, a *attempt) bool {
	if r.options.FreeReserve() == nil && r.settle(ctx, a, plan.StateCreated, a.outcome) == nil {
		return true
	}
	r.options.Emergency(Emergency{
		Plan: r.plan.Name, Name: a.job.Name, Region: a.job.Region,
		JobID: a.outcome.JobID, RequestID: a.outcome.RequestID, Attempt: a.number, At: r.clock.Now(),
	})
	return false
}

// settle writes what became of the intent, on a context that no interrupt ends.
func (r *Run) settle(ctx context.Context, a *attempt, to plan.State, o plan.Outcome) error {
	return r.write(ctx, r.transition(a, to, o))
}

func (r *Run) transition(a *attempt, to plan.State, o plan.Outcome) plan.Transition {
	return plan.Transition{
		Plan: r.plan.Name, Name: a.job.Name, From: plan.StateIntent, Attempt: a.number, To: to,
		JobID: o.JobID, RequestID: o.RequestID, Code: o.Code, Reason: reasonOf(o),
		RunID: r.options.RunID, At: r.clock.Now(),
	}
}

func (r *Run) write(ctx context.Context, t plan.Transition) error {
	if err := r.ledger.Settle(verdictContext(ctx), t); err != nil {
		return ledgerFailed(fmt.Sprintf("record job %q as %s", t.Name, t.To), err)
	}
	return nil
}

func stateOf(v plan.Verdict) plan.State {
	switch v {
	case plan.VerdictCreated:
		return plan.StateCreated
	case plan.VerdictRejected:
		return plan.StateRejected
	case plan.VerdictNotSent:
		return plan.StateNotSent
	}
	return plan.StateUnknown
}
