package runner

import (
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// WaitTimeoutDefault is Rollout.WaitTimeout where nobody says otherwise.
const WaitTimeoutDefault = time.Hour

// Rollout says how a run spreads its changes. The zero Rollout makes them all as
// fast as the service takes them, and waits for no job to run.
type Rollout struct {
	// Waves are the sizes of the waves but the last, which is the rest. A wave
	// starts when the one before is over. Changes are taken in plan order, and each
	// run starts with the first wave.
	Waves []int
	// WaitRunning says that a wave is over only when its jobs run (those that the
	// plan wants suspended: stand still), also the last one. Without it, a wave is
	// over when the service has taken its changes.
	WaitRunning bool
	// WaitTimeout ends the run when nothing happens for so long while jobs are
	// waited for. Zero means WaitTimeoutDefault.
	WaitTimeout time.Duration
	// Failures stops the run when more jobs of the waves so far failed, or do not
	// run. A share is of the jobs in those waves, rounded down. nil means that
	// any number may.
	Failures *plan.Limit
	// PerSource and PerDestination are the most jobs of one instance that may be
	// initialising at once: from before their request is sent until the service
	// lists them as something else, whoever made them. Zero means any number.
	PerSource, PerDestination int
}

func (o Rollout) withDefaults() Rollout {
	if o.WaitTimeout == 0 {
		o.WaitTimeout = WaitTimeoutDefault
	}
	return o
}

// watches reports whether the run has to know what its jobs come to.
func (o Rollout) watches() bool { return o.WaitRunning || o.bounded() }

func (o Rollout) bounded() bool { return o.PerSource > 0 || o.PerDestination > 0 }

// waves lets tasks go wave by wave.
type waves struct {
	later  []*task // of waves to come, in plan order
	number int     // of the current wave, from 1; 0 before the first
	jobs   int     // in the waves so far
	open   int     // of those, not over yet
	failed int     // of those
}

// join has a task go with a wave to come.
func (s *scheduler) join(t *task) {
	if t.wave > 0 { // it goes already
		s.queue.add(t)
		return
	}
	s.waves.later = append(s.waves.later, t)
}

// nextWave starts the next wave once the current one is over. The last wave has
// no end: what joins goes with it.
func (s *scheduler) nextWave() {
	w, sizes := &s.waves, s.run.options.Rollout.Waves
	for s.stopped == StopNone && len(w.later) > 0 && (w.open == 0 || w.number > len(sizes)) {
		size := len(w.later)
		if w.number <= len(sizes) {
			w.number++
		}
		if w.number <= len(sizes) {
			size = min(size, sizes[w.number-1])
		}
		for _, t := range w.later[:size] {
			t.wave = w.number
			s.queue.add(t)
		}
		w.later = w.later[size:]
		w.jobs += size
		if len(sizes) > 0 {
			s.tell(Event{Kind: EventWave, Wave: w.number, Jobs: size})
		}
		w.open += size
		s.news = time.Now()
	}
}

// leaveWave counts a task out of its wave, as failed or not.
func (s *scheduler) leaveWave(t *task, failed bool) {
	s.news = time.Now()
	if t.wave == 0 || t.left {
		return
	}
	t.left = true
	w := &s.waves
	w.open--
	if !failed {
		return
	}
	w.failed++
	if most := s.run.options.Rollout.Failures; most != nil && w.failed > most.Floor(w.jobs) {
		s.end(StopWave, fmt.Sprintf("%d of the first %s failed or do not run, and --wave-failures allows %s",
			w.failed, plan.Count(w.jobs, "job"), most), plan.FailureNone)
	}
}
