package runner

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// view is one complete listing of a region, indexed, beside the jobs that the
// ledger knows to be live there. Looks at single entries cost no walk.
type view struct {
	listing plan.Listing
	since   time.Time // from when on the listing is true, see serverClock.earliest
	named   map[string][]plan.RemoteJob
	listed  map[string]bool // by job id
	live    []plan.Entry    // lost ones included, see canary
	taken   map[string]bool // job ids that belong to entries of the ledger
}

func newView(listing plan.Listing, live []plan.Entry) *view {
	v := &view{
		listing: listing, live: live,
		named:  make(map[string][]plan.RemoteJob, len(listing.Jobs)),
		listed: make(map[string]bool, len(listing.Jobs)),
		taken:  make(map[string]bool, len(live)),
	}
	for _, job := range listing.Jobs {
		v.named[listedName(job.Name)] = append(v.named[listedName(job.Name)], job)
		v.listed[job.ID] = true
	}
	for _, entry := range live {
		v.taken[entry.JobID] = true
	}
	return v
}

// noCanary stands in evidence for "the ledger held no job that could serve".
const noCanary = "none"

// canary looks for a job of ours, other than entry's, that the listing
// shows, and returns its id, or "none" when the ledger holds no job that could
// serve. A credential that hides one cluster hides all its jobs, and a job of
// the same source shows nothing about the destination: each of the two needs a
// witness of its own, as far as the ledger has one. Where it has none for
// either, any job of the region will do. ok is false when there are such jobs
// and the listing shows none of them. A lost job counts: until a person says
// otherwise, it may be hidden as well as gone. So does one whose deletion was
// sent, unless entry is such a one too: of jobs that are deleted together, none
// would ever be seen to go.
func (v *view) canary(entry plan.Entry) (id string, ok bool) {
	id = noCanary
	for _, eligible := range []func(plan.Entry) bool{
		func(e plan.Entry) bool { return e.Spec.Source.Instance == entry.Spec.Source.Instance },
		func(e plan.Entry) bool { return e.Spec.Destination.Instance == entry.Spec.Destination.Instance },
		func(plan.Entry) bool { return id == noCanary },
	} {
		shown, hidden := v.shows(entry, eligible)
		if hidden && !mutant.On(mutant.NoCanary) {
			return "", false
		}
		if shown != "" {
			id = shown
		}
	}
	return id, true
}

// shows returns the id of a listed job among the eligible ones other than
// entry's, or whether there are such jobs and none of them is listed.
func (v *view) shows(entry plan.Entry, eligible func(plan.Entry) bool) (id string, hidden bool) {
	for _, e := range v.live {
		if !eligible(e) || (e.Plan == entry.Plan && e.Name == entry.Name) {
			continue
		}
		if v.listed[e.JobID] {
			return e.JobID, false
		}
		hidden = hidden || !(isLeaving(entry) && isLeaving(e))
	}
	return "", hidden
}

// view takes a complete listing of one region and pairs it with the ledger.
func (r *Run) view(ctx context.Context, region string, agree bool) (*view, error) {
	// The ids that are taken are read first: a job that another run of this
	// ledger creates in between is then at worst listed and not yet known.
	live, err := r.ledger.Live(ctx, region)
	if err != nil {
		return nil, ledgerFailed("read the ledger", err)
	}
	asked := r.server.earliest()
	listing, err := r.service.List(ctx, region, agree)
	if err != nil {
		return nil, err
	}
	crashpoint.At(crashpoint.ListingTaken)
	r.server.observe(listing.ServerEnd)
	if _, err := r.server.check(); err != nil {
		return nil, err // before anything is concluded from it
	}
	v := newView(listing, live)
	if agree {
		// A job that another process recorded meanwhile must be listed too. One
		// that is too new for it costs a proof, at worst.
		if v.live, err = r.ledger.Live(ctx, region); err != nil {
			return nil, ledgerFailed("read the ledger", err)
		}
	}
	if v.since = asked; !listing.ServerStart.IsZero() && listing.ServerStart.Before(asked) {
		v.since = listing.ServerStart
	}
	return v, nil
}
