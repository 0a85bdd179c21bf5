package runner_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// loseLedger deletes the ledger, as a person does who thinks that it is only a cache,
// or puts the copy in its place, and leaves what is beside it.
func (f *fixture) loseLedger(backup string) {
	f.Helper()
	if err := f.ledger.Close(); err != nil {
		f.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(f.path + suffix)
	}
	if backup != "" {
		if err := os.Rename(backup, f.path); err != nil {
			f.Fatal(err)
		}
	}
	var err error
	if f.ledger, err = store.Open(f.Context(), f.path, store.Options{Create: true}); err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) backUp() string {
	f.Helper()
	to := f.path + ".backup"
	if _, err := f.ledger.Backup(f.Context(), to); err != nil {
		f.Fatal(err)
	}
	return to
}

func (f *fixture) forget(name string) {
	f.Helper()
	by := store.Person{Who: "a", Reason: "b", RunID: "c", At: time.Now()}
	if err := f.ledger.Forget(f.Context(), store.MarkOf(f.entry(name)), false, by); err != nil {
		f.Fatal(err)
	}
}

// wantHeldBack runs a plan of one job, and wants it unknown. It does not look for
// orphans: a ledger that was put back knows less than was made.
func (f *fixture) wantHeldBack() {
	f.Helper()
	open := slices.ContainsFunc(slices.Collect(maps.Values(f.snapshot().Entries)), func(e plan.Entry) bool { return e.State.Unresolved() })
	if held := f.heldBack(); len(held) != 1 && !open || len(held) == 1 && held[0].Name != f.plan.Jobs[0].Name {
		f.Errorf("told as held back before the run: %+v", held)
	}
	f.wantRun(runner.Counts{Unknown: 1})
}

// heldBack is what is told without a run.
func (f *fixture) heldBack() []runner.HeldJob {
	f.Helper()
	held, err := runner.HeldBack(f.Context(), f.plan, f.ledger, runner.Clock{Now: time.Now}, f.options)
	if err != nil {
		f.Fatal(err)
	}
	return held
}

func (f *fixture) wantRun(want runner.Counts) {
	f.Helper()
	report, err := f.run()
	if err != nil {
		f.Fatal(err)
	}
	f.wantCounts(report, want)
}

func TestLostLedgerHoldsBackWhatWasSentLately(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.plan.Jobs = f.plan.Jobs[:2]
		sent := time.Now()
		f.wantCounts(f.mustRun(), runner.Counts{Created: 2})
		f.cloud.remove("job-000") // neither is listed: one is late, as far as the run can know
		f.cloud.remove("job-001")
		f.plan = planOf(3)
		f.loseLedger("")
		report, err := f.run()
		if err != nil {
			f.Fatal(err)
		}
		f.wantCounts(report, runner.Counts{Created: 1, Unknown: 2})
		r := report.Results[0]
		if r.State != plan.StateNone || r.Attempt != 1 || !strings.Contains(r.Error, "run again after that") ||
			r.SettlesAt.Before(sent.Truncate(time.Second).Add(runner.SettleDefault)) {
			f.Errorf("it is reported as %+v", r)
		}
		time.Sleep(runner.SettleDefault - time.Minute)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Unknown: 2})
		time.Sleep(time.Minute + time.Second)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Created: 2})
	})
}

// The ledger has attempt 1 as refused, and was put back over one that sent attempt 2.
func TestOlderLedgerHoldsBackALaterAttempt(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
		backup := f.backUp()
		f.cloud.answer = nil
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.cloud.remove("job-000")
		f.loseLedger(backup)
		f.wantHeldBack()
	})
}

// An attempt 1 that the ledger has is not the attempt 1 that was sent after it was
// forgotten.
func TestOlderLedgerHoldsBackTheSameAttemptOfLater(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
		backup := f.backUp()
		time.Sleep(time.Hour)
		f.loseLedger("")
		f.cloud.answer = nil
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.cloud.remove("job-000")
		f.loseLedger(backup)
		f.wantHeldBack()
	})
}

// The intent of attempt 1 is proven absent while the run waits for it; attempt 2,
// which the ledger has lost, may be there all the same.
func TestOlderLedgerHoldsBackWhatThisRunProvesAbsent(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.Settle = 2 * time.Minute
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.options.MaxElapsed = time.Second
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		backup := f.backUp()
		signed := f.entry("job-000").SignedAt
		job := f.plan.Jobs[0]
		err := f.ledger.Settle(f.Context(), plan.Transition{Plan: "test", Name: job.Name, From: plan.StateUnknown, Attempt: 1, To: plan.StateAbsent, Reason: "a person said so", Evidence: "{}", At: time.Now()})
		if err == nil {
			err = f.ledger.Intend(f.Context(), plan.Intent{Plan: "test", Name: job.Name, From: plan.StateAbsent, Attempt: 2, Spec: job.Spec, Digest: job.Digest,
				Nonce: "0123456789abcdef0123456789abcdef", SignedAt: time.Now(), Endpoint: "loopback", At: time.Now()})
		}
		if err != nil {
			f.Fatal(err)
		}
		f.loseLedger(backup)
		f.cloud.answer = nil
		f.options.MaxElapsed = 5 * time.Minute
		f.wantHeldBack()
		if f.cloud.sent() != 1 || time.Since(signed) < 2*time.Minute || f.entry("job-000").State != plan.StateAbsent {
			f.Errorf("%d creates were sent, and the entry is %s", f.cloud.sent(), f.entry("job-000").State)
		}
	})
}

// A person confirms the plan after the hold is over: nothing was sent, and a new run sees
// to it.
func TestJobThatIsHeldBackWhileThePlanIsConfirmed(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.cloud.remove("job-000")
		f.loseLedger("")
		run, changes, err := f.prepare()
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(runner.SettleDefault + time.Second)
		report, err := run.Apply(f.Context(), f.drain, changes)
		if err != nil {
			t.Fatal(err)
		}
		f.wantCounts(report, runner.Counts{Unknown: 1})
		if r := report.Results[0]; !r.HeldBack() || !strings.HasSuffix(r.Error, "run again now") {
			t.Errorf("it is reported as %+v", r)
		}
		f.wantRun(runner.Counts{Created: 1})
	})
}

func TestForgottenJobIsHeldBack(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.cloud.remove("job-000")
		f.forget("job-000")
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		time.Sleep(runner.SettleDefault)
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
	})
}

// A plan that is given another name, or another plan, wants what this one created and
// the service does not list yet.
func TestJobOfAnotherPlanIsHeldBack(t *testing.T) {
	for name, between := range map[string]func(f *fixture){
		"the ledger is whole":   func(*fixture) {},
		"the ledger is lost":    func(f *fixture) { f.loseLedger("") },
		"the job was forgotten": func(f *fixture) { f.forget("job-000") },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.cloud.lag = 9 * time.Minute
				f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
				between(f)
				f.plan.Name = "renamed"
				f.wantHeldBack()
				time.Sleep(f.cloud.lag)
				if report, err := f.run(); err != nil || report.Counts().Blocked != 1 {
					t.Errorf("once it is listed: %+v, %v", report.Counts(), err)
				}
				if f.cloud.sent() != 1 {
					t.Errorf("%d creates were sent", f.cloud.sent())
				}
			})
		})
	}
}

// The job is there, under a name that neither the ledger nor the plan has any more, and not
// listed yet: what is for the same under another name waits for it.
func TestWhatWasSentUnderAnotherNameHoldsBackWhatIsForTheSame(t *testing.T) {
	var backup string
	rename := func(f *fixture) {
		mark := store.MarkOf(f.entry("job-000"))
		if err := f.ledger.Rename(f.Context(), mark, "renamed", store.Person{Who: "a", Reason: "b", At: time.Now()}); err != nil {
			f.Fatal(err)
		}
	}
	for name, between := range map[string]func(f *fixture){
		"forgotten":                          func(f *fixture) { f.forget("job-000") },
		"forgotten, wanted by another plan":  func(f *fixture) { f.forget("job-000"); f.plan.Name = "another" },
		"renamed, and the ledger lost":       func(f *fixture) { rename(f); f.loseLedger("") },
		"renamed, and an older ledger is in": func(f *fixture) { rename(f); f.loseLedger(backup) },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				backup = f.backUp()
				f.cloud.lag = 9 * time.Minute
				f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
				between(f)
				f.plan.Jobs = []plan.Job{jobNamed("renamed"), jobFrom("unlike", "pc-2")}
				report, err := f.run()
				if err != nil {
					t.Fatal(err)
				}
				f.wantCounts(report, runner.Counts{Unknown: 1, Created: 1})
				if why := report.Results[0].Error; !strings.Contains(why, "for the same source, destination and objects, under the name job-000") {
					t.Errorf("it says %q", why)
				}
				if held := f.heldBack(); len(held) != 1 || held[0].Name != "renamed" || held[0].Sent.Name != "job-000" {
					t.Errorf("told without a run: %+v", held)
				}
				time.Sleep(f.cloud.lag)
				f.wantRun(runner.Counts{Kept: 1, Blocked: 1})
				if f.cloud.sent() != 2 {
					t.Errorf("%d creates were sent", f.cloud.sent())
				}
			})
		})
	}
}

// What is known, or wanted besides, holds nothing back.
func TestJobsForTheSameThatAreBothWantedAreBothCreated(t *testing.T) {
	for name, between := range map[string]func(f *fixture){
		"the ledger is whole": func(*fixture) {},
		"it was renamed": func(f *fixture) {
			f.plan.Jobs[0] = jobNamed("first")
			f.plan.Moved = map[string]string{"job-000": "first"}
		},
		"another plan has it": func(f *fixture) { f.plan.Name, f.plan.Jobs = "another", nil },
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.cloud.lag = 9 * time.Minute
				f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
				between(f)
				f.plan.Jobs = append(f.plan.Jobs, jobNamed("alike"))
				f.wantRun(runner.Counts{Kept: len(f.plan.Jobs) - 1, Created: 1})
			})
		})
	}
}

// The same name in another region is another job, and an attempt there accounts for
// none here.
func TestAttemptInAnotherRegionAccountsForNothing(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.lag = 9 * time.Minute
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.forget("job-000")
		here, there := f.plan.Jobs[0], jobNamed("job-000")
		there.Region = "cn-beijing"
		there.Digest = plan.HashSpec(there.Spec)
		f.plan.Jobs[0] = there
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		time.Sleep(time.Second)
		f.wantRun(runner.Counts{Failed: 1})
		f.cloud.answer, f.plan.Jobs[0] = nil, here
		f.wantHeldBack()
	})
}

// What another plan tried and was refused is free.
func TestJobThatAnotherPlanDidNotGetIsCreated(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
		f.cloud.answer, f.plan.Name = nil, "renamed"
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
	})
}

// TestLostLedgersCreateNothingTwice loses the ledger, puts an older one back or gives
// the plan another name between runs, at random, while answers get lost and the list lags.
func TestLostLedgersCreateNothingTwice(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			inBubble(t, 4, func(f *fixture) { loseAndRun(f, rand.New(rand.NewPCG(seed, 1))) })
		})
	}
}

func loseAndRun(f *fixture, rng *rand.Rand) {
	f.options.Adopt, f.cloud.lag = true, 9*time.Minute
	var mu sync.Mutex
	f.cloud.answer = func(plan.CreateRequest, int) reply {
		mu.Lock()
		defer mu.Unlock()
		after := time.Duration(rng.IntN(4*60)) * time.Second
		return oneOf(rng, reply{create: true}, reply{create: true}, lost(true), lost(false), refused(plan.FailureOther, "InvalidParameter"),
			reply{create: true, after: after, outcome: lost(true).outcome})
	}
	backup := ""
	for range 8 {
		if _, err := f.run(); err != nil {
			f.Fatal(err)
		}
		switch rng.IntN(5) {
		case 4:
			f.plan.Name = oneOf(rng, "test", "renamed")
		case 0:
			f.loseLedger("")
		case 1:
			if backup != "" {
				f.loseLedger(backup)
				backup = ""
			}
		case 2:
			if backup == "" {
				backup = f.backUp()
			}
		}
		time.Sleep(time.Duration(rng.IntN(20*60)) * time.Second)
	}
	f.cloud.answer = nil
	for range 3 {
		for _, f.plan.Name = range []string{"test", "renamed"} {
			time.Sleep(time.Hour)
			if _, err := f.run(); err != nil {
				f.Fatal(err)
			}
		}
	}
	if n := f.cloud.duplicates(); n != 0 || len(f.cloud.jobs) != len(f.plan.Jobs) {
		f.Errorf("there are %d jobs, %d duplicates", len(f.cloud.jobs), n)
	}
}
