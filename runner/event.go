package runner

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Event is one thing that happened in a run, told when it had happened. What is in
// the ledger was written before it was told.
type Event struct {
	Kind EventKind
	At   time.Time
	// Plan and Job are what it is about; the plan is another one than the run's where
	// its open creates were looked for. Job is "" for what is about all.
	Plan, Job, Region string
	// From and To are the states of a move; the job's name is NewName after a rename.
	From, To plan.State
	NewName  string
	Attempt  int
	// JobID, RequestID, Code and Why are as in a plan.Transition.
	JobID, RequestID, Code, Why string
	// Operation is what was promised, or slowed down.
	Operation string
	// Wait is how long nothing more is done about it, SettlesAt when it can be known
	// at the latest.
	Wait      time.Duration
	SettlesAt time.Time
	Wave      int
	Jobs      int // in the wave
}

// EventKind says what happened.
type EventKind string

const (
	EventMoved    EventKind = "moved"    // an entry went from one state to another
	EventPromised EventKind = "promised" // a change of an existing job is about to be sent
	EventRenamed  EventKind = "renamed"  // an entry has another name, as the plan says
	EventWaiting  EventKind = "waiting"  // a job waits: for its next try, for room, to be found
	EventWave     EventKind = "wave"     // the next wave began
	EventStopping EventKind = "stopping" // the run takes up nothing more
)

// tellingLedger tells what was written.
type tellingLedger struct {
	Ledger
	tell func(Event)
}

func (l tellingLedger) Intend(ctx context.Context, i plan.Intent) error {
	err := l.Ledger.Intend(ctx, i)
	if err == nil {
		l.tell(Event{Kind: EventMoved, At: i.At, Plan: i.Plan, Job: i.Name, Region: i.Spec.Region, From: i.From, To: plan.StateIntent, Attempt: i.Attempt})
	}
	return err
}

func (l tellingLedger) Settle(ctx context.Context, t plan.Transition) error {
	err := l.Ledger.Settle(ctx, t)
	if err == nil {
		l.tell(Event{
			Kind: EventMoved, At: t.At, Plan: t.Plan, Job: t.Name, From: t.From, To: t.To, Attempt: t.Attempt,
			JobID: t.JobID, RequestID: t.RequestID, Code: t.Code, Why: t.Reason,
		})
	}
	return err
}

// Promise tells of what is about to be sent; that a promise was kept or taken back
// shows as a move.
func (l tellingLedger) Promise(ctx context.Context, p plan.Promise) error {
	err := l.Ledger.Promise(ctx, p)
	if err == nil {
		l.tell(Event{
			Kind: EventPromised, At: p.At, Plan: p.Plan, Job: p.Name, Attempt: p.Attempt, JobID: p.JobID,
			Operation: string(p.Pending.Operation), Why: p.Reason,
		})
	}
	return err
}

func (l tellingLedger) Move(ctx context.Context, entry plan.Entry, to, runID string, at time.Time) error {
	err := l.Ledger.Move(ctx, entry, to, runID, at)
	if err == nil {
		l.tell(Event{Kind: EventRenamed, At: at, Plan: entry.Plan, Job: entry.Name, NewName: to, Region: entry.Region, JobID: entry.JobID})
	}
	return err
}

// tell tells of the run's own plan, now.
func (s *scheduler) tell(e Event) {
	if s.run.options.Tell == nil {
		return
	}
	e.At, e.Plan = s.run.clock.Now(), s.run.plan.Name
	s.run.options.Tell(e)
}

// tellWait tells that a task waits.
func (s *scheduler) tellWait(t *task, wait time.Duration, settles time.Time) {
	s.tell(Event{
		Kind: EventWaiting, Job: t.change.Name, Region: t.change.Region(), Attempt: t.attempt,
		Wait: wait, SettlesAt: settles, Why: t.result.Error,
	})
}
