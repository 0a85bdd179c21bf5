package runner

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// Apply carries out what Prepare returned and reports on every wanted job.
//
// When drain is closed no new intent is written; requests on the wire are
// awaited and recorded. When ctx ends those requests are abandoned too, and
// recorded as unknown. A failed job never stops the others; what does stop a
// run is in Report.Stop. A non-nil error is a *LedgerError: the ledger could
// not record something, and the Report is what is known all the same.
func (r *Run) Apply(ctx context.Context, drain <-chan struct{}, changes []plan.Change) (Report, error) {
	defer r.finished()
	if err := r.ledger.Note(ctx, r.plan.Name, plan.Notes(changes), r.clock.Now()); err != nil {
		return Report{Stop: StopLedger}, ledgerFailed("note what the plan says of its jobs", err)
	}
	s := newScheduler(ctx, r, changes)
	s.loop(drain)
	report := Report{
		Stop: s.stopped, StopDetail: s.stopDetail, StopFailure: s.stopFailure,
		Requests: s.requests, Retries: s.retried, Throttled: s.throttled, Elapsed: time.Since(s.started),
	}
	report.Results = make([]Result, 0, len(s.tasks))
	for _, t := range s.tasks {
		if t.change.Kind != plan.KindLeftOver || t.state.Unresolved() { // a left-over is news only while it is open
			report.Results = append(report.Results, t.finalResult())
		}
	}
	return report, s.err
}

// scheduler owns the state of one Apply. Only the goroutine in loop touches
// it: workers get copies of what they need, and report by sending a function
// for loop to call.
type scheduler struct {
	run   *Run
	ctx   context.Context // ends the requests on the wire
	stop  context.Context // ends looks and what has not reached its intent
	halt  context.CancelFunc
	group errgroup.Group // the workers
	// events has room for all that workers have to say, since the ledger waits for
	// one that gives its seat away, however long Observe takes.
	events chan func()

	tasks     []*task // one per change, in plan order
	queue     taskQueue
	waves     waves
	places    places
	looks     map[string]*regionLook
	watching  map[string]*watch // by region
	news      time.Time         // when something last moved on
	inFlight  int               // workers with a seat
	seats     []*task           // the task at each seat; nil for a free one
	recording int               // workers that gave their seat away and still record
	looking   int               // looks and listings under way
	own       int               // creates of this run whose outcome is not known
	failures  int
	retries   *retryBudget

	stopped     Stop
	stopDetail  string
	stopFailure plan.Failure
	err         error

	started              time.Time
	total, done, created int
	unresolved           int // this run's and earlier ones', now
	requests, throttled  int
	retried              int
	cause                string // why the latest retry waits
}

func newScheduler(ctx context.Context, r *Run, changes []plan.Change) *scheduler {
	s := &scheduler{
		run: r, ctx: ctx, events: make(chan func(), 4*r.options.Parallel),
		looks: map[string]*regionLook{}, watching: map[string]*watch{},
		places: newPlaces(r.options.Rollout), started: time.Now(),
	}
	s.news = s.started
	s.occupy()
	s.stop, s.halt = context.WithCancel(ctx)
	s.group.SetLimit(2 * r.options.Parallel) // those with a seat, and those recording
	s.seats = make([]*task, r.options.Parallel)
	s.tasks = make([]*task, 0, len(changes))
	for i, c := range changes {
		s.enrol(newTask(i, c, s.started))
	}
	s.retries = newRetryBudget(len(s.waves.later))
	return s
}

// enrol queues what this run can act on.
func (s *scheduler) enrol(t *task) {
	s.tasks = append(s.tasks, t)
	if t.change.Kind == plan.KindReplace && !s.run.options.AllowReplace {
		t.finish(EndBlocked, t.change.Reason, "differs in what cannot be changed in place")
	}
	if t.result.Ending == EndBlocked {
		s.startBlocked(t)
		return
	}
	switch t.change.Kind {
	case plan.KindCreate, plan.KindUpdate, plan.KindReplace, plan.KindStart:
		t.places = s.placesOf(t.change)
		s.join(t)
		s.total++
	case plan.KindAdopt, plan.KindDelete, plan.KindSuspend:
		s.join(t)
		s.total++
	case plan.KindResolve, plan.KindLeftOver:
		if s.run.held[t.change.Name] {
			t.hold()
		} else if t.state.Unresolved() {
			t.entry = *t.change.Entry
			t.places = s.placesOf(t.change)
			s.places.occupy(t)
			s.await(t)
			s.total++
		} else if sent, ok := s.run.unrecorded[t.change.Name]; ok {
			s.leaveHeld(t, sent) // also where that is over by now: no listing since proves anything
		}
	}
}

// startBlocked queues a job that is blocked, and that apsctl suspended, to be
// started again.
func (s *scheduler) startBlocked(t *task) {
	if t.change.Paused() {
		blocked := t.result
		t.entry, t.puts, t.made, t.barred = *t.change.Entry, plan.Running, EndBlocked, &blocked
		s.join(t)
		s.total++
	}
}

// loop runs until nothing is left that this run can do.
func (s *scheduler) loop(drain <-chan struct{}) {
	defer s.halt()
	abort := s.ctx.Done()
	for {
		s.nextWave()
		s.startDue()
		s.startLooks()
		s.startWatches()
		s.run.options.Observe(s.progress())
		if s.finished() {
			break
		}
		if s.timeIsOver() {
			continue
		}
		timer := time.NewTimer(s.untilNext())
		select {
		case report := <-s.events:
			report()
		case answer := <-s.run.asks:
			answer <- s.picture()
		case <-timer.C:
		case <-drain:
			drain = nil // once is enough: a closed channel is always ready
			s.end(StopInterrupted, "", plan.FailureNone)
		case <-abort:
			abort = nil
			s.end(StopInterrupted, "", plan.FailureNone)
		}
		timer.Stop()
	}
	_ = s.group.Wait() // workers return nil: what they have to say came as events
}

func (s *scheduler) finished() bool {
	if s.busy() || s.looking > 0 {
		return false
	}
	return s.stopped != StopNone || (s.queue.len() == 0 && !s.awaiting() && !s.watched())
}

// end stops the run from starting anything more. The first reason stands,
// except that trouble with the ledger outranks every other.
func (s *scheduler) end(why Stop, detail string, failure plan.Failure) {
	if s.stopped != StopNone && why != StopLedger {
		return
	}
	s.stopped, s.stopDetail, s.stopFailure = why, detail, failure
	s.tell(Event{Kind: EventStopping, Why: strings.TrimSuffix(string(why)+": "+detail, ": ")})
	s.halt()
}

// timeIsOver ends the run at Options.Until, once.
func (s *scheduler) timeIsOver() bool {
	until := s.run.options.Until
	if s.stopped != StopNone || until.IsZero() || time.Now().Before(until) {
		return false
	}
	s.end(StopTime, "nothing was to be taken up after "+clockTime(until), plan.FailureNone)
	return true
}

// startDue hands due tasks to free workers.
func (s *scheduler) startDue() {
	for s.stopped == StopNone && s.hasSeat() {
		t := s.queue.next()
		if t == nil || t.dueAt.After(time.Now()) {
			return
		}
		if !s.mayRiskOne() {
			if !s.busy() && !s.awaiting() {
				s.end(StopUnknownBudget, unknownBudgetDetail(s.own), plan.FailureNone)
			}
			return
		}
		if t = s.queue.take(); s.places.take(t) {
			s.start(t)
		} else {
			s.tellWait(t, 0, time.Time{})
		}
	}
}

// mayRiskOne reports whether one more request may be sent without a chance
// that more than twice as many creates as there are workers stay unanswered: a
// sick network must not turn 500 jobs into 500 unknowns.
func (s *scheduler) mayRiskOne() bool {
	return s.own+s.inFlight+s.recording < 2*s.run.options.Parallel || mutant.On(mutant.NoBudget)
}

// work does the next thing that the task needs and returns what takes it in. Of
// the task, a worker only reads; the scheduler leaves it alone meanwhile.
func (s *scheduler) work(t *task, seat int) func() {
	kind, pending := t.change.Kind, t.pending
	switch {
	case t.puts != "":
		p := s.run.put(s.ctx, s.stop, t.entry, t.puts, pending)
		return func() { s.putDone(t, p) }
	case s.run.unread[t.change.Name] != nil:
		return func() {
			s.inFlight--
			s.failedBefore(t, s.run.unread[t.change.Name])
		}
	case kind == plan.KindAdopt:
		a := s.run.adopt(s.stop, t.change)
		return func() { s.adopted(t, a) }
	case kind == plan.KindUpdate:
		u := s.run.update(s.ctx, s.stop, t.change, pending)
		return func() { s.updated(t, u) }
	case kind == plan.KindDelete, kind == plan.KindReplace && t.state != plan.StateAbsent:
		d := s.run.remove(s.ctx, s.stop, *t.change.Entry, pending)
		return func() { s.removed(t, d) }
	}
	a := s.attemptFor(t)
	a.giveSeat = func() { s.giveSeat(a, seat) }
	s.run.perform(s.ctx, s.stop, a)
	return func() { s.attempted(t, a) }
}

// attemptFor copies out of the task what a worker needs.
func (s *scheduler) attemptFor(t *task) *attempt {
	baseline := listedIDs(t.change)
	if c := t.change; c.Entry != nil { // what was there before an earlier attempt was there before this one
		baseline = append(baseline, c.Entry.Baseline...)
		if c.Kind == plan.KindReplace {
			baseline = append(baseline, c.Entry.JobID)
		}
	}
	slices.Sort(baseline)
	return &attempt{
		job: t.change.Job, from: t.state, number: t.attempt + 1, baseline: slices.Compact(baseline),
		tries: t.tries, last: t.tries+1 >= s.run.options.MaxAttempts,
	}
}

// listedIDs are the jobs that were there under the name before anything was done.
func listedIDs(c plan.Change) []string {
	var ids []string
	for _, job := range c.Remote {
		ids = append(ids, job.ID)
	}
	return ids
}

// untilNext is how long nothing will happen unless an event comes in.
func (s *scheduler) untilNext() time.Duration {
	next := time.Now().Add(time.Hour)
	if s.stopped != StopNone {
		return time.Hour
	}
	if t := s.queue.next(); t != nil && s.hasSeat() && s.mayRiskOne() && t.dueAt.Before(next) {
		next = t.dueAt
	}
	for _, look := range s.looks {
		if !look.running && len(look.waiting) > 0 && look.at.Before(next) {
			next = look.at
		}
	}
	if at, waits := s.nextWatch(); waits && at.Before(next) {
		next = at
	}
	if until := s.run.options.Until; !until.IsZero() && until.Before(next) {
		next = until
	}
	return max(0, time.Until(next))
}

func (s *scheduler) progress() Progress {
	p := Progress{
		Wave: s.waves.number, Waves: 1 + len(s.run.options.Rollout.Waves),
		Total: s.total, Done: s.done, Created: s.created, Failed: s.failures,
		Unknown: s.unresolved, InFlight: int(s.run.onWire.Load()), Cause: s.cause,
		Elapsed: time.Since(s.started),
	}
	if s.run.options.Rollout.WaitRunning {
		for _, w := range s.watching {
			p.Starting += len(w.jobs)
		}
	}
	now := time.Now()
	p.Waiting = s.queue.countWaiting()
	if t := s.queue.next(); t != nil {
		p.NextTry = max(0, t.dueAt.Sub(now))
		p.Rate = s.run.governor.Rate(opCreate, t.change.Region())
	}
	return p
}
