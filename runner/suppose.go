package runner

import (
	"context"
	"errors"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Reader is what a run that only looks needs of the ledger.
type Reader interface {
	// Snapshot and Live are those of Ledger.
	Snapshot(ctx context.Context, planName string) (plan.Snapshot, error)
	Live(ctx context.Context, region string) ([]plan.Entry, error)
}

// NewLook is New for a run that changes nothing, at the service or in the ledger:
// its Prepare returns what that of a run would, and nothing follows. It needs no
// lock. ledger is nil where there is none yet.
func NewLook(p *plan.Plan, ledger Reader, service Service, governor *Governor, clock Clock, o Options) *Run {
	if ledger == nil {
		ledger = noLedger{}
	}
	r := New(p, onlyRead{ledger}, service, nil, governor, clock, o)
	r.looks = true
	return r
}

type noLedger struct{}

func (noLedger) Snapshot(context.Context, string) (plan.Snapshot, error) {
	return plan.Snapshot{Entries: map[string]plan.Entry{}}, nil
}
func (noLedger) Live(context.Context, string) ([]plan.Entry, error) { return nil, nil }

// onlyRead is a ledger that refuses what a look has no business with.
type onlyRead struct{ Reader }

var errLooks = errors.New("a look writes nothing")

func (onlyRead) Intend(context.Context, plan.Intent) error                 { return errLooks }
func (onlyRead) Stands(context.Context, string, string, int) (bool, error) { return false, errLooks }
func (onlyRead) Promise(context.Context, plan.Promise) error               { return errLooks }
func (onlyRead) Settle(context.Context, plan.Transition) error             { return errLooks }
func (onlyRead) Sent(context.Context, string, func(plan.Sent) bool) ([]plan.Sent, error) {
	return nil, errLooks
}
func (onlyRead) Note(context.Context, string, map[string]plan.Note, time.Time) error {
	return errLooks
}
func (onlyRead) Move(context.Context, plan.Entry, string, string, time.Time) error { return errLooks }
func (onlyRead) Compared(context.Context, string, []plan.Comparison) error         { return errLooks }

// jobKey identifies an entry.
type jobKey struct{ plan, name string }

func keyOf(e plan.Entry) jobKey { return jobKey{e.Plan, e.Name} }

// suppose keeps what a look found, in place of the ledger.
func (r *Run) suppose(entry plan.Entry, f found) {
	switch {
	case f.kept:
		entry.Pending = entry.Pending.Modification()
	case f.to == entry.State || f.to == plan.StateUnknown:
		return
	default:
		entry.State, entry.JobID, entry.Candidates, entry.Reason = f.to, f.jobID, f.candidates, f.reason
		if f.to == plan.StateAbsent {
			entry.Pending = plan.Pending{}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.supposed[keyOf(entry)] = entry
}

// withSupposed is a snapshot as a run would have made it that records. What another
// process moved on since the look is left as it is.
func (r *Run) withSupposed(snapshot plan.Snapshot) plan.Snapshot {
	if len(r.supposed) == 0 {
		return snapshot
	}
	for name, entry := range snapshot.Entries {
		if s, ok := r.supposed[keyOf(entry)]; ok && s.Attempt == entry.Attempt && entry.UpdatedAt.Equal(s.UpdatedAt) {
			snapshot.Entries[name] = s
		}
	}
	var open []plan.Entry
	for _, entry := range snapshot.Elsewhere {
		s, ok := r.supposed[keyOf(entry)]
		if !ok || s.State.Unresolved() || s.State.NeedsPerson() {
			open = append(open, entry)
		}
	}
	snapshot.Elsewhere = open
	return snapshot
}
