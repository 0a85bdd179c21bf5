package runner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// regionsAtOnce bounds how many regions are listed side by side.
const regionsAtOnce = 4

// Prepare brings the ledger up to what can be known without sending a create,
// and returns what is left to do, in plan order with left-overs last.
//
// It asks the service only about regions where something is to be created or
// resolved, or with Options.Refresh about all of the plan: there it takes one
// complete listing, settles unresolved creates by it, marks created jobs that are
// gone, and compares. Of jobs that left the plan it reads the details where they may be in
// the way (difference). A job that may be listed under another name is not created, and
// taken over with Options.Adopt where it is certain. What was sent lately and is
// neither on record nor listed is not created yet. If a listing cannot be completed it
// returns the error, since nothing may be created then.
func (r *Run) Prepare(ctx context.Context) ([]plan.Change, error) {
	changes, err := r.prepare(ctx)
	if err == nil {
		r.holdUnlisted(changes)
		err = r.holdTwins(ctx, changes)
	}
	if err == nil {
		err = r.holdSent(ctx, changes)
	}
	if err != nil {
		return nil, err
	}
	return changes, nil
}

func (r *Run) prepare(ctx context.Context) ([]plan.Change, error) {
	snapshot, err := r.snapshot(ctx)
	if err == nil && !r.looks {
		snapshot, err = r.move(ctx, snapshot)
	}
	if err != nil {
		return nil, err
	}
	mine := snapshot
	mine.Elsewhere = nil // what stands in the way may be settled by a look
	changes, err := r.diff(mine, nil)
	if err != nil {
		return nil, err
	}
	if err := r.readNewer(ctx, snapshot); err != nil {
		return nil, err
	}
	regions := r.regionsToAsk(changes)
	if len(regions) == 0 {
		return r.difference(ctx, snapshot)
	}
	if err := r.lookEverywhere(ctx, snapshot, regions); err != nil {
		return nil, err
	}
	if warning, _ := r.server.check(); warning != "" {
		r.options.Warn(warning)
	}
	if r.options.Refresh.Asks() {
		return r.compare(ctx, snapshot)
	}
	if snapshot, err = r.snapshot(ctx); err != nil {
		return nil, err
	}
	return r.difference(ctx, snapshot)
}

// diff compares, and returns the changes of the jobs that are meant. Those that
// stand in the way of a job count whether they are meant or not. Without listings
// it cannot tell who is meant by a status, and returns the changes of all.
func (r *Run) diff(ledger plan.Snapshot, listings map[string]plan.Listing) ([]plan.Change, error) {
	changes := plan.Diff(r.plan, ledger, listings, r.diffOptions())
	if listings == nil && r.options.Choice.AsksService() {
		return changes, nil
	}
	return r.options.Choice.Of(changes)
}

func (r *Run) diffOptions() plan.DiffOptions {
	return plan.DiffOptions{Adopt: r.options.Adopt, Delete: r.options.AllowDelete, Replace: r.options.AllowReplace, Owners: r.owners, Seen: r.seen, Left: r.left, Commands: r.options.Commands}
}

func (r *Run) snapshot(ctx context.Context) (plan.Snapshot, error) {
	snapshot, err := r.ledger.Snapshot(ctx, r.plan.Name)
	if err != nil {
		return plan.Snapshot{}, ledgerFailed("read the ledger", err)
	}
	return r.withSupposed(snapshot), nil
}

// move gives entries the names that the plan's moved says, and returns the
// snapshot with them.
func (r *Run) move(ctx context.Context, snapshot plan.Snapshot) (plan.Snapshot, error) {
	moves := plan.Moves(r.plan, snapshot)
	if len(moves) == 0 {
		return snapshot, nil
	}
	for to, entry := range moves {
		err := r.ledger.Move(context.WithoutCancel(ctx), entry, to, r.options.RunID, r.clock.Now())
		if err != nil && !errors.Is(err, plan.ErrMovedOn) {
			return snapshot, ledgerFailed(fmt.Sprintf("rename job %q to %q", entry.Name, to), err)
		}
	}
	r.options.Warn(fmt.Sprintf("%s renamed in the ledger, as moved says", plan.Count(len(moves), "job")))
	return r.snapshot(ctx)
}

// regionsToAsk lists, sorted, the regions in which the service must be asked.
func (r *Run) regionsToAsk(changes []plan.Change) []string {
	o, seen := r.options, map[string]bool{}
	for _, c := range changes {
		if s, newer := r.newerThan(c); newer {
			seen[s.Region] = true // what was sent since may be there
		}
		if c.State().Unresolved() {
			seen[c.Entry.Region] = true // where it was sent, whatever the plan says now
		}
		if c.Kind == plan.KindCreate || c.Kind == plan.KindAdopt {
			seen[c.Region()] = true
		}
		if c.AsksOfSame() {
			seen[c.Region()] = true
		}
		if c.Entry != nil && c.Entry.Pending.IsSet() && (c.IsChange() || !c.Entry.Pending.Confirmed) {
			seen[c.Entry.Region] = true // its answer's date tells the service's time
		}
		if c.Kind == plan.KindDelete || c.Kind == plan.KindReplace && o.AllowReplace {
			seen[c.Entry.Region] = true // what is to go must be there, and be seen to go
			seen[c.Region()] = true     // and what comes in its place must not be there
		}
		if o.Rollout.bounded() && (c.Kind == plan.KindUpdate || c.Kind == plan.KindStart) {
			seen[c.Entry.Region] = true // other jobs that are initialising count
		}
		if c.State() == plan.StateLost || c.State() == plan.StateCreated && o.Choice.AsksService() {
			seen[c.Entry.Region] = true // it may be back, or its status matters
		}
		if o.Refresh.Asks() {
			seen[c.Region()] = true
			if c.Entry != nil {
				seen[c.Entry.Region] = true
			}
		}
	}
	regions := make([]string, 0, len(seen))
	for region := range seen {
		regions = append(regions, region)
	}
	slices.Sort(regions)
	return regions
}

// lookEverywhere fills r.listings, r.owners and r.held, and settles what the
// listings prove.
func (r *Run) lookEverywhere(ctx context.Context, snapshot plan.Snapshot, regions []string) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(regionsAtOnce)
	var mu sync.Mutex
	for _, region := range regions {
		group.Go(func() error {
			v, held, err := r.look(ctx, region, entriesIn(snapshot, region))
			if err != nil {
				return err
			}
			mu.Lock()
			defer mu.Unlock()
			r.listings[region] = v.listing
			for _, entry := range v.live {
				r.owners[entry.JobID] = entry
			}
			for _, name := range held {
				r.held[name] = true
			}
			return nil
		})
	}
	return group.Wait()
}

// entriesIn are the entries that a listing of region may settle: those of the plan
// and, since they may stand in its way, the open ones of others.
func entriesIn(snapshot plan.Snapshot, region string) []plan.Entry {
	var entries []plan.Entry
	for _, entry := range snapshot.Entries {
		if entry.Region == region {
			entries = append(entries, entry)
		}
	}
	slices.SortFunc(entries, func(a, b plan.Entry) int { return cmp.Compare(a.Name, b.Name) })
	for _, entry := range snapshot.Elsewhere {
		if entry.Region == region {
			entries = append(entries, entry)
		}
	}
	return entries
}

// look takes a complete listing of one region, a second agreeing scan only if
// something might be proven absent by it, and records what it shows about
// entries. held names those that wait for a person only.
func (r *Run) look(ctx context.Context, region string, entries []plan.Entry) (v *view, held []string, err error) {
	if v, err = r.view(ctx, region, false); err != nil {
		return nil, nil, err
	}
	if r.wantsProof(entries, v) {
		if v, err = r.view(ctx, region, true); err != nil {
			return nil, nil, err
		}
	}
	became := map[news]int{}
	for _, entry := range entries {
		f, err := r.settleBy(ctx, entry, v)
		if err != nil {
			return nil, nil, err
		}
		if f.held && entry.Plan == r.plan.Name {
			held = append(held, entry.Name)
		}
		if f.to != entry.State {
			became[news{f.to, entry.State == plan.StateLost, isLeaving(entry)}]++
		}
	}
	r.sayBecame(region, became)
	return v, held, nil
}

// news is what sayBecame counts.
type news struct {
	to   plan.State
	back bool // it was lost
	left bool // its deletion was sent
}

// sayBecame tells what a look settled that an earlier run had left open.
func (r *Run) sayBecame(region string, became map[news]int) {
	for _, line := range []struct {
		news news
		text string
	}{
		{news{to: plan.StateCreated}, "an earlier run left without an answer: found on the service"},
		{news{to: plan.StateAbsent}, "an earlier run left without an answer: proven not to have happened"},
		{news{to: plan.StateConflict}, "an earlier run left without an answer: not as the plan said; a person has to look"},
		{news{to: plan.StateDuplicate}, "the service has more than once; a person has to look"},
		{news{to: plan.StateLost}, "the ledger has as created: gone from the service; a person has to look"},
		{news{to: plan.StateCreated, back: true}, "the ledger had as lost: listed again"},
		{news{to: plan.StateAbsent, left: true}, "an earlier run left with its deletion sent: gone from the service"},
	} {
		if n := became[line.news]; n > 0 {
			r.options.Warn(fmt.Sprintf("%s: %s that %s", region, plan.Count(n, "job"), line.text))
		}
	}
}

// wantsProof reports whether an entry is missing from the view that a second
// scan could prove absent or lost.
func (r *Run) wantsProof(entries []plan.Entry, v *view) bool {
	return slices.ContainsFunc(entries, func(e plan.Entry) bool {
		switch {
		case e.State.Unresolved():
			return len(newcomers(e, v.named[e.Name], v.taken)) == 0 && r.settled(e)
		case e.State == plan.StateCreated:
			return !v.listed[e.JobID] && (r.settled(e) || isLeaving(e))
		}
		return false
	})
}

// settleBy records what a complete view shows about one entry and returns it.
// found.to is the entry's own state, or unknown, when it shows nothing new.
func (r *Run) settleBy(ctx context.Context, entry plan.Entry, v *view) (found, error) {
	f, err := r.judge(ctx, entry, v)
	if err != nil {
		return found{}, err
	}
	return f, r.record(ctx, entry, f)
}

func (r *Run) judge(ctx context.Context, entry plan.Entry, v *view) (found, error) {
	switch {
	case entry.State == plan.StateIntent && mutant.On(mutant.DeadIntentNotSent):
		return found{to: plan.StateNotSent, reason: "left by a dead run"}, nil
	case entry.State.Unresolved():
		f, err := r.presence(ctx, entry, v.named[entry.Name], v.taken)
		if err != nil || f.to != plan.StateUnknown {
			return f, err
		}
		return r.absence(entry, v), nil
	case entry.State == plan.StateAbsent:
		return r.judgeAbsent(ctx, entry, v)
	case isLeaving(entry):
		return r.judgeLeaving(ctx, entry, v)
	case entry.State == plan.StateCreated:
		return r.judgeCreated(entry, v), nil
	case entry.State == plan.StateLost && v.listed[entry.JobID]:
		return found{
			to: plan.StateCreated, jobID: entry.JobID, reason: "listed again",
			evidence: evidence{Kind: "found", Region: entry.Region}.JSON(),
		}, nil
	}
	return found{to: entry.State}, nil
}

// judgeAbsent looks for what refutes a certificate: a listing that lagged more
// than is assumed shows the attempt's job after all. Without this, a job that
// left the plan meanwhile would stay unseen. What is not as the only attempt said is
// somebody else's, and a matter of the difference with the plan; an earlier attempt
// may have said something else than the last one.
func (r *Run) judgeAbsent(ctx context.Context, entry plan.Entry, v *view) (found, error) {
	f, err := r.presence(ctx, entry, v.named[entry.Name], v.taken)
	if err != nil || f.to == plan.StateCreated || f.to == plan.StateDuplicate || f.to == plan.StateConflict && entry.Attempt > 1 {
		return f, err
	}
	return found{to: entry.State}, nil
}

// judgeCreated looks for what must not stay unseen about a job that the ledger
// has as created.
func (r *Run) judgeCreated(entry plan.Entry, v *view) found {
	attempts, lately := entry.Attempt, false
	if s, newer := r.newer[entry.Name]; newer && r.speaksFor(entry.Plan) {
		attempts, lately = max(attempts, s.Attempt), r.sentLately(s)
	}
	if others := surplus(entry, attempts, v); len(others) > 0 {
		return several(entry, others)
	}
	if !v.listed[entry.JobID] && !lately { // or the one that was made since is to come
		// Without another job of ours in sight, the listing may as well hide all.
		if proof, missing := r.certify(entry, v); missing == "" && proof.Canary != noCanary {
			return found{
				to: plan.StateLost, jobID: entry.JobID,
				reason: "gone from two complete listings", evidence: proof.JSON(),
			}
		}
	}
	return found{to: entry.State}
}

// several is what is found where others beside entry's job may come from its create.
func several(entry plan.Entry, others []string) found {
	return found{
		to: plan.StateDuplicate, candidates: append([]string{entry.JobID}, others...),
		reason: "another job of this name is listed that may come from a create of ours",
	}
}

// surplus lists jobs beside a created one that the same create may have made: by
// a request that something on the way sent twice, or before its absence was
// proven from a listing that lags more than is assumed. An earlier attempt may
// have said something else than the last one.
func surplus(entry plan.Entry, attempts int, v *view) []string {
	var ids []string
	for _, job := range newcomers(entry, v.named[entry.Name], v.taken) {
		if attempts > 1 || len(plan.DisagreeListed(entry.Spec, job)) == 0 {
			ids = append(ids, job.ID)
		}
	}
	return ids
}
