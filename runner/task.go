package runner

import (
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// task is one job on its way through a run. Only the scheduler touches it.
type task struct {
	change plan.Change
	order  int // place in the plan: breaks ties in the queue

	state   plan.State // in the ledger
	attempt int        // number of the latest attempt
	tries   int        // attempts in this run
	since   time.Time  // when this run first worked on it
	dueAt   time.Time  // not to be tried before

	waitsFor string    // the cause that the queue counts it under while it waits
	begun    time.Time // when a worker last took it

	*known              // nil for a job that is to be created, and nothing more yet
	own       bool      // sent by this run
	lookUntil time.Time // when this run stops looking

	// made is how the job came to be as it is, when it is still to be put to puts.
	made Ending
	puts plan.DesiredState
	// barred says why the job is blocked, while it is to be started all the same; nil
	// otherwise.
	barred *Result

	// wave is the wave that the task goes with, from 1; 0 means none. left says that
	// it is over there.
	wave int
	left bool
	// places are where its job initialises, placed that it has them, and status is
	// what a listing last showed of it.
	places []place
	placed bool
	status string

	// pending is the change that was sent and is not confirmed.
	pending plan.Pending
	// answered says that the service refused it for the state of the job, which is an
	// answer though it proves nothing.
	answered bool

	result Result
}

// known is what the ledger has of a task's job: what a look has to find while the
// outcome is unknown, or what is to be changed. It is apart, since it is most of a
// task, and most tasks do without.
type known struct {
	entry  plan.Entry
	unseen unseen
}

// knows sets what the ledger has of the task's job.
func (t *task) knows(entry plan.Entry) { t.known = &known{entry: entry} }

func newTask(order int, c plan.Change, now time.Time) *task {
	t := &task{change: c, order: order, state: c.State(), attempt: c.Attempt(), since: now, dueAt: now}
	t.result = Result{Name: c.Name, Action: c.Kind, Left: c.Job == nil, Ending: EndNotTried}
	if c.Entry != nil {
		t.known = &known{}
		t.result.JobID, t.pending = c.Entry.JobID, c.Entry.Pending
	}
	switch c.Kind {
	case plan.KindKeep:
		t.result.Ending = EndKept
	case plan.KindBlocked:
		t.finish(EndBlocked, c.Reason, blockedCause(c))
	case plan.KindStart, plan.KindSuspend:
		t.entry, t.puts = *c.Entry, c.Puts()
		if c.Job != nil {
			t.entry.Labels, t.entry.Life = c.Job.Labels, c.Job.Life
		}
	case plan.KindResolve, plan.KindLeftOver:
		t.finish(EndUnknown, c.Reason, "outcome unknown")
	}
	return t
}

func (t *task) finish(ending Ending, why, cause string) {
	t.result.Ending, t.result.Error, t.result.Cause = ending, why, cause
}

// blockedCause says in a few words why nothing is sent for a job. By no means does
// each one need a person: a renamed job waits for a create under its old name.
func blockedCause(c plan.Change) string {
	if c.Cause == "" || c.State().NeedsPerson() {
		return "a person has to settle it"
	}
	return c.Cause
}

// hold leaves an unknown job to a person: no look can show more.
func (t *task) hold() {
	t.finish(EndUnknown, heldReason, "held for a person")
	t.result.Held, t.result.SettlesAt = true, time.Time{}
}

// did notes what the ledger says by now that the job is doing.
func (t *task) did(doing plan.DesiredState) {
	entry := *t.change.Entry
	entry.Doing = doing
	t.change.Entry = &entry
}

// isPaused reports whether apsctl left the job suspended that is to run again.
func (t *task) isPaused(r Result) bool {
	return t.change.Paused() && t.change.Kind != plan.KindReplace &&
		(r.Ending == EndFailed || r.Ending == EndUnknown || r.Ending == EndNotTried)
}

// finalResult is the task's result as it stands when the run ends.
func (t *task) finalResult() Result {
	r := t.result
	r.State, r.Attempt = t.state, t.attempt
	if r.Ending == EndNotTried && t.tries > 0 {
		r.Ending = EndFailed // it was tried, and the run ended before its next turn
	}
	if r.Ending == EndFailed && t.pending.IsSet() && !t.pending.Confirmed && !t.answered {
		r.Ending = EndUnknown
		r.Error = strings.TrimPrefix(r.Error+"; the change was sent and may have taken effect: the next run compares", "; ")
	}
	if t.barred != nil && r.Ending == EndBlocked {
		r.Error, r.Cause = t.barred.Error+"; apsctl had suspended it: the next run starts it again", t.barred.Cause
	}
	if t.isPaused(r) {
		r.Error = strings.TrimPrefix(r.Error+"; apsctl suspended the job: the next run goes on and starts it again", "; ")
	}
	return r
}
