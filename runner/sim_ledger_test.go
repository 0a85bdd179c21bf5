package runner_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// simLedger is the ledger as one mortal process has it: the real one, with the
// disk's and the process's faults in the way.
type simLedger struct {
	inner *store.Ledger
	p     *proc
}

func (l simLedger) Snapshot(ctx context.Context, planName string) (plan.Snapshot, error) {
	if err := l.p.turn("snapshot"); err != nil {
		return plan.Snapshot{}, err
	}
	return l.inner.Snapshot(ctx, planName)
}

func (l simLedger) Live(ctx context.Context, region string) ([]plan.Entry, error) {
	if err := l.p.turn("live " + region); err != nil {
		return nil, err
	}
	return l.inner.Live(ctx, region)
}

func (l simLedger) Stands(ctx context.Context, planName, name string, attempt int) (bool, error) {
	if err := l.p.turn("stands " + name); err != nil {
		return false, err
	}
	return l.inner.Stands(ctx, planName, name, attempt)
}

func (l simLedger) Sent(ctx context.Context, planName string, asks func(plan.Sent) bool) ([]plan.Sent, error) {
	return l.inner.Sent(ctx, planName, asks)
}

func (l simLedger) Intend(ctx context.Context, in plan.Intent) error {
	chosen := time.Now()
	if err := l.p.turn("intend " + in.Name); err != nil {
		return err
	}
	err := l.write(fmt.Sprintf("intent %d of %s", in.Attempt, in.Name), func() error { return l.inner.Intend(ctx, in) })
	if err != nil {
		return err
	}
	l.p.h.mu.Lock()
	l.p.h.chosen[in.Nonce] = chosen
	l.p.open[in.Name] = true
	f := l.p.h.strike(freeze, l.p, "freeze", in.Name, in.Attempt)
	l.p.h.mu.Unlock()
	if f != nil {
		l.p.h.note("p%d stands still for %s", l.p.id, f.d)
		time.Sleep(f.d)
	}
	return l.p.mark()
}

func (l simLedger) Note(ctx context.Context, planName string, notes map[string]plan.Note, at time.Time) error {
	if err := l.p.turn("note"); err != nil || len(notes) == 0 {
		return err
	}
	return l.write("notes", func() error { return l.inner.Note(ctx, planName, notes, at) })
}

func (l simLedger) Move(ctx context.Context, entry plan.Entry, to, runID string, at time.Time) error {
	if err := l.p.turn("move " + entry.Name); err != nil {
		return err
	}
	return l.write("move of "+entry.Name, func() error { return l.inner.Move(ctx, entry, to, runID, at) })
}

func (l simLedger) Promise(ctx context.Context, p plan.Promise) error {
	if err := l.p.turn("promise " + p.Name); err != nil {
		return err
	}
	err := l.write(fmt.Sprintf("%s %s", p.Name, p.Reason), func() error { return l.inner.Promise(ctx, p) })
	if err != nil {
		return err
	}
	return l.p.mark()
}

func (l simLedger) Compared(ctx context.Context, planName string, comparisons []plan.Comparison) error {
	if err := l.p.turn("compared"); err != nil || len(comparisons) == 0 {
		return err
	}
	return l.write("comparisons", func() error { return l.inner.Compared(ctx, planName, comparisons) })
}

// Settle obeys its context, so that a verdict on one that ended gets lost.
func (l simLedger) Settle(ctx context.Context, t plan.Transition) error {
	if err := l.p.turn("settle " + t.Name); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if t.To == plan.StateAbsent && t.From.Unresolved() {
		l.p.h.checkAbsence(l.p, t)
	}
	if t.To == plan.StateAbsent && t.From == plan.StateCreated {
		l.p.h.checkDeleted(l.p, t)
	}
	if t.From.Unresolved() && t.To == plan.StateCreated && t.Evidence != "" {
		l.p.h.checkFound(l.p, t)
	}
	err := l.write(fmt.Sprintf("%s %d is %s %s", t.Name, t.Attempt, t.To, t.JobID), func() error { return l.inner.Settle(ctx, t) })
	if err == nil || errors.Is(err, plan.ErrMovedOn) {
		// What it saw of its create settles that also where another process recorded
		// it first: it waits for an answer no more, and I8 counts no such create.
		l.p.h.mu.Lock()
		if t.To != plan.StateUnknown {
			delete(l.p.open, t.Name)
		}
		l.p.h.mu.Unlock()
	}
	if err != nil {
		return err
	}
	return l.p.mark()
}

// write carries out one write, unless the disk fails: before it is written, or
// after, when it is there and the writer is told that it is not.
func (l simLedger) write(what string, do func() error) error {
	fails := l.p.writeFails()
	if fails != nil && fails.yes {
		l.p.h.note("p%d cannot write %s", l.p.id, what)
		return errDisk
	}
	err := do()
	if fails != nil {
		l.p.h.note("p%d is told that it did not write %s", l.p.id, what)
		return errDisk
	}
	if err != nil {
		l.p.h.note("p%d: %s: %v", l.p.id, what, err)
		if !errors.Is(err, plan.ErrMovedOn) {
			l.p.h.mu.Lock()
			defer l.p.h.mu.Unlock()
			l.p.ledgerFailed = true
		}
		return err
	}
	l.p.h.note("p%d: %s", l.p.id, what)
	return nil
}

func (p *proc) writeFails() *fault {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	p.writes++
	f := p.h.active(ledgerFails, p.n)
	if f == nil || f.left == 0 || p.writes < f.n {
		return nil
	}
	f.left--
	p.ledgerFailed = true
	return f
}
