package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
)

const (
	lookFirst = time.Second // after an answer was lost
	lookPause = 30 * time.Second
	// namesMax is how many names are looked up one by one; for more, one listing
	// of the region costs less.
	namesMax = 4
	// LookFor is how long a run goes on looking for a create that it cannot wait
	// to prove absent, also past Options.MaxElapsed: most are found by then.
	LookFor = 15 * time.Second
)

// regionLook gathers the unresolved creates of one region, so that one look
// serves them all. Waiting for it holds no worker.
type regionLook struct {
	waiting []*task
	at      time.Time // of the next look
	pause   time.Duration
	running bool
}

// await has a task looked for until it is settled, or this run's patience with
// it ends.
func (s *scheduler) await(t *task) {
	now := time.Now()
	s.unresolved++
	settles := s.run.settlesHere(t.entry)
	t.result.SettlesAt = s.run.settlesAt(t.entry)
	t.lookUntil = now.Add(LookFor)
	if limit := t.since.Add(s.run.options.MaxElapsed); !s.run.holds(t.entry) && settles.Before(limit) {
		t.lookUntil = limit
	}
	s.tellWait(t, 0, t.result.SettlesAt)
	s.lookFor(t, now)
}

// lookFor has the next look of the task's region look for it too.
func (s *scheduler) lookFor(t *task, now time.Time) {
	look := s.looks[t.entry.Region]
	if look == nil {
		look = &regionLook{}
		s.looks[t.entry.Region] = look
	}
	look.waiting = append(look.waiting, t)
	if !look.running {
		look.pause = lookFirst
		look.at = s.nextLook(look, now)
	}
}

// nextLook is after the pause, or when the next task can be proven absent.
func (s *scheduler) nextLook(look *regionLook, now time.Time) time.Time {
	at := now.Add(look.pause)
	for _, t := range look.waiting {
		if settles := s.run.settlesHere(t.entry); settles.After(now) && settles.Before(at) {
			at = settles
		}
	}
	return at
}

func (s *scheduler) awaiting() bool {
	for _, look := range s.looks {
		if len(look.waiting) > 0 {
			return true
		}
	}
	return false
}

func (s *scheduler) startLooks() {
	if s.stopped != StopNone {
		return
	}
	for region, look := range s.looks {
		if look.running || len(look.waiting) == 0 || look.at.After(time.Now()) {
			continue
		}
		look.running = true
		s.looking++
		tasks := slices.Clone(look.waiting)
		entries := make([]plan.Entry, len(tasks))
		for i, t := range tasks {
			entries[i] = t.entry
		}
		go func() {
			seen, err := s.run.lookAt(s.stop, region, entries)
			s.events <- func() { s.looked(look, tasks, seen, err) }
		}()
	}
}

// lookAt looks for entries in one region: by name while presence is all that
// can be proven, by a complete listing once absence can be. It returns one
// found per entry, in order, also with an error: those not reached are unknown.
func (r *Run) lookAt(ctx context.Context, region string, entries []plan.Entry) ([]found, error) {
	seen := make([]found, len(entries))
	for i := range seen {
		seen[i].to = plan.StateUnknown
	}
	crashpoint.At(crashpoint.LookBegun)
	var v *view
	if due := slices.ContainsFunc(entries, func(e plan.Entry) bool { return isLeaving(e) || r.settled(e) }); due || len(entries) > namesMax {
		var err error
		if v, err = r.view(ctx, region, due); err != nil {
			return seen, err
		}
	}
	for i, entry := range entries {
		var err error
		if v != nil {
			seen[i], err = r.settleBy(ctx, entry, v)
		} else {
			seen[i], err = r.settleByName(ctx, entry)
		}
		if err != nil {
			seen[i] = found{to: plan.StateUnknown}
			return seen, err
		}
	}
	return seen, nil
}

// settleByName records what a look-up of the entry's name shows about it.
func (r *Run) settleByName(ctx context.Context, entry plan.Entry) (found, error) {
	named, err := r.service.Find(ctx, entry.Region, entry.Name)
	if err != nil || len(named) == 0 {
		return found{to: plan.StateUnknown}, err
	}
	live, err := r.ledger.Live(ctx, entry.Region)
	if err != nil {
		return found{}, ledgerFailed("read the ledger", err)
	}
	f, err := r.presence(ctx, entry, named, newView(plan.Listing{}, live).taken)
	if err != nil {
		return found{}, err
	}
	return f, r.record(ctx, entry, f)
}

// looked takes in what a look showed.
func (s *scheduler) looked(look *regionLook, tasks []*task, seen []found, err error) {
	s.looking--
	look.running = false
	now := time.Now()
	for i, t := range tasks {
		settled := s.settled(t, seen[i])
		if !settled && now.After(t.lookUntil) {
			s.done++ // for this run
			s.leaveWave(t, true)
		}
		if settled || now.After(t.lookUntil) {
			look.waiting = slices.DeleteFunc(look.waiting, func(w *task) bool { return w == t })
		}
	}
	look.pause = min(2*look.pause, lookPause)
	look.at = s.nextLook(look, now)
	s.lookFailed(err)
}

// lookFailed ends the run where looking again is pointless. Any other trouble
// only means that this look showed nothing.
func (s *scheduler) lookFailed(err error) {
	var ledger *LedgerError
	switch {
	case err == nil || s.stopped != StopNone || s.ctx.Err() != nil:
	case errors.As(err, &ledger):
		s.err = err
		s.end(StopLedger, err.Error(), plan.FailureNone)
	case errors.As(err, new(*SkewError)):
		s.end(StopSkew, err.Error(), plan.FailureNone)
	case failureOf(err).StopsRun():
		s.end(stopFor(failureOf(err)), s.run.secrets.Clean(err.Error()), failureOf(err))
	default:
		s.cause = "looking for unanswered creates: " + s.run.secrets.Clean(err.Error())
	}
}

// settled acts on what a look showed about one task, and reports whether it
// needs no further look.
func (s *scheduler) settled(t *task, f found) bool {
	if f.held {
		s.resolved(t)
		t.hold()
		s.done++
		s.leaveWave(t, true)
		return true
	}
	if isLeaving(t.entry) {
		if f.to == plan.StateAbsent {
			s.gone(t)
		}
		return f.to == plan.StateAbsent
	}
	if t.change.Kind == plan.KindLeftOver && f.to != plan.StateUnknown {
		// Nobody wants the job any more: that it is settled is all there is to do.
		s.resolved(t)
		t.state = f.to
		s.done++
		return true
	}
	switch f.to {
	case plan.StateCreated:
		s.resolved(t)
		s.existing(t, EndCreated, f.jobID)
	case plan.StateAbsent:
		s.resolved(t)
		s.recreate(t)
	case plan.StateConflict, plan.StateDuplicate:
		s.resolved(t)
		t.state = f.to
		s.finish(t, EndBlocked, f.reason, "a person has to settle it")
	default:
		if f.reason != "" {
			t.result.Error, t.result.Due = f.reason, f.due
		}
		return false
	}
	return true
}

func (s *scheduler) resolved(t *task) {
	s.unresolved--
	t.result.SettlesAt, t.result.Due = time.Time{}, false
	if t.own {
		s.own--
		t.own = false
	}
}

// recreate queues a job again whose create is proven not to have happened.
func (s *scheduler) recreate(t *task) {
	t.state = plan.StateAbsent
	if s.holdBack(t) {
		s.done++
		s.leaveWave(t, true)
		return
	}
	if why := t.change.NoCreate; why != "" {
		s.finish(t, EndBlocked, why, "exists under another name")
		return
	}
	if len(t.change.Remote) > 0 || t.change.Job.Region != t.entry.Region {
		// Jobs of this name are there, or the plan moved it to a region that was
		// not compared: what to do is for a fresh difference to say.
		s.finish(t, EndNotTried, "proven absent; the next run compares it anew", "proven absent")
		return
	}
	if t.change.Job.Digest != t.entry.Digest {
		s.finish(t, EndNotTried, "proven absent, and the plan has changed since it was sent; the next run shows and creates it as it is now", "proven absent")
		return
	}
	now := time.Now()
	switch {
	case t.tries >= s.run.options.MaxAttempts:
		s.fail(t, fmt.Sprintf("given up for this run after %s: lost on the way", plan.Count(t.tries, "attempt")), "lost on the way")
		return
	case now.Sub(t.since) > s.run.options.MaxElapsed:
		s.fail(t, "proven absent; the time for this run is over", "proven absent")
		return
	}
	t.finish(EndNotTried, "", "")
	t.result.Action = plan.KindCreate
	t.dueAt = now
	s.join(t)
}
