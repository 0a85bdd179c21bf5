package runner

import (
	"context"
	"fmt"
	"slices"

	"github.com/apsctl/apsctl/plan"
)

// holdTwins takes creates back of jobs that the service may list under another name: one
// that was renamed keeps its first name there, and a ledger that was lost or put back to
// an older state does not know that it is the same. Details are asked for only of listed
// jobs that no entry has and that agree as far as the listing tells.
func (r *Run) holdTwins(ctx context.Context, changes []plan.Change) error {
	var may []plan.Change
	for _, c := range changes {
		if c.MayCreate() && r.mayCreate(c) {
			may = append(may, c)
		}
	}
	twins := plan.FindTwins(r.plan, may, r.listings, r.owners)
	if len(twins) == 0 {
		return nil
	}
	return r.holdFound(ctx, changes, twins)
}

func (r *Run) holdFound(ctx context.Context, changes []plan.Change, twins []plan.Twin) error {
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	if twins, err = r.unowned(ctx, plan.Unjudged(twins, snapshot)); err != nil || len(twins) == 0 {
		return err
	}
	if err := r.describeTwins(ctx, twins); err != nil {
		return err
	}
	twins = r.told(twins)
	all := changes
	if !r.options.Choice.IsZero() { // one that is not meant now may be the one
		all = plan.Diff(r.plan, snapshot, r.listings, r.diffOptions())
	}
	r.unread = plan.HoldTwins(changes, all, twins, r.plan, r.diffOptions())
	return nil
}

// unowned leaves those out of twins that an entry of any plan has by now: a look may have
// found their creates.
func (r *Run) unowned(ctx context.Context, twins []plan.Twin) ([]plan.Twin, error) {
	regions := map[string]bool{}
	for _, t := range twins {
		regions[t.Region] = true
	}
	for region := range regions {
		live, err := r.ledger.Live(ctx, region)
		if err != nil {
			return nil, ledgerFailed("read the ledger", err)
		}
		for _, entry := range live {
			r.owners[entry.JobID] = entry
		}
	}
	return slices.DeleteFunc(twins, func(t plan.Twin) bool {
		_, owned := r.owners[t.Job.ID]
		return owned
	}), nil
}

// told leaves those out of twins whose objects the service does not tell: they may be for
// the same as any job of their source and destination, or for nothing of the plan. A
// person is told of them.
func (r *Run) told(twins []plan.Twin) []plan.Twin {
	var untold []string
	told := slices.DeleteFunc(twins, func(t plan.Twin) bool {
		if t.Detail == nil || t.Detail.DBList != "" {
			return false
		}
		untold = append(untold, fmt.Sprintf("%s (%s)", t.Job.ID, t.Job.Name))
		return true
	})
	if len(untold) > 0 {
		r.options.Warn(fmt.Sprintf("what a listed job of the same source and destination synchronises is not told by the service: %s. "+
			"If one of them is a job of the plan under another name, name that job as the service has it, and use apply --adopt", firstOf(untold)))
	}
	return told
}

// describeTwins asks for the details of each, once.
func (r *Run) describeTwins(ctx context.Context, twins []plan.Twin) error {
	jobs := make([]jobAt, len(twins))
	for i, t := range twins {
		jobs[i] = jobAt{t.Region, t.Job.ID}
	}
	return r.details(ctx, jobs, func(i int, detail plan.RemoteDetail, err error) error {
		if err != nil {
			twins[i].Err = fmt.Errorf("whether job %s is this one under another name cannot be read: %w", jobs[i].id, err)
			return ctx.Err()
		}
		twins[i].Detail = &detail
		return nil
	})
}
