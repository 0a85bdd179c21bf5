package runner

import (
	"fmt"
	"time"
)

// unseen counts how often the service did not know a job by the id that it had
// itself given it, and since when: what is new takes its time to show.
type unseen struct {
	looks int
	since time.Time
}

// isUnseen reports whether err says that the service does not know the task's job
// by its id yet, which this run has only just made.
func (t *task) isUnseen(err error) bool {
	return (t.made == EndCreated || t.made == EndReplaced) &&
		refusedAsIs(err) && callOf(err).Operation == operationDetail
}

// lookAgain puts a task back whose job does not show yet. Nothing was refused that
// was to be done, and all jobs of a run may be late at once: so it takes nothing of
// the run's retries nor of the job's tries. Only the time ends it.
func (s *scheduler) lookAgain(t *task, err error) {
	o, now := outcomeOf(callOf(err)), time.Now()
	if t.unseen.looks++; t.unseen.looks == 1 {
		t.unseen.since = now
	}
	t.tries--
	pause := backoff(s.run.options.Rand, t.unseen.looks, o.RetryAfter)
	if t.dueAt = now.Add(pause); t.dueAt.Sub(t.unseen.since) > s.run.options.MaxElapsed {
		why := fmt.Sprintf("it exists, but the service did not know it by its id for %s: %s", now.Sub(t.unseen.since).Round(time.Second), describe(o))
		s.fail(t, why, causeOf(o))
		return
	}
	t.result.Error = "it exists, and the service does not know it by its id yet: " + describe(o)
	t.result.Cause, s.cause = causeOf(o), causeOf(o)
	s.tellWait(t, pause, time.Time{})
	s.queue.add(t)
}
