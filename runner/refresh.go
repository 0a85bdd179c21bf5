package runner

import (
	"context"
	"fmt"

	"github.com/apsctl/apsctl/plan"
)

// see holds the listings against the entries that were created before they were
// taken. One that moved on since, or of which a change is under way, is not judged
// by them: what is listed may be from before or from after.
func (r *Run) see(before, now plan.Snapshot) map[string]plan.Seen {
	listed := map[string]plan.RemoteJob{}
	for _, listing := range r.listings {
		for _, job := range listing.Jobs {
			listed[job.ID] = job
		}
	}
	seen := map[string]plan.Seen{}
	for name, entry := range now.Entries {
		if _, looked := r.listings[entry.Region]; !looked || !steady(before.Entries[name], entry) {
			continue
		}
		s := plan.Seen{New: !r.settled(entry)}
		if job, ok := listed[entry.JobID]; ok {
			s.Job = &job
		}
		seen[entry.JobID] = s
	}
	return seen
}

// steady reports whether an entry has been created all along, with nothing under way.
func steady(before, now plan.Entry) bool {
	return now.State == plan.StateCreated && (!now.Pending.IsSet() || now.Pending.Confirmed) &&
		before.State == now.State && before.Attempt == now.Attempt && before.JobID == now.JobID &&
		before.Digest == now.Digest && before.Pending == now.Pending && before.Doing == now.Doing
}

// describe asks for the details of the jobs of changes and adds them to r.seen. A job
// that is listed and of which the service does not tell is counted in r.untold; any
// other failure ends it, and what was asked for until then stays there.
func (r *Run) describe(ctx context.Context, changes []plan.Change) error {
	jobs := make([]jobAt, len(changes))
	for i, c := range changes {
		jobs[i] = jobAt{c.Entry.Region, c.Entry.JobID}
	}
	return r.details(ctx, jobs, func(i int, detail plan.RemoteDetail, err error) error {
		id := jobs[i].id
		switch {
		case refusedAsIs(err):
			r.untold = append(r.untold, id)
			return nil
		case err != nil:
			return err
		}
		s := r.seen[id]
		s.Detail = &detail
		r.seen[id] = s
		return nil
	})
}

// compare refreshes what is known of existing jobs and returns the difference. It
// records nothing but which jobs were compared.
func (r *Run) compare(ctx context.Context, before plan.Snapshot) ([]plan.Change, error) {
	now, err := r.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if !r.looks {
		before = now // nobody else holds the lock: what moved since the listing was moved by it
	}
	r.seen = r.see(before, now)
	changes, err := r.diff(now, r.listings)
	if err != nil {
		return nil, err
	}
	failed := r.describe(ctx, r.options.Refresh.Describe(changes))
	if now, err = r.snapshot(context.WithoutCancel(ctx)); err != nil {
		return nil, err
	}
	for name, entry := range now.Entries {
		if !steady(before.Entries[name], entry) {
			delete(r.seen, entry.JobID)
		}
	}
	if changes, err = r.difference(ctx, now); err == nil {
		err = r.noteCompared(ctx, changes)
	}
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, failed
	case len(r.untold) > 0:
		r.options.Warn(fmt.Sprintf("%s that the service lists and tells no details of: compared by the listing alone", plan.Count(len(r.untold), "job")))
	}
	return changes, nil
}

// noteCompared keeps what comparing details came to, and records it unless this is
// a look only.
func (r *Run) noteCompared(ctx context.Context, changes []plan.Change) error {
	for _, c := range changes {
		if c.Seen != nil && c.Seen.Detail != nil {
			r.compared = append(r.compared, c.Compared(r.clock.Now()))
		}
	}
	if r.looks {
		return nil
	}
	if err := r.ledger.Compared(context.WithoutCancel(ctx), r.plan.Name, r.compared); err != nil {
		return ledgerFailed("note what was compared", err)
	}
	return nil
}

// Compared are the comparisons that Prepare made, also when it failed. One that
// only looks leaves it to its caller to record them.
func (r *Run) Compared() []plan.Comparison { return r.compared }

// Untold are the ids of listed jobs whose details the service did not tell.
func (r *Run) Untold() []string { return r.untold }

// Owners are the entries of all plans that have a job in the regions that Prepare
// listed, by its id.
func (r *Run) Owners() map[string]plan.Entry { return r.owners }

// Listings are the complete listings that Prepare took, by region.
func (r *Run) Listings() map[string]plan.Listing { return r.listings }
