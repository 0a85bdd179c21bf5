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
	doing   plan.DesiredState // as the ledger has it by now
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
	u.pending, u.doing = pending, c.Entry.Doing
	if c, u.err = r.withIgnored(stop, c); u.err != nil {
		return u
	}
	spec := c.Updated()
	same := pending.Operation == plan.OperationModify && pending.Digest == plan.HashSpec(spec)
	if pending.IsSet() && !same && !r.tooOld(pending.SignedAt) && !mutant.On(mutant.ChangeOvertakes) {
		until := pending.SignedAt.Add(r.options.Settle)
		if pending.Operation != plan.OperationSuspend { // which could take effect after the start
			u = r.restart(ctx, stop, c, u)
		}
		u.waits = until
		return u
	}
	// What is pending may have taken effect; what was seen to be as it is to be may not be
	// so any more.
	if pending.IsSet() || c.OnlyRecorded() {
		if u.differs, u.err = r.shown(stop, c, spec); u.err != nil || len(u.differs) == 0 {
			return r.recordUpdate(ctx, c, spec, u, pending)
		}
	}
	request := plan.ChangeRequest{
		Operation: plan.OperationModify, Region: c.Job.Region, JobID: c.Entry.JobID,
		DBList: spec.DBList, PartitionList: spec.PartitionList,
	}
	promise := plan.Pending{Operation: request.Operation, Digest: plan.HashSpec(spec)}
	send := func() {
		u.pending, u.err = r.change(ctx, stop, *c.Entry, request, promise, u.pending)
	}
	if send(); refusedAsItRuns(u.err) {
		if u = r.rest(ctx, stop, c, u); u.err == nil {
			if send(); refusedAsItRuns(u.err) {
				u.err = laterError(u.err) // it does not rest yet
			}
		}
	}
	if u.err == nil {
		u.differs, u.err = r.shown(ctx, c, spec)
	}
	if u.err == nil && len(u.differs) > 0 || refusedAsIs(u.err) {
		u = r.restart(ctx, stop, c, u)
	}
	return r.recordUpdate(ctx, c, spec, u, pending)
}

// withIgnored reads a job of whose two lists the plan ignores one: the request says
// both, and the ignored one stays as somebody made it.
func (r *Run) withIgnored(ctx context.Context, c plan.Change) (plan.Change, error) {
	if !c.Job.Ignore.Has("db_list") && !c.Job.Ignore.Has("partition_list") {
		return c, nil
	}
	detail, err := r.service.Detail(ctx, c.Job.Region, c.Entry.JobID)
	if err == nil {
		c.Seen = &plan.Seen{Detail: &detail}
	}
	return c, err
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
		Spec: spec, Digest: c.Job.Digest, Labels: c.Job.Labels, Life: c.Job.Life, Before: u.pending, Pending: r.confirmed(before), Compared: true,
		JobID: c.Entry.JobID, Reason: "updated in place",
		Evidence: evidence{Kind: "updated", Region: c.Job.Region}.JSON(),
		RunID:    r.options.RunID, At: r.clock.Now(),
	})
	if u.err = err; err != nil && !errors.Is(err, plan.ErrMovedOn) {
		u.err = ledgerFailed(fmt.Sprintf("record the update of job %q", c.Name), err)
	}
	if err == nil {
		u.pending = r.confirmed(before)
	}
	crashpoint.At(crashpoint.ChangeConfirmed)
	return u
}

// updated takes in what came of an update.
func (s *scheduler) updated(t *task, u updating) {
	s.inFlight--
	t.tries++
	t.pending = u.pending
	t.did(u.doing)
	switch {
	case !u.waits.IsZero() && u.err == nil:
		s.waits(t, u.waits)
	case u.err == nil && len(u.differs) == 0:
		s.existing(t, EndUpdated, t.change.Entry.JobID)
	case u.err == nil:
		s.fail(t, "it was changed, but the service shows that "+strings.Join(u.differs, ", "), "not as it was changed")
	default:
		t.answered = refusedAsItRuns(u.err)
		s.changeFailed(t, u.err)
	}
}
