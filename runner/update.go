package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

const opModify = "ModifyApsJob"

// updating is what came of changing one existing job in place.
type updating struct {
	differs []string // what the service shows after the change, where it is not as the plan says
	err     error
}

// update changes the objects of an existing job, reads it again, and records
// that it is as the plan says. It needs no intent: the request says the whole of
// both lists, so that repeating it does no harm, and until the ledger has the new
// ones, the next run sees the same difference.
func (r *Run) update(ctx context.Context, c plan.Change) (u updating) {
	spec := c.Updated()
	if u.err = r.governor.Wait(ctx, opModify, c.Job.Region); u.err != nil {
		return u
	}
	if u.err = r.service.Modify(ctx, c.Job.Region, c.Entry.JobID, spec.DBList, spec.PartitionList); u.err != nil {
		return u
	}
	detail, err := r.service.Detail(ctx, c.Job.Region, c.Entry.JobID)
	if err != nil {
		u.err = err
		return u
	}
	if u.differs = plan.DisagreeDetail(spec, detail); len(u.differs) > 0 {
		return u
	}
	u.err = r.ledger.Settle(context.WithoutCancel(ctx), plan.Transition{
		Plan: r.plan.Name, Name: c.Name, From: plan.StateCreated, Attempt: c.Attempt(), To: plan.StateCreated,
		Spec: spec, Digest: c.Job.Digest, Labels: c.Job.Labels, JobID: c.Entry.JobID, Reason: "updated in place",
		Evidence: evidence{Kind: "updated", Region: c.Job.Region}.JSON(),
		RunID:    r.options.RunID, At: r.clock.Now(),
	})
	if u.err != nil && !errors.Is(u.err, plan.ErrMovedOn) {
		u.err = ledgerFailed(fmt.Sprintf("record the update of job %q", c.Name), u.err)
	}
	return u
}

// updated takes in what came of an update.
func (s *scheduler) updated(t *task, u updating) {
	s.inFlight--
	t.tries++
	var ledger *LedgerError
	var call *plan.CallError
	switch {
	case u.err == nil && len(u.differs) == 0:
		s.existing(t, EndUpdated, t.change.Entry.JobID)
	case u.err == nil:
		s.fail(t, "it was changed, but the service shows that "+strings.Join(u.differs, ", "), "not as it was changed")
	case errors.As(u.err, &ledger):
		s.err = u.err
		s.end(StopLedger, u.err.Error(), plan.FailureNone)
	case errors.Is(u.err, context.Canceled):
		s.queue.add(t) // the run is stopping: it is counted as not tried
	case errors.Is(u.err, plan.ErrMovedOn):
		s.finish(t, EndBlocked, "another process moved this job on; run again to see where it stands", "moved on elsewhere")
	case errors.As(u.err, &call):
		s.refused(t, plan.Outcome{
			Verdict: plan.VerdictRejected, Failure: call.Failure, Code: call.Code, Message: call.Message,
			Why: call.Why, RetryAfter: call.RetryAfter, RequestID: call.RequestID,
		})
	default:
		s.failedBefore(t, u.err)
	}
}
