package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/apsctl/apsctl/plan"
)

// difference is the last one that Prepare takes, by all that it learned. It asks besides
// for the details of what left the plan and may be in the way of a job.
func (r *Run) difference(ctx context.Context, snapshot plan.Snapshot) ([]plan.Change, error) {
	for {
		changes, err := r.diff(snapshot, r.listings)
		if err != nil || r.options.Refresh.Drifts() {
			return changes, err
		}
		all := changes
		if !r.options.Choice.IsZero() { // one that is not meant is in the way all the same
			all = plan.Diff(r.plan, snapshot, r.listings, r.diffOptions())
		}
		left := plan.InTheWay(changes, all, r.diffOptions())
		if len(left) == 0 {
			return changes, nil
		}
		if err := r.describeLeft(ctx, left); err != nil {
			return nil, err
		}
	}
}

// describeLeft asks for the details of jobs that left the plan, and warns of those whose
// objects the service does not tell.
func (r *Run) describeLeft(ctx context.Context, left []plan.Entry) error {
	jobs, final := make([]jobAt, len(left)), make([]bool, len(left))
	for i, entry := range left {
		jobs[i], final[i] = jobAt{entry.Region, entry.JobID}, r.tooOld(entry.Pending.SignedAt)
	}
	var untold []string
	err := r.details(ctx, jobs, func(i int, detail plan.RemoteDetail, err error) error {
		switch {
		case err == nil:
			r.left[jobs[i].id] = plan.Shown{Detail: &detail, Final: final[i]}
			if detail.DBList == "" {
				untold = append(untold, fmt.Sprintf("%s (%s)", jobs[i].id, left[i].Name))
			}
		case refusedAsIs(err) && r.settled(left[i]) && r.isUnlisted(left[i]):
			r.left[jobs[i].id] = plan.Shown{} // the service should know of it by now, and does not
		default:
			r.left[jobs[i].id] = plan.Shown{Err: err}
		}
		return ctx.Err()
	})
	if len(untold) > 0 {
		r.options.Warn(fmt.Sprintf("what a job that left the plan synchronises is not told by the service: %s. The ledger's word is taken for it", firstOf(untold)))
	}
	return err
}

// isUnlisted reports whether the listing of its region does not show a job.
func (r *Run) isUnlisted(entry plan.Entry) bool {
	listing, ok := r.listings[entry.Region]
	return ok && !slices.ContainsFunc(listing.Jobs, func(job plan.RemoteJob) bool { return job.ID == entry.JobID })
}
