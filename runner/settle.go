package runner

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
)

// Resolver settles what runs have left open, of any plan and also of plans that
// are gone, without ever creating a job. It follows the rules by which a run
// starts. Use it for one command; it is not safe for concurrent use.
type Resolver struct {
	run *Run
	// listings are the regions that were looked at.
	listings map[string]plan.Listing
}

// NewResolver joins the parts of a resolver. Of o it uses RunID, Commands, Settle and
// OnUnknown: these two are the word of the plan named planName, "" for no plan, about its
// own jobs. Others are held to what they were sent with too.
func NewResolver(planName string, ledger Ledger, service Service, clock Clock, o Options) *Resolver {
	return &Resolver{
		run:      New(&plan.Plan{Name: planName}, ledger, service, nil, nil, clock, o),
		listings: map[string]plan.Listing{},
	}
}

// Settlement is what a look says about one entry.
type Settlement struct {
	// Before and After are the entry as it was and as the ledger has it now.
	Before, After plan.Entry
	// Found says in one line what the look showed, "" when that is nothing new.
	Found string
	// SettlesAt is set while the entry is unresolved: the moment, by the
	// service's clock, from which absence can be proven.
	SettlesAt time.Time
	// Due says that this moment has come, and the entry is unresolved all the
	// same: Found says what is missing for a proof.
	Due bool
	// Held says that it is proven absent and stays unknown all the same, as
	// Options.OnUnknown says: a person lets it go.
	Held bool
	// Listed are the jobs that the service lists under the entry's name.
	Listed []plan.RemoteJob
}

// Open reports whether the entry still waits, for a later look or for a person.
func (s Settlement) Open() bool { return open(s.After) }

func open(e plan.Entry) bool { return e.State.Unresolved() || e.State.NeedsPerson() }

// Look takes one complete listing of each region in which something of entries
// is open, and records what it proves. It returns one Settlement for each entry
// that was open or changed its state, by plan and name, and asks the service
// nothing when nothing is open. An error means that a listing could not be
// completed or recorded; what was settled before it stays settled.
func (r *Resolver) Look(ctx context.Context, entries []plan.Entry) ([]Settlement, error) {
	byRegion, regions := map[string][]plan.Entry{}, map[string]bool{}
	for _, entry := range entries {
		byRegion[entry.Region] = append(byRegion[entry.Region], entry)
		if open(entry) {
			regions[entry.Region] = true
		}
	}
	var mu sync.Mutex
	var all []Settlement
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(regionsAtOnce)
	for region := range regions {
		group.Go(func() error {
			listing, settlements, err := r.lookIn(groupCtx, region, byRegion[region])
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				r.listings[region] = listing
				all = append(all, settlements...)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return r.reread(ctx, all)
}

func (r *Resolver) lookIn(ctx context.Context, region string, entries []plan.Entry) (plan.Listing, []Settlement, error) {
	v, err := r.run.view(ctx, region, false)
	if err == nil && r.run.wantsProof(entries, v) {
		v, err = r.run.view(ctx, region, true)
	}
	if err != nil {
		return plan.Listing{}, nil, err
	}
	settlements := make([]Settlement, len(entries))
	for i, entry := range entries {
		f, err := r.run.settleBy(ctx, entry, v)
		if err != nil {
			return plan.Listing{}, nil, err
		}
		settlements[i] = Settlement{Before: entry, Found: wordsFor(entry, f), Listed: v.named[entry.Spec.Name], Held: f.held}
	}
	return v.listing, settlements, nil
}

// wordsFor says what a look showed about an entry.
func wordsFor(entry plan.Entry, f found) string {
	if f.to == plan.StateCreated && entry.State != plan.StateCreated {
		return "found on the service"
	}
	return f.reason
}

// reread fills in how the ledger has each entry now, and drops what was not open
// and has not changed.
func (r *Resolver) reread(ctx context.Context, all []Settlement) ([]Settlement, error) {
	snapshots := map[string]plan.Snapshot{}
	var kept []Settlement
	for _, s := range all {
		snapshot, ok := snapshots[s.Before.Plan]
		if !ok {
			var err error
			if snapshot, err = r.run.ledger.Snapshot(ctx, s.Before.Plan); err != nil {
				return nil, ledgerFailed("read the ledger", err)
			}
			snapshots[s.Before.Plan] = snapshot
		}
		s.After = snapshot.Entries[s.Before.Name]
		if s.After.State.Unresolved() {
			s.SettlesAt, s.Due = r.run.settlesAt(s.After), r.run.settled(s.After)
		}
		if open(s.Before) || s.After.State != s.Before.State {
			kept = append(kept, s)
		}
	}
	slices.SortFunc(kept, func(a, b Settlement) int {
		return cmp.Or(cmp.Compare(a.Before.Plan, b.Before.Plan), cmp.Compare(a.Before.Name, b.Before.Name))
	})
	return kept, nil
}

// Looked returns the listings that were taken, by region.
func (r *Resolver) Looked() []plan.Listing {
	looked := make([]plan.Listing, 0, len(r.listings))
	for _, listing := range r.listings {
		looked = append(looked, listing)
	}
	slices.SortFunc(looked, func(a, b plan.Listing) int { return cmp.Compare(a.Region, b.Region) })
	return looked
}

// view pairs the listing of a region, taken now unless it was before, with the
// ledger as it is now.
func (r *Resolver) view(ctx context.Context, region string) (*view, error) {
	listing, ok := r.listings[region]
	if !ok {
		v, err := r.run.view(ctx, region, false)
		if err != nil {
			return nil, err
		}
		r.listings[region] = v.listing
		return v, nil
	}
	live, err := r.run.ledger.Live(ctx, region)
	if err != nil {
		return nil, ledgerFailed("read the ledger", err)
	}
	return newView(listing, live), nil
}
