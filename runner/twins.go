package runner

import (
	"context"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
)

// holdTwins takes creates back of jobs that the service may list under another name: one
// that was renamed keeps its first name there, and a ledger that was lost or put back to
// an older state does not know that it is the same. Details are asked for only of listed
// jobs that no entry has, that no job of the plan is named as, and that agree as far as
// the listing tells.
func (r *Run) holdTwins(ctx context.Context, changes []plan.Change) error {
	var may []plan.Change
	for _, c := range changes {
		if c.MayCreate() && r.mayCreate(c) {
			may = append(may, c)
		}
	}
	twins := plan.FindTwins(r.plan, may, r.listings, r.owners)
	if len(twins) > 0 {
		if err := r.holdFound(ctx, changes, twins); err != nil {
			return err
		}
	}
	for i := range changes {
		if c := &changes[i]; c.Kind == plan.KindReplace && r.options.AllowReplace {
			c.Bar()
		}
	}
	return nil
}

func (r *Run) holdFound(ctx context.Context, changes []plan.Change, twins []plan.Twin) error {
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	if twins = plan.Unjudged(twins, snapshot); len(twins) == 0 {
		return nil
	}
	if err := r.describeTwins(ctx, twins); err != nil {
		return err
	}
	all := changes
	if !r.options.Choice.IsZero() { // one that is not meant now may be the one
		all = plan.Diff(r.plan, snapshot, r.listings, r.diffOptions())
	}
	r.unread = plan.HoldTwins(changes, all, twins, r.plan, r.diffOptions())
	return nil
}

// describeTwins asks for the details of each, once.
func (r *Run) describeTwins(ctx context.Context, twins []plan.Twin) error {
	var mu sync.Mutex
	progress := r.describing(len(twins))
	var group errgroup.Group
	group.SetLimit(r.options.Parallel)
	for i := range twins {
		t := &twins[i]
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			detail, err := r.service.Detail(ctx, t.Region, t.Job.ID)
			mu.Lock()
			defer mu.Unlock()
			progress()
			if err != nil {
				t.Err = fmt.Errorf("whether job %s is this one under another name cannot be read: %w", t.Job.ID, err)
				return ctx.Err()
			}
			t.Detail = &detail
			return nil
		})
	}
	return group.Wait()
}
