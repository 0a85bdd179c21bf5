package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// remake has job-000 deleted and made again.
func (f *fixture) remake() {
	f.Helper()
	time.Sleep(time.Hour)
	e := f.entry("job-000")
	f.cloud.remove("job-000")
	err := f.ledger.Settle(f.Context(), plan.Transition{Plan: e.Plan, Name: e.Name, From: e.State, Attempt: e.Attempt,
		To: plan.StateAbsent, Reason: plan.ReasonDeleted, Evidence: "{}", At: time.Now()})
	if err != nil {
		f.Fatal(err)
	}
	time.Sleep(time.Hour)
	f.wantRun(runner.Counts{Created: 1, Kept: len(f.plan.Jobs) - 1})
}

// A backup has the job that was deleted and made again since: what it has as created is
// not what there is.
func TestOlderLedgerIsNotTakenForWhatThereIs(t *testing.T) {
	for name, lag := range map[string]time.Duration{"listed": 0, "not listed yet": 9 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.wantRun(runner.Counts{Created: 1})
				backup := f.backUp()
				f.cloud.lag = lag
				f.remake()
				f.loseLedger(backup)
				if lag > 0 {
					f.wantHeldBack()
					time.Sleep(lag)
				}
				f.wantRun(runner.Counts{Blocked: 1})
				e := f.entry("job-000")
				if e.State != plan.StateDuplicate || len(e.Candidates) != 2 || f.cloud.sent() != 2 {
					t.Fatalf("the entry is %+v", e)
				}
				// The way out: the one that is there is the one.
				f.adoptByHand(e, f.cloud.jobs[len(f.cloud.jobs)-1].ID)
				f.wantRun(runner.Counts{Kept: 1})
				time.Sleep(time.Hour)
				f.wantRun(runner.Counts{Kept: 1})
			})
		})
	}
}

// So it is where the entry was renamed since the ledger was put back, by hand or by moved.
func TestOlderLedgerIsRecognisedWhenTheJobWasRenamedSince(t *testing.T) {
	for name, rename := range map[string]func(f *fixture){
		"there and back": func(f *fixture) { f.rename("job-000", "other"); f.rename("other", "job-000") },
		"by hand":        func(f *fixture) { f.rename("job-000", "other"); f.plan.Jobs[0] = jobNamed("other") },
		"by moved": func(f *fixture) {
			f.plan.Jobs[0], f.plan.Moved = jobNamed("other"), map[string]string{"job-000": "other"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.wantRun(runner.Counts{Created: 1})
				backup := f.backUp()
				f.cloud.lag = 9 * time.Minute
				f.remake()
				f.loseLedger(backup)
				rename(f)
				for range 3 { // also before moved was carried out
					if held := f.heldBack(); len(held) != 1 || held[0].Older == nil || held[0].Alike {
						t.Errorf("told without a run: %+v", held)
					}
					f.wantRun(runner.Counts{Unknown: 1})
				}
			})
		})
	}
}

// The entry was renamed before the backup, its job made again under the new name since,
// and moved gives it a third.
func TestOlderLedgerIsRecognisedByTheNameBeforeTheMove(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.AllowReplace = true
		f.wantRun(runner.Counts{Created: 1})
		f.rename("job-000", "second")
		f.plan.Jobs[0] = jobNamed("second")
		backup := f.backUp()
		time.Sleep(time.Hour)
		f.cloud.lag = 9 * time.Minute
		f.replaceBy(func(s *plan.Spec) { s.Source.Instance = "pc-2" })
		f.loseLedger(backup)
		f.plan.Jobs[0], f.plan.Moved = jobNamed("third"), map[string]string{"second": "third"}
		for range 2 {
			f.wantRun(runner.Counts{Unknown: 1})
		}
	})
}

// In a ledger that is whole, a name that went to another entry says nothing of that one.
func TestRenamedInACircleIsNotOlder(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.plan.Jobs = f.plan.Jobs[:1]
		f.wantRun(runner.Counts{Created: 1})
		f.plan = planOf(2)
		time.Sleep(time.Hour)
		f.wantRun(runner.Counts{Created: 1, Kept: 1})
		f.rename("job-001", "other")
		f.rename("job-000", "job-001")
		f.plan.Jobs[0] = jobNamed("other")
		before := f.cloud.calls["list"]
		f.wantRun(runner.Counts{Kept: 2})
		if f.cloud.calls["list"] != before {
			t.Error("it listed the region")
		}
	})
}

func (f *fixture) rename(name, to string) {
	f.Helper()
	by := store.Person{Who: "a", Reason: "b", At: time.Now()}
	if err := f.ledger.Rename(f.Context(), store.MarkOf(f.entry(name)), to, by); err != nil {
		f.Fatal(err)
	}
}

// Nor is it lost, by a listing that shows others, as long as the new one may come.
func TestOlderLedgerLosesNothingBeforeTheNewJobIsListed(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 2})
		backup := f.backUp()
		f.cloud.lag = 9 * time.Minute
		f.remake()
		f.loseLedger(backup)
		f.wantRun(runner.Counts{Unknown: 1, Kept: 1})
		time.Sleep(f.cloud.lag)
		f.wantRun(runner.Counts{Blocked: 1, Kept: 1})
		if e := f.entry("job-000"); e.State != plan.StateDuplicate {
			t.Errorf("the entry is %+v", e)
		}
	})
}

func (f *fixture) adoptByHand(e plan.Entry, id string) {
	f.Helper()
	d, err := f.resolver(f.ledger).Judge(f.Context(), runner.Order{Kind: runner.OrderAdopt, Entry: e, JobID: id})
	if err == nil {
		err = f.ledger.Settle(f.Context(), plan.Transition{Plan: e.Plan, Name: e.Name, From: e.State, Attempt: e.Attempt, To: plan.StateCreated,
			JobID: id, Spec: d.Spec, Digest: plan.HashSpec(d.Spec), Baseline: d.Baseline(), Reason: "by hand", Evidence: "{}", At: time.Now()})
	}
	if err != nil {
		f.Fatal(err)
	}
}

// A ledger that is as it was asks nothing, and neither does one that was lost and
// rebuilt.
func TestLedgerThatIsWholeAsksNothing(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.loseLedger("")
		f.options.Adopt = true
		f.wantRun(runner.Counts{Adopted: 1})
		before := f.cloud.calls["list"]
		f.wantRun(runner.Counts{Kept: 1})
		if f.cloud.calls["list"] != before {
			t.Error("it listed the region")
		}
	})
}

// What was sent and is wanted no more, or elsewhere, is told of, unless a person forgot it.
func TestCreateThatNothingHasAnyMoreIsToldOf(t *testing.T) {
	const told = "neither the ledger nor the plan has: job-000 in cn-hangzhou"
	for name, test := range map[string]struct {
		lose func(f *fixture)
		told bool
	}{
		"lost":           {func(f *fixture) { f.loseLedger("") }, true},
		"forgotten":      {func(f *fixture) { f.forget("job-000") }, false},
		"whole":          {func(f *fixture) {}, false},
		"forgotten long": {func(f *fixture) { f.forget("job-000"); time.Sleep(time.Hour); f.reopen() }, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.cloud.lag = 9 * time.Minute
				f.wantRun(runner.Counts{Created: 1})
				test.lose(f)
				there := jobNamed("job-000")
				there.Region = "cn-beijing"
				there.Digest = plan.HashSpec(there.Spec)
				f.plan.Jobs[0] = there
				warned := ""
				f.options.Warn = func(line string) { warned += line + "\n" }
				if _, err := f.run(); err != nil {
					t.Fatal(err)
				}
				if strings.Contains(warned, told) != test.told {
					t.Errorf("it was warned: %q", warned)
				}
			})
		})
	}
}

// What holds back a job of the plan under another name is told there, and is not to be
// imported; what was sent long ago is told of no more.
func TestCreateThatHoldsAJobBackIsNotToldOfBesides(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.plan.Jobs[1] = jobFrom("job-001", "pc-2")
		f.cloud.lag = 9 * time.Minute
		f.wantRun(runner.Counts{Created: 2})
		f.loseLedger("")
		f.plan.Jobs = []plan.Job{jobNamed("renamed")}
		warned := ""
		f.options.Warn = func(line string) { warned += line + "\n" }
		f.wantRun(runner.Counts{Unknown: 1})
		if strings.Contains(warned, "job-000") || !strings.Contains(warned, "1 create of this plan") || !strings.Contains(warned, "job-001") {
			t.Errorf("it was warned: %q", warned)
		}
		warned = ""
		time.Sleep(25 * time.Hour)
		if _, err := f.run(); err != nil || strings.Contains(warned, "sent lately") {
			t.Errorf("a day later: %q, %v", warned, err)
		}
	})
}

func (f *fixture) reopen() {
	f.Helper()
	err := f.ledger.Close()
	if err == nil {
		f.ledger, err = store.Open(f.Context(), f.path, store.Options{})
	}
	if err != nil {
		f.Fatal(err)
	}
}

// A renamed job is the ledger's under the name that it was sent with.
func TestRenamedJobIsNotToldOf(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs[0], f.plan.Moved = jobNamed("renamed"), map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Kept: 1})
		f.options.Warn = func(line string) { t.Errorf("it was warned: %s", line) }
		f.wantRun(runner.Counts{Kept: 1})
	})
}

// A renamed job that was replaced since, and then deleted, was sent under both names: the
// ledger has both.
func TestRenamedAndReplacedJobIsNotToldOf(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.AllowReplace, f.options.AllowDelete = true, true
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs[0], f.plan.Moved = jobNamed("renamed"), map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Kept: 1})
		time.Sleep(time.Hour)
		f.replaceBy(func(s *plan.Spec) { s.Source.Instance = "pc-2" })
		f.options.Warn = func(line string) { t.Errorf("it was warned: %s", line) }
		f.wantRun(runner.Counts{Kept: 1})
		f.plan.Jobs = nil
		if _, err := f.run(); err != nil {
			t.Fatal(err)
		}
		f.wantRun(runner.Counts{})
	})
}

// replaceBy replaces the one job of the plan.
func (f *fixture) replaceBy(change func(*plan.Spec)) {
	f.Helper()
	job := f.plan.Jobs[0]
	change(&job.Spec)
	job.Digest = plan.HashSpec(job.Spec)
	f.plan.Jobs[0] = job
	f.wantRun(runner.Counts{Replaced: 1})
}

// A job that was forgotten was sent to both regions that it was in.
func TestForgottenJobThatMovedIsNotToldOf(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.AllowReplace = true
		f.wantRun(runner.Counts{Created: 1})
		time.Sleep(time.Hour)
		f.replaceBy(func(s *plan.Spec) { s.Region = "cn-beijing" })
		f.forget("job-000")
		f.plan.Jobs = nil
		f.options.Warn = func(line string) { t.Errorf("it was warned: %s", line) }
		f.wantRun(runner.Counts{})
	})
}
