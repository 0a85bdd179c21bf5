package runner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// unanswered sends the creates of a plan, loses the answers, and leaves
// them unknown.
func unanswered(f *fixture, takesEffect bool) {
	f.Helper()
	f.cloud.answer = func(plan.CreateRequest, int) reply {
		r := lost(takesEffect)
		r.after = 10 * time.Minute // not to be found by the run itself
		return r
	}
	f.mustRun()
	f.cloud.answer = nil
}

func (f *fixture) resolver(ledger runner.Ledger) *runner.Resolver {
	clock := runner.Clock{Now: time.Now, Boot: func() time.Duration { return 0 }}
	return runner.NewResolver(f.plan.Name, ledger, f.cloud, clock, f.options)
}

func (f *fixture) look() []runner.Settlement {
	f.Helper()
	settlements, err := f.resolver(f.ledger).Look(f.Context(), f.entries())
	if err != nil {
		f.Fatal(err)
	}
	return settlements
}

func (f *fixture) entries() []plan.Entry {
	var entries []plan.Entry
	for _, job := range f.plan.Jobs {
		entries = append(entries, f.entry(job.Name))
	}
	return entries
}

func TestResolverFollowsAnUnknownCreateToItsEnd(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		unanswered(f, false)
		s := f.look()[0]
		if !s.Open() || s.Due || s.SettlesAt.IsZero() || s.Found == "" || s.After.State != plan.StateUnknown {
			t.Errorf("early: %+v", s)
		}
		time.Sleep(32 * time.Minute)
		f.options.OnUnknown = plan.Hold
		if s = f.look()[0]; !s.Open() || !s.Due || !s.Held {
			t.Errorf("held: %+v", s)
		}
		f.options.OnUnknown = plan.Recreate
		if s = f.look()[0]; s.Open() || s.Due || s.Held || s.After.State != plan.StateAbsent || s.Before.State != plan.StateUnknown {
			t.Errorf("late: %+v", s)
		}
		if f.cloud.sent() != 1 {
			t.Errorf("%d creates were sent", f.cloud.sent())
		}
		clear(f.cloud.calls)
		if left := f.look(); len(left) != 0 || len(f.cloud.calls) != 0 {
			t.Errorf("with nothing open it says %+v and asks %v", left, f.cloud.calls)
		}
	})
}

func TestResolverFindsACreateThatTookEffectLate(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		unanswered(f, true)
		time.Sleep(11 * time.Minute)
		for _, s := range f.look() {
			if s.Open() || s.After.JobID == "" || len(s.Listed) != 1 {
				t.Errorf("got %+v", s)
			}
		}
	})
}

// What could not be recorded is an error, and never taken for settled.
func TestResolverStopsWhenTheLedgerDoes(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		unanswered(f, true)
		time.Sleep(11 * time.Minute)
		broken := hooked{Ledger: f.ledger, failSettle: errors.New("disk full")}
		_, err := f.resolver(broken).Look(f.Context(), f.entries())
		if ledger := (*runner.LedgerError)(nil); !errors.As(err, &ledger) {
			t.Errorf("got %v", err)
		}
		f.cloud.listErr = errors.New("page 2 is missing")
		if _, err := f.resolver(f.ledger).Look(f.Context(), f.entries()); !errors.Is(err, f.cloud.listErr) {
			t.Errorf("got %v", err)
		}
		if e := f.entry("job-000"); e.State != plan.StateUnknown {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// A job that was there before the create is not what came of it, and while the create
// may still make its own, nobody can take another for it.
func TestResolverObjectsToAJobOfTheBaseline(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		unanswered(f, false)
		id := f.cloud.add(f.plan.Jobs[0].Spec, time.Now())
		entry := f.entry("job-000")
		entry.Baseline = []string{id}
		order := runner.Order{Kind: runner.OrderAdopt, Entry: entry, JobID: id}
		_, err := f.resolver(f.ledger).Judge(f.Context(), order)
		if refused := (*runner.RefusedError)(nil); !errors.As(err, &refused) || refused.Forcible {
			t.Errorf("early: got %v", err)
		}
		time.Sleep(runner.SettleDefault)
		_, err = f.resolver(f.ledger).Judge(f.Context(), order)
		if refused := (*runner.RefusedError)(nil); !errors.As(err, &refused) || !refused.Forcible {
			t.Errorf("got %v", err)
		}
		order.Force = true
		d, err := f.resolver(f.ledger).Judge(f.Context(), order)
		if err != nil || d.Forced == "" || d.Spec.Name != "job-000" {
			t.Errorf("got %+v, %v", d, err)
		}
	})
}
