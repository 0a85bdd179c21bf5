package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/apsctl/apsctl/plan"
)

// PrepareByHand is Prepare for jobs of any plans that a person wants started
// (plan.KindStart), suspended or deleted: it takes a complete listing of each
// region in which one of entries may have a job, records what that proves, and
// returns one change per entry, in order, for Apply. The run's own plan is not
// looked at and may be empty.
func (r *Run) PrepareByHand(ctx context.Context, kind plan.Kind, entries []plan.Entry) ([]plan.Change, error) {
	byRegion := map[string][]plan.Entry{}
	for _, entry := range entries {
		if entry.JobID != "" || open(entry) {
			byRegion[entry.Region] = append(byRegion[entry.Region], entry)
		}
	}
	for _, region := range slices.Sorted(maps.Keys(byRegion)) {
		v, _, err := r.look(ctx, region, byRegion[region])
		if err != nil {
			return nil, err
		}
		r.listings[region] = v.listing
	}
	if warning, _ := r.server.check(); warning != "" {
		r.options.Warn(warning)
	}
	entries, err := r.asNow(ctx, entries)
	if err != nil {
		return nil, err
	}
	changes := plan.ByHand(kind, entries, r.listings, r.options.Commands)
	r.holdUnlisted(changes)
	return changes, nil
}

// asNow returns entries as the ledger has them now.
func (r *Run) asNow(ctx context.Context, entries []plan.Entry) ([]plan.Entry, error) {
	snapshots := map[string]plan.Snapshot{}
	now := make([]plan.Entry, len(entries))
	for i, entry := range entries {
		snapshot, ok := snapshots[entry.Plan]
		if !ok {
			var err error
			if snapshot, err = r.ledger.Snapshot(ctx, entry.Plan); err != nil {
				return nil, ledgerFailed("read the ledger", err)
			}
			snapshots[entry.Plan] = snapshot
		}
		now[i] = snapshot.Entries[entry.Name]
	}
	return now, nil
}
