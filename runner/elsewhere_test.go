package runner_test

import (
	"errors"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// runRenamed is mustRun without the books, which know one plan.
func (f *fixture) runRenamed() runner.Report {
	f.Helper()
	report, err := f.run()
	if err != nil {
		f.Fatal(err)
	}
	return report
}

// TestPlanRenamedWhileACreateIsUnknown: the ledger knows the create by the plan's
// old name, and nothing is sent beside it.
func TestPlanRenamedWhileACreateIsUnknown(t *testing.T) {
	for exists, want := range map[bool]runner.Counts{
		true:  {Blocked: 1}, // it is listed in the end: job of the old plan
		false: {Created: 1}, // proven absent: free
	} {
		inBubble(t, 1, func(f *fixture) {
			f.cloud.answer = func(plan.CreateRequest, int) reply {
				r := lost(exists)
				r.after = 5 * time.Minute
				return r
			}
			f.mustRun()
			f.cloud.answer = nil
			f.plan.Name = "renamed"
			report := f.runRenamed()
			f.wantCounts(report, runner.Counts{Blocked: 1})
			if f.cloud.sent() != 1 {
				f.Fatalf("%d creates were sent; %q", f.cloud.sent(), report.Results[0].Error)
			}
			time.Sleep(runner.SettleDefault)
			f.wantCounts(f.runRenamed(), want)
			if n := f.cloud.duplicates(); n != 0 {
				f.Errorf("%d duplicates", n)
			}
		})
	}
}

// TestPlanAndJobRenamedWhileACreateIsUnknown: what is synchronised is the same.
func TestPlanAndJobRenamedWhileACreateIsUnknown(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.mustRun()
		f.plan.Name = "renamed"
		f.plan.Jobs[0] = jobNamed("another")
		f.wantCounts(f.runRenamed(), runner.Counts{Blocked: 1})
	})
}

// TestIntentBesideAnOpenOneOfAnotherPlan: the ledger itself refuses, also when the
// run saw nothing.
func TestIntentBesideAnOpenOneOfAnotherPlan(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(true) }
		f.cloud.lag = time.Hour
		f.mustRun()
		spec := f.plan.Jobs[0].Spec
		intent := plan.Intent{
			Plan: "renamed", Name: spec.Name, Attempt: 1, Spec: spec, Digest: plan.HashSpec(spec),
			Nonce: "n", SignedAt: time.Now(), At: time.Now(),
		}
		if err := f.ledger.Intend(f.Context(), intent); !errors.Is(err, plan.ErrMovedOn) {
			f.Errorf("got %v", err)
		}
		other := spec
		other.Region = "cn-shanghai"
		intent.Spec = other
		if err := f.ledger.Intend(f.Context(), intent); err != nil {
			f.Errorf("another region: %v", err)
		}
		if n, err := f.ledger.Summary(f.Context(), "renamed", 0); err != nil || n.States[plan.StateIntent] != 1 {
			f.Errorf("got %v, %v", n, err)
		}
	})
}
