package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// updating is what came of changing the objects of one existing job.
type updating struct {
	differs []string // what the service shows after the change, where it is not as the plan says
	// pending is what may have taken effect and is not confirmed, as the ledger
	// has it; waits is until when something else than is wanted may.
	pending plan.Pending
	waits   time.Time
	err     error
}

// update changes the objects of an existing job, reads it again, and records that
// it is as the plan says. The request says the whole of both lists, so that
// sending the same again does no harm; but one that takes effect late would undo
// another. So each is promised in the ledger first, and one that got no answer is
// never followed by something else before it is too old to take effect.
//
// stop ends it before the promise, ctx also the requests.
func (r *Run) update(ctx, stop context.Context, c plan.Change, pending plan.Pending) (u updating) {
	spec := c.Updated()
	u.pending = pending
	if pending.IsSet() {
		if pending.Digest != plan.HashSpec(spec) && !r.tooOld(pending.SignedAt) && !mutant.On(mutant.ChangeOvertakes) {
			u.waits = pending.SignedAt.Add(r.options.Settle)
			return u
		}
		if u.differs, u.err = r.shown(stop, c, spec); u.err != nil || len(u.differs) == 0 {
			return r.recordUpdate(ctx, c, spec, u, pending)
		}
		pending = r.alive(pending)
	}
	request := plan.ChangeRequest{
		Operation: plan.OperationModify, Region: c.Job.Region, JobID: c.Entry.JobID,
		DBList: spec.DBList, PartitionList: spec.PartitionList,
	}
	if u.pending, u.err = r.change(ctx, stop, c, request, plan.Pending{Operation: request.Operation, Digest: plan.HashSpec(spec)}, pending); u.err == nil {
		u.differs, u.err = r.shown(ctx, c, spec)
	}
	return r.recordUpdate(ctx, c, spec, u, pending)
}

var errStoodStill = errors.New("not sent: this process stood still after the request was dated")

// change promises one request, sends it, and takes the promise back where the
// request is proven to have come to nothing. It returns what is pending then.
func (r *Run) change(ctx, stop context.Context, c plan.Change, request plan.ChangeRequest, pending, before plan.Pending) (plan.Pending, error) {
	if err := r.governor.Wait(stop, string(request.Operation), request.Region); err != nil {
		return before, err
	}
	chosenAt := r.clock.Boot()
	request.SignedAt = r.clock.Now().UTC().Truncate(time.Second)
	pending.SignedAt = request.SignedAt
	if err := r.promise(ctx, c, pending, string(request.Operation)+" is sent"); err != nil {
		return before, err
	}
	crashpoint.At(crashpoint.PromiseCommitted)
	err := errStoodStill
	if r.clock.Boot()-chosenAt <= stoodStill {
		err = r.service.Change(ctx, request)
		crashpoint.At(crashpoint.ChangeAnswered)
	}
	var call *plan.CallError
	if undone := err == errStoodStill || errors.As(err, &call) && (call.Undone || mutant.On(mutant.ChangeAssumed)); !undone {
		return pending, err
	}
	if back := r.promise(ctx, c, before, string(request.Operation)+" did not take effect"); back != nil {
		return pending, back
	}
	return before, err
}

func (r *Run) promise(ctx context.Context, c plan.Change, pending plan.Pending, reason string) error {
	if mutant.On(mutant.NoPromise) {
		return nil
	}
	err := r.ledger.Promise(verdictContext(ctx), plan.Promise{
		Plan: r.plan.Name, Name: c.Name, Attempt: c.Attempt(), JobID: c.Entry.JobID,
		Pending: pending, Reason: reason, RunID: r.options.RunID, At: r.clock.Now(),
	})
	if err != nil && !errors.Is(err, plan.ErrMovedOn) {
		return ledgerFailed(fmt.Sprintf("record the change of job %q", c.Name), err)
	}
	return err
}

// alive is a pending change as long as it can still take effect.
func (r *Run) alive(p plan.Pending) plan.Pending {
	if r.tooOld(p.SignedAt) {
		return plan.Pending{}
	}
	return p
}

// confirmed is what a pending change still means once the job was seen so.
func (r *Run) confirmed(p plan.Pending) plan.Pending {
	p = r.alive(p)
	p.Confirmed = p.IsSet()
	return p
}

// tooOld reports whether no copy of a request of that date can take effect any
// more.
func (r *Run) tooOld(signedAt time.Time) bool {
	return !r.server.earliest().Before(signedAt.Add(r.options.Settle))
}

// shown reads the job and returns where it is not as it is to be.
func (r *Run) shown(ctx context.Context, c plan.Change, spec plan.Spec) ([]string, error) {
	detail, err := r.service.Detail(ctx, c.Job.Region, c.Entry.JobID)
	if err != nil {
		return nil, err
	}
	return plan.DisagreeDetail(spec, detail), nil
}

// recordUpdate records what the service confirms. before is what may still take
// effect all the same: an earlier request that got no answer.
func (r *Run) recordUpdate(ctx context.Context, c plan.Change, spec plan.Spec, u updating, before plan.Pending) updating {
	if u.err != nil || len(u.differs) > 0 {
		return u
	}
	err := r.ledger.Settle(verdictContext(ctx), plan.Transition{
		Plan: r.plan.Name, Name: c.Name, From: plan.StateCreated, Attempt: c.Attempt(), To: plan.StateCreated,
		Spec: spec, Digest: c.Job.Digest, Labels: c.Job.Labels, Pending: r.confirmed(before),
		JobID: c.Entry.JobID, Reason: "updated in place",
		Evidence: evidence{Kind: "updated", Region: c.Job.Region}.JSON(),
		RunID:    r.options.RunID, At: r.clock.Now(),
	})
	if u.err = err; err != nil && !errors.Is(err, plan.ErrMovedOn) {
		u.err = ledgerFailed(fmt.Sprintf("record the update of job %q", c.Name), err)
	}
	crashpoint.At(crashpoint.ChangeConfirmed)
	return u
}

// updated takes in what came of an update.
func (s *scheduler) updated(t *task, u updating) {
	s.inFlight--
	t.tries++
	t.pending = u.pending
	var ledger *LedgerError
	var call *plan.CallError
	switch {
	case !u.waits.IsZero():
		s.finish(t, EndUnknown, "an earlier change to something else got no answer and can still take effect", "outcome unknown")
		t.result.SettlesAt = u.waits
	case u.err == nil && len(u.differs) == 0:
		t.pending = plan.Pending{}
		s.existing(t, EndUpdated, t.change.Entry.JobID)
	case u.err == nil:
		s.fail(t, "it was changed, but the service shows that "+strings.Join(u.differs, ", "), "not as it was changed")
	case errors.As(u.err, &ledger):
		s.err = u.err
		s.end(StopLedger, u.err.Error(), plan.FailureNone)
	case errors.Is(u.err, plan.ErrMovedOn):
		t.pending = plan.Pending{}
		s.finish(t, EndBlocked, "another process moved this job on; run again to see where it stands", "moved on elsewhere")
	case errors.Is(u.err, context.Canceled):
		s.queue.add(t) // the run is stopping
	case errors.As(u.err, &call):
		s.refused(t, outcomeOf(call))
	default:
		s.failedBefore(t, u.err)
	}
}

// outcomeOf words a failed change as what came of a create, for the retries.
func outcomeOf(call *plan.CallError) plan.Outcome {
	return plan.Outcome{
		Verdict: plan.VerdictRejected, Failure: call.Failure, Code: call.Code, Message: call.Message,
		Why: call.Why, RetryAfter: call.RetryAfter, RequestID: call.RequestID,
	}
}
