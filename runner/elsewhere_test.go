package runner_test

import (
	"errors"
	"fmt"
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

// What is held back for another plan's job is told with what the ledger has of that one.
func TestHeldBackIsToldWithTheOtherPlansEntry(t *testing.T) {
	for state, answer := range map[plan.State]reply{plan.StateUnknown: lost(true), plan.StateCreated: {create: true}, plan.StateRejected: refused(plan.FailureOther, "InvalidParameter")} {
		t.Run(string(state), func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.cloud.answer = func(plan.CreateRequest, int) reply { return answer }
				f.cloud.lag = time.Hour
				f.mustRun()
				f.plan.Name = "renamed"
				held := f.heldBack()
				if state == plan.StateRejected {
					if len(held) != 0 {
						t.Errorf("there is no job, and held back is %+v", held)
					}
					return
				}
				if len(held) != 1 || held[0].Elsewhere == nil || held[0].Elsewhere.State != state || held[0].Elsewhere.Plan != "test" || held[0].Older != nil {
					t.Errorf("got %+v", held)
				}
			})
		})
	}
}

// lookers look for what plan test left open, without speaking for it.
var lookers = map[string]func(f *fixture){
	"another plan": func(f *fixture) {
		job := jobNamed(fmt.Sprintf("other-%d", f.cloud.sent()))
		job.Source.Instance = fmt.Sprintf("pc-%d", 2+f.cloud.sent())
		job.Digest = plan.HashSpec(job.Spec)
		f.plan = &plan.Plan{Name: "other", File: "other.yaml", Jobs: []plan.Job{job}}
		f.wantRun(runner.Counts{Created: 1})
	},
	"a person": func(f *fixture) {
		clock := runner.Clock{Now: time.Now, Boot: func() time.Duration { return 0 }}
		resolver := runner.NewResolver("", f.ledger, f.cloud, clock, f.options)
		if _, err := resolver.Look(f.Context(), []plan.Entry{f.entryOf("test", "job-000")}); err != nil {
			f.Fatal(err)
		}
	},
}

// leaveUnknown has plan test leave its one job unknown by these options, and puts others
// in their place.
func (f *fixture) leaveUnknown(o runner.Options) {
	f.Helper()
	others := f.options
	f.options.Settle, f.options.OnUnknown = o.Settle, o.OnUnknown
	f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
	f.wantRun(runner.Counts{Unknown: 1})
	f.cloud.answer, f.options = nil, others
}

// What another plan waits for, or a person without the plan, settles nothing of a plan
// that waits for longer; and what that plan holds, they hold.
func TestOthersSettleByWhatThePlanSaid(t *testing.T) {
	for name, look := range lookers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.leaveUnknown(runner.Options{Settle: 4 * time.Hour})
				time.Sleep(time.Hour)
				look(f)
				f.wantState("after an hour", plan.StateUnknown)
				time.Sleep(4 * time.Hour)
				look(f)
				f.wantState("after five", plan.StateAbsent)
			})
		})
	}
}

// Versions before kept no settle time: of their creates others wait for the default.
func TestOthersSettleByTheDefaultWhereThePlanIsNotKnown(t *testing.T) {
	for name, look := range lookers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.options.Settle = 5 * time.Minute
				f.intendAsBefore()
				time.Sleep(runner.SettleDefault - time.Minute)
				look(f)
				f.wantState("before the default", plan.StateIntent)
				time.Sleep(2 * time.Minute)
				look(f)
				f.wantState("after it", plan.StateAbsent)
			})
		})
	}
}

func (f *fixture) intendAsBefore() {
	f.Helper()
	spec := f.plan.Jobs[0].Spec
	err := f.ledger.Intend(f.Context(), plan.Intent{Plan: "test", Name: spec.Name, Attempt: 1, Spec: spec, Digest: plan.HashSpec(spec),
		Nonce: "n", SignedAt: time.Now(), At: time.Now()})
	if err != nil {
		f.Fatal(err)
	}
}

func TestHeldBackForAnotherPlanGoesByTheDefaultWhereItIsNotKnown(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.Settle = time.Minute
		f.intendAsBefore()
		f.loseLedger("")
		for planName, want := range map[string]time.Duration{"test": time.Minute, "other": runner.SettleDefault} {
			f.plan.Name = planName
			if held := f.heldBack(); len(held) != 1 || held[0].Until.Sub(held[0].Sent.SignedAt) != want {
				t.Errorf("for plan %s: %+v", planName, held)
			}
		}
	})
}

func TestOthersHoldWhatThePlanHolds(t *testing.T) {
	for name, look := range lookers {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.leaveUnknown(runner.Options{OnUnknown: plan.Hold})
				time.Sleep(time.Hour)
				look(f)
				f.wantState("held", plan.StateUnknown)
			})
		})
	}
}

// wantState is for the one job of plan test.
func (f *fixture) wantState(when string, state plan.State) {
	f.Helper()
	if e := f.entryOf("test", "job-000"); e.State != state {
		f.Errorf("%s: %+v, want %s", when, e, state)
	}
}

func (f *fixture) entryOf(planName, name string) plan.Entry {
	f.Helper()
	snapshot, err := f.ledger.Snapshot(f.Context(), planName)
	if err != nil {
		f.Fatal(err)
	}
	return snapshot.Entries[name]
}

// The plan itself may change its mind.
func TestThePlanItselfSettlesByWhatItSaysNow(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.leaveUnknown(runner.Options{Settle: 4 * time.Hour, OnUnknown: plan.Hold})
		time.Sleep(time.Hour)
		f.wantRun(runner.Counts{Created: 1})
	})
}

// A job that one plan lost is not made by another one: a person has to say.
func TestJobThatAnotherPlanLostIsNotMade(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.cloud.remove("job-000")
		time.Sleep(time.Hour)
		f.plan = planOf(3)
		f.wantRun(runner.Counts{Created: 1, Kept: 1, Blocked: 1})
		f.plan.Name, f.plan.Jobs = "renamed", f.plan.Jobs[:1]
		f.wantRun(runner.Counts{Blocked: 1})
		if e := f.entryOf("test", "job-000"); e.State != plan.StateLost || f.cloud.sent() != 3 {
			t.Errorf("%d creates, and the entry is %+v", f.cloud.sent(), e)
		}
	})
}
