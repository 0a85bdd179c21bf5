package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// removing is what came of sending the deletion of one job. Whether it is gone,
// the listing says.
type removing struct {
	pending plan.Pending
	err     error
}

// remove sends the deletion of a job, by its id. It does no harm to send it again.
// A job that is refused since it runs is suspended first.
//
// stop ends it before the promise, ctx also the requests.
func (r *Run) remove(ctx, stop context.Context, entry plan.Entry, pending plan.Pending) (d removing) {
	d = r.sendDelete(ctx, stop, entry, pending)
	if !refusedAsIs(d.err) {
		return d
	}
	detail, err := r.service.Detail(stop, entry.Region, entry.JobID)
	switch {
	case refusedAsIs(err):
		return removing{pending: d.pending} // nobody knows the id: the listing says whether it is gone
	case err != nil || plan.ClassOf(detail.Status) == plan.ClassSuspended:
		return d
	case plan.Suspending(detail.Status):
		return tooEarly(d)
	}
	request := plan.ChangeRequest{Operation: plan.OperationSuspend, Region: entry.Region, JobID: entry.JobID}
	refused := d.err
	if d.err = r.recordPut(ctx, entry, plan.Paused, d.pending, d.pending); d.err != nil { // should it be wanted again
		return d
	}
	if d.pending, d.err = r.change(ctx, stop, entry, request, plan.Pending{Operation: request.Operation}, d.pending); d.err != nil {
		if refusedAsIs(d.err) {
			d.err = refused
		}
		return d
	}
	return tooEarly(r.sendDelete(ctx, stop, entry, d.pending))
}

// tooEarly has a deletion that was refused sent again after a pause: the job is
// being suspended, which is acknowledged before it has taken effect.
func tooEarly(d removing) removing {
	if refusedAsIs(d.err) {
		d.err = laterError(d.err)
	}
	return d
}

func (r *Run) sendDelete(ctx, stop context.Context, entry plan.Entry, before plan.Pending) (d removing) {
	request := plan.ChangeRequest{Operation: plan.OperationDelete, Region: entry.Region, JobID: entry.JobID}
	d.pending, d.err = r.change(ctx, stop, entry, request, plan.Pending{Operation: request.Operation}, before)
	return d
}

// refusedAsIs reports whether the service refused for a reason of the job's own.
func refusedAsIs(err error) bool {
	call := callOf(err)
	return call != nil && call.Failure == plan.FailureOther
}

// removed takes in what came of sending a deletion.
func (s *scheduler) removed(t *task, d removing) {
	s.inFlight--
	t.tries++
	t.pending = d.pending
	call := callOf(d.err)
	// One that got no answer is sent again, which does no harm, until there is one:
	// if it came to nothing, the listing would show the job for ever.
	refused := call != nil && !call.Undone && call.Failure == plan.FailureOther && !errors.Is(d.err, context.Canceled)
	if d.err == nil || refused {
		s.awaitGone(t)
		return
	}
	s.changeFailed(t, d.err)
}

// awaitGone has a deleted job looked for in the listing until it is gone from it,
// or the job's time in this run is over.
func (s *scheduler) awaitGone(t *task) {
	t.entry = *t.change.Entry
	t.entry.Pending = t.pending
	t.lookUntil = t.since.Add(s.run.options.MaxElapsed)
	t.finish(EndUnknown, "its deletion was sent; the listing still shows it", "not gone yet")
	s.lookFor(t, time.Now())
}

// gone acts on a listing that does not show a deleted job any more.
func (s *scheduler) gone(t *task) {
	t.pending, t.state = plan.Pending{}, plan.StateAbsent
	if t.change.Kind != plan.KindReplace {
		s.finish(t, EndDeleted, "", "")
		return
	}
	t.finish(EndNotTried, "deleted; not created again yet", "")
	t.tries, t.dueAt = 0, time.Now()
	s.queue.add(t)
}

// isLeaving reports whether the deletion of e's job was sent and is not confirmed.
func isLeaving(e plan.Entry) bool {
	return e.State == plan.StateCreated && e.Pending.Operation == plan.OperationDelete
}

// holdUnlisted blocks deletions of jobs that the service does not list, be it not yet or
// not to these credentials: they could not be seen to go. So a deletion that was
// promised is of a job that was listed. One that is gone already is lost, once the
// listing proves it.
func (r *Run) holdUnlisted(changes []plan.Change) {
	var listed map[string]bool
	for i := range changes {
		c := &changes[i]
		goes := c.Kind == plan.KindDelete || c.Kind == plan.KindReplace && r.options.AllowReplace
		if !goes || isLeaving(*c.Entry) || mutant.On(mutant.DeleteUnlisted) {
			continue
		}
		if listed == nil {
			listed = r.allListed()
		}
		if !listed[c.Entry.JobID] {
			c.Kind, c.Cause, c.Reason = plan.KindBlocked, notListedCause, r.whyNotRemoved(*c.Entry)
		}
	}
}

const notListedCause = "to go, and not listed"

func (r *Run) whyNotRemoved(entry plan.Entry) string {
	const unseen = "could not be seen to go"
	if r.settled(entry) {
		return "the service does not list it, or not to these credentials, and it " + unseen + ": look at job " + entry.JobID + " in the console"
	}
	return fmt.Sprintf("it was created so lately that the service does not list it yet, and it %s: run again once it is listed, or after %s",
		unseen, clockTime(r.settlesAt(entry)))
}

// allListed are the ids of the jobs in the listings that were taken.
func (r *Run) allListed() map[string]bool {
	listed := map[string]bool{}
	for _, listing := range r.listings {
		for _, job := range listing.Jobs {
			listed[job.ID] = true
		}
	}
	return listed
}

// judgeLeaving looks whether a deleted job is gone. That it is still listed proves
// nothing until no copy of the request can take effect any more. Where no other job of
// ours can show that the listing hides nothing, the service is asked for it by its id.
func (r *Run) judgeLeaving(ctx context.Context, entry plan.Entry, v *view) (found, error) {
	still := found{to: entry.State}
	if v.listed[entry.JobID] {
		still.kept = r.tooOld(entry.Pending.SignedAt)
		if others := surplus(entry, entry.Attempt, v); still.kept && len(others) > 0 {
			return several(entry, others), nil // before this run replaces the one, and takes the others for old
		}
		return still, nil
	}
	canary, ok := v.canary(entry)
	if !v.listing.Agreed || !ok {
		return still, nil
	}
	if canary == noCanary {
		if _, err := r.service.Detail(ctx, entry.Region, entry.JobID); !refusedAsIs(err) {
			return still, err
		}
	}
	return found{
		to: plan.StateAbsent, reason: plan.ReasonDeleted, baseline: append(slices.Clone(entry.Baseline), entry.JobID),
		evidence: evidence{Kind: "deleted", Region: entry.Region, ServerTime: v.since, SignedAt: entry.Pending.SignedAt,
			Listed: len(v.listing.Jobs), Canary: canary}.JSON(),
	}, nil
}
