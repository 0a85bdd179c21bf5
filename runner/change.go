package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

var errStoodStill = errors.New("not sent: this process stood still after the request was dated")

// change promises one request, sends it, and takes the promise back where the
// request is proven to have come to nothing. It returns what is pending then.
func (r *Run) change(ctx, stop context.Context, entry plan.Entry, request plan.ChangeRequest, pending, before plan.Pending) (plan.Pending, error) {
	if err := r.governor.Wait(stop, string(request.Operation), request.Region); err != nil {
		return before, err
	}
	chosenAt := r.clock.Boot()
	request.SignedAt = laterThan(before, r.clock.Now().UTC().Truncate(time.Second))
	pending.SignedAt = request.SignedAt
	if pending.Digest == "" {
		pending.Digest = before.Digest // whatever comes of this, the objects may be others
	}
	if err := r.promise(ctx, entry, before, pending, string(request.Operation)+" is sent"); err != nil {
		return before, err
	}
	crashpoint.At(crashpoint.PromiseCommitted)
	err := errStoodStill
	if r.clock.Boot()-chosenAt <= stoodStill {
		err = r.service.Change(ctx, request)
		crashpoint.At(crashpoint.ChangeAnswered)
	}
	call := callOf(err)
	if undone := err == errStoodStill || call != nil && (call.Undone || mutant.On(mutant.ChangeAssumed)); !undone {
		return pending, err
	}
	if back := r.promise(ctx, entry, pending, before, string(request.Operation)+" did not take effect"); back != nil {
		return pending, back
	}
	return before, err
}

// laterThan is the date of a promise that takes the place of another. The ledger
// tells promises of a job apart by operation and date, which is whole seconds: one
// of another process that is as old would be taken for this one, and what that
// process records of its request would take this promise away while the request is
// under way. So it is dated a second after the other, which no gateway minds. If
// the other's date is farther ahead, the clock was put back, and now stands.
func laterThan(before plan.Pending, now time.Time) time.Time {
	if ahead := before.SignedAt.Sub(now); before.IsSet() && ahead >= 0 && ahead < freshFor {
		return before.SignedAt.Add(time.Second)
	}
	return now
}

func (r *Run) promise(ctx context.Context, entry plan.Entry, before, pending plan.Pending, reason string) error {
	if mutant.On(mutant.NoPromise) {
		return nil
	}
	err := r.ledger.Promise(verdictContext(ctx), plan.Promise{
		Plan: entry.Plan, Name: entry.Name, Attempt: entry.Attempt, JobID: entry.JobID,
		Before: before, Pending: pending, Reason: reason, RunID: r.options.RunID, At: r.clock.Now(),
	})
	if err != nil && !errors.Is(err, plan.ErrMovedOn) {
		return ledgerFailed(fmt.Sprintf("record the change of job %q", entry.Name), err)
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

// modification is what stays on record of a change of the objects, pending or in whose
// place pending stands, until somebody compares: also when it is too old to take effect,
// since it may have done so.
func (r *Run) modification(pending plan.Pending) plan.Pending {
	if pending = pending.Modification(); pending.Confirmed {
		return r.alive(pending)
	}
	return pending
}

// tooOld reports whether no copy of a request of that date can take effect any
// more.
func (r *Run) tooOld(signedAt time.Time) bool {
	return !r.server.earliest().Before(signedAt.Add(r.options.Settle))
}
