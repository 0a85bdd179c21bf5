package runner

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// HeldJob is a job of a plan of which a create was sent lately that no entry of the plan
// accounts for.
type HeldJob struct {
	Name, Region string // as the plan has it
	// Sent may have another name, which the job had before, and be of another plan.
	Sent plan.Sent
	// Alike says that the plan does not say that the job had that name: it is for the same.
	Alike bool
	Until time.Time // when it is listed, if it is there
	// Older is the entry of the job where it is created, by a ledger that is older than what
	// was sent; Elsewhere that of another plan which has, or may have, the job of that name.
	// Both are mostly nil.
	Older, Elsewhere *plan.Entry
}

// HeldBack returns the jobs of p that a run of it holds back for what was sent lately, in
// plan order. It goes by the rules of Prepare, but asks nothing of the service: a run may
// find the job listed, and block or adopt it. Nor does it have the service's time. What
// an entry of p has as open is not among them. Of o it uses Settle and AllowReplace. It
// changes nothing.
func HeldBack(ctx context.Context, p *plan.Plan, ledger Ledger, clock Clock, o Options) ([]HeldJob, error) {
	o.Warn = nil // the run says it
	r := New(p, ledger, nil, nil, nil, clock, o)
	r.server.observe(clock.Now())
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	mine := snapshot
	mine.Elsewhere = nil // see HeldJob.Elsewhere
	changes := plan.Diff(p, mine, nil, r.diffOptions())
	if err := r.readNewer(ctx, snapshot); err != nil {
		return nil, err
	}
	if err := r.holdSent(ctx, changes); err != nil {
		return nil, err
	}
	var held []HeldJob
	before := p.NamesBefore()
	for _, c := range changes {
		if s, ok := r.unrecorded[c.Name]; ok && c.Cause == heldBackCause {
			h := HeldJob{Name: c.Name, Region: s.Region, Sent: s, Until: r.heldUntil(s)}
			if isOlder(c.Entry, s) {
				h.Older = c.Entry
			}
			h.Alike = h.Older == nil && s.Name != c.Name && s.Name != before[c.Name]
			held = append(held, h)
		}
	}
	return held, r.findElsewhere(ctx, held, snapshot)
}

// findElsewhere fills in the entries of other plans.
func (r *Run) findElsewhere(ctx context.Context, held []HeldJob, snapshot plan.Snapshot) error {
	named := map[[2]string]plan.Entry{} // by region and the name that the service has
	note := func(entries []plan.Entry) {
		for _, e := range entries {
			if e.Plan != r.plan.Name {
				named[[2]string{e.Region, e.Spec.Name}] = e
			}
		}
	}
	asked := map[string]bool{}
	for i := range held {
		h := &held[i]
		if h.Sent.Plan == r.plan.Name {
			continue
		}
		if !asked[h.Region] {
			live, err := r.ledger.Live(ctx, h.Region)
			if err != nil {
				return ledgerFailed("read the ledger", err)
			}
			note(live)
			note(snapshot.Elsewhere)
			asked[h.Region] = true
		}
		if e, ok := named[[2]string{h.Region, h.Sent.Name}]; ok {
			h.Elsewhere = &e
		}
	}
	return nil
}
