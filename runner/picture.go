package runner

import (
	"cmp"
	"slices"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Most entries of a Picture, besides one per worker.
const (
	causesMost   = 5
	unknownsMost = 20
)

// Picture is Progress with what people want to see of it. Its times are this
// machine's. Texts in it may be the service's: encode them for where they go.
type Picture struct {
	Progress
	At time.Time
	// Working are the jobs in the hands of workers. Each worker keeps its place among
	// them, and free ones are left out.
	Working []Working
	// Retries are the causes for which jobs wait, those of most jobs first, at most 5.
	Retries []Retries
	// RetryAt is when the first of all jobs that wait is due; zero when none waits.
	RetryAt time.Time
	// Unknowns are the jobs that are being looked for, the first to settle first, at
	// most 20.
	Unknowns []Unknown
	// LookAt is when the next look is due; zero when there is none to come.
	LookAt time.Time
	// Parked jobs wait until one of their instance has done initialising.
	Parked int
	// WaveOpen jobs of the current wave are not over.
	WaveOpen int
	// HeldUntil is when throttling lets the next create pass; zero when it does not
	// hold any.
	HeldUntil time.Time
	// Stopping says why nothing more is taken up.
	Stopping Stop
}

// Working is one job in the hands of a worker: waiting for its turn at the
// service, or on the wire.
type Working struct {
	Name    string
	Doing   string // create, update, replace, delete, adopt, start or suspend
	Attempt int    // in this run, from 1
	Since   time.Time
}

// Retries are jobs that wait for the same cause.
type Retries struct {
	Cause string
	Jobs  int
}

// Unknown is a job whose create, or deletion, has no answer.
type Unknown struct {
	Name string
	// SettlesAt is when absence from a listing becomes proof, and Until when this run
	// stops looking.
	SettlesAt, Until time.Time
}

// Picture asks the run how it stands. It waits for Apply to begin, and ok is false
// once that has returned. It costs nothing unless it is called, and then as much as
// there are workers and unknown jobs, however long the queue is. It is safe for
// concurrent use, but not from Options.Observe.
func (r *Run) Picture() (p Picture, ok bool) {
	answer := make(chan Picture, 1)
	select {
	case r.asks <- answer:
		return <-answer, true
	case <-r.over:
		return Picture{}, false
	}
}

func (s *scheduler) picture() Picture {
	p := Picture{
		Progress: s.progress(), At: time.Now(), Retries: s.queue.waitingFor(),
		Parked: s.places.count, WaveOpen: s.waves.open, Stopping: s.stopped,
	}
	if len(s.queue.waiting) > 0 {
		p.RetryAt = s.queue.waiting[0].dueAt
	}
	for _, t := range s.seats {
		if t == nil {
			continue
		}
		p.Working = append(p.Working, Working{Name: t.change.Name, Doing: t.doing(), Attempt: t.tries + 1, Since: t.begun})
		p.pace(s.run.governor, t.change.Region())
	}
	s.lookedFor(&p)
	return p
}

// pace takes in how fast creates may go in a region.
func (p *Picture) pace(g *Governor, region string) {
	if p.Rate == 0 {
		p.Rate = g.Rate(opCreate, region)
	}
	if until := g.heldUntil(opCreate, region); until.After(p.At) && until.After(p.HeldUntil) {
		p.HeldUntil = until
	}
}

func (s *scheduler) lookedFor(p *Picture) {
	for _, look := range s.looks {
		if len(look.waiting) > 0 && !look.running && (p.LookAt.IsZero() || look.at.Before(p.LookAt)) {
			p.LookAt = look.at
		}
		for _, t := range look.waiting {
			p.Unknowns = append(p.Unknowns, Unknown{Name: t.change.Name, SettlesAt: s.run.settlesHere(t.entry), Until: t.lookUntil})
		}
	}
	slices.SortFunc(p.Unknowns, func(a, b Unknown) int {
		return cmp.Or(a.SettlesAt.Compare(b.SettlesAt), cmp.Compare(a.Name, b.Name))
	})
	p.Unknowns = slices.Clip(p.Unknowns[:min(len(p.Unknowns), unknownsMost)])
}

// waitingFor are the causes for which most tasks wait.
func (q *taskQueue) waitingFor() []Retries {
	var all []Retries
	for cause, jobs := range q.causes {
		all = append(all, Retries{cause, jobs})
	}
	slices.SortFunc(all, func(a, b Retries) int {
		return cmp.Or(cmp.Compare(b.Jobs, a.Jobs), cmp.Compare(a.Cause, b.Cause))
	})
	return all[:min(len(all), causesMost)]
}

// doing says in a word what a worker does for the task.
func (t *task) doing() string {
	switch {
	case t.puts == plan.Running:
		return string(plan.KindStart)
	case t.puts != "":
		return string(plan.KindSuspend)
	case t.change.Kind == plan.KindResolve:
		return string(plan.KindCreate) // proven absent, and created again
	}
	return string(t.change.Kind)
}
