package runner_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func TestAnswerLostAfterCommitIsFoundWithoutWaitingForSettle(t *testing.T) {
	inBubble(t, 4, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			if r.Spec.Name == "job-002" {
				return lost(true)
			}
			return reply{create: true}
		}
		start := time.Now()
		f.wantCounts(f.mustRun(), runner.Counts{Created: 4})
		if took := time.Since(start); took > 10*time.Second {
			f.Errorf("it took %s", took)
		}
	})
}

func TestLostRequestIsCreatedAgainAfterSettleAndNotBefore(t *testing.T) {
	inBubble(t, 2, createsALostRequestAgain)
}

// TestLostRequestWhenSecondsLeave32Bits is the same from 3:10 on the day on which,
// at 3:14:07, the seconds since 1970 are more than 32 bits with a sign can hold.
func TestLostRequestWhenSecondsLeave32Bits(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		time.Sleep(time.Until(time.Date(2038, time.January, 19, 3, 10, 0, 0, time.UTC)))
		createsALostRequestAgain(f)
		if e := f.entry("job-000"); e.SignedAt.Unix() <= math.MaxInt32 {
			f.Errorf("the second request is dated %s", e.SignedAt)
		}
	})
}

func createsALostRequestAgain(f *fixture) {
	f.cloud.answer = func(r plan.CreateRequest, n int) reply {
		if r.Spec.Name == "job-000" && n == 1 {
			return lost(false)
		}
		return reply{create: true}
	}
	report := f.mustRun()
	f.wantCounts(report, runner.Counts{Created: 1, Unknown: 1})
	if got := report.Results[0]; got.SettlesAt.IsZero() || got.State != plan.StateUnknown {
		f.Errorf("the unknown job is reported as %+v", got)
	}
	signed := f.entry("job-000").SignedAt
	for range 3 { // every 6 minutes, as cron would
		time.Sleep(6 * time.Minute)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Unknown: 1})
	}
	if f.cloud.creates["job-000"] != 1 {
		f.Fatalf("it was sent %d times before the settle time", f.cloud.creates["job-000"])
	}
	// Now the settle time is near enough for the run to wait for it.
	time.Sleep(6 * time.Minute)
	f.wantCounts(f.mustRun(), runner.Counts{Kept: 1, Created: 1})
	if again := f.entry("job-000").SignedAt; again.Before(signed.Add(runner.SettleDefault)) {
		f.Errorf("it was created again %s after the first request", again.Sub(signed))
	}
	if e := f.entry("job-000"); e.Attempt != 2 {
		f.Errorf("the entry is at attempt %d, want 2", e.Attempt)
	}
}

func TestShortSettleIsWaitedForInTheRun(t *testing.T) {
	inBubble(t, 100, func(f *fixture) {
		f.options.Settle = 3 * time.Second
		f.cloud.answer = func(r plan.CreateRequest, n int) reply {
			switch {
			case n == 1 && r.Spec.Name[6] == '3':
				return lost(false)
			case n == 1 && r.Spec.Name[6] == '7':
				return lost(true)
			}
			return reply{create: true}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Created: 100})
	})
}

func TestRequestThatTakesEffectLateIsFound(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply {
			r := lost(true)
			r.after = 14 * time.Minute
			return r
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		time.Sleep(20 * time.Minute)
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateCreated || f.cloud.sent() != 1 {
			f.Errorf("the entry is %s after %d creates", e.State, f.cloud.sent())
		}
	})
}

// A listing that lags by more than the settle time refutes a certificate. By
// then the job may have left the plan, so that no difference would show it.
func TestJobListedAfterItsAbsenceWasProvenIsNotLeftUnseen(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			if r.Spec.Name == "job-000" {
				r := lost(true)
				r.after = time.Hour
				return r
			}
			return reply{create: true}
		}
		f.mustRun()
		f.plan = &plan.Plan{Name: "test", Jobs: f.plan.Jobs[1:]}
		time.Sleep(40 * time.Minute)
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateAbsent {
			f.Fatalf("after 40 minutes the entry is %s", e.State)
		}
		time.Sleep(time.Hour)
		f.plan.Jobs = append(f.plan.Jobs, jobNamed("one-more")) // a create asks the service
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateCreated || f.cloud.creates["job-000"] != 1 {
			f.Errorf("the job is listed and its entry is %s, after %d creates", e.State, f.cloud.creates["job-000"])
		}
	})
}

func TestRenamedJobWaitsForTheUnansweredCreateOfItsOldName(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			return map[bool]reply{true: lost(false), false: {create: true}}[r.Spec.Name == "job-000"]
		}
		f.mustRun()
		f.plan = &plan.Plan{Name: "test", Jobs: []plan.Job{jobNamed("new-name")}}
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Blocked: 1})
		if f.cloud.creates["new-name"] != 0 || len(report.Results) != 2 || report.Results[1].SettlesAt.IsZero() {
			f.Errorf("%d creates were sent under the new name; reported %+v", f.cloud.creates["new-name"], report.Results)
		}
		if r := report.Results[0]; strings.Contains(r.Cause, "person") || !strings.Contains(r.Error, "created once that is settled") {
			f.Errorf("it settles by itself, and is said to be blocked for %q: %s", r.Cause, r.Error)
		}
		time.Sleep(time.Hour)
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
	})
}

func TestPlanEditedWhileUnknownIsShownBeforeItIsCreated(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(_ plan.CreateRequest, n int) reply {
			return map[bool]reply{true: lost(false), false: {create: true}}[n == 1]
		}
		f.mustRun()
		f.plan.Jobs[0].DBList = `{"sales":{"all":true}}`
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
		time.Sleep(runner.SettleDefault - time.Minute)
		report := f.mustRun() // settles within the run
		f.wantCounts(report, runner.Counts{NotTried: 1})
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
	})
}

func TestSecondJobOfACreatedOneIsSeen(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.cloud.add(f.plan.Jobs[0].Spec, time.Now()) // listed later than anybody assumed
		f.plan.Jobs = append(f.plan.Jobs, jobNamed("another"))
		report, err := f.run()
		if err != nil {
			f.Fatal(err)
		}
		if e := f.entry("job-000"); e.State != plan.StateDuplicate || report.Counts().Blocked != 1 {
			f.Errorf("the entry is %s, counts are %+v", e.State, report.Counts())
		}
	})
}

func TestHoldLeavesAProvenAbsentJobToAPerson(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.OnUnknown = plan.Hold
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.mustRun()
		time.Sleep(time.Hour)
		started := time.Now()
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Unknown: 1})
		if r := report.Results[0]; !r.Held || !r.SettlesAt.IsZero() || !strings.Contains(r.Error, "held for a person") {
			f.Errorf("it is reported as %+v", r)
		}
		if took := time.Since(started); took > time.Second {
			f.Errorf("the run waited %s for what a person must do", took)
		}
		if f.cloud.sent() != 1 {
			f.Errorf("%d creates were sent", f.cloud.sent())
		}
	})
}

func TestHoldEndsTheLooksOfTheRunThatSent(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.options.OnUnknown, f.options.Settle = plan.Hold, 3*time.Second
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		started := time.Now()
		report := f.mustRun()
		if took := time.Since(started); !report.Results[0].Held || took > 10*time.Second {
			f.Errorf("after %s it is reported as %+v", took, report.Results[0])
		}
	})
}

// What an earlier run sent and this one proves absent too late is no failure of
// the service's: it is said to be absent, and the next run creates it.
func TestAbsenceProvenTooLateForTheRun(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.mustRun()
		f.options.MaxElapsed, f.options.Settle = time.Second, 25*time.Second
		time.Sleep(time.Until(f.entry("job-000").SignedAt.Add(20 * time.Second)))
		report := f.mustRun()
		if r := report.Results[0]; r.State != plan.StateAbsent || !strings.Contains(r.Error, "proven absent; the time for this run is over") {
			f.Errorf("it is reported as %+v", r)
		}
	})
}

func TestSickNetworkLeavesAtMostTwiceTheWorkersUnknown(t *testing.T) {
	inBubble(t, 500, func(f *fixture) {
		f.options.Parallel = 5
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.cloud.findErr = &plan.CallError{Operation: "DescribeApsJobs", Failure: plan.FailureTemporary, Why: "no answer"}
		report := f.mustRun()
		c := report.Counts()
		if c.Unknown > 10 || c.Unknown+c.NotTried != 500 || report.Stop != runner.StopUnknownBudget {
			f.Errorf("counts are %+v, stopped by %q", c, report.Stop)
		}
	})
}

func TestIntentOfADeadRunIsSettledFirst(t *testing.T) {
	for _, arrived := range []bool{true, false} {
		t.Run(fmt.Sprintf("arrived=%v", arrived), func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				job := f.plan.Jobs[0]
				err := f.ledger.Intend(f.Context(), plan.Intent{
					Plan: "test", Name: job.Name, Attempt: 1, Spec: job.Spec, Digest: job.Digest,
					Nonce: "0123456789abcdef0123456789abcdef", SignedAt: time.Now(), Endpoint: "loopback", At: time.Now(),
				})
				if err != nil {
					f.Fatal(err)
				}
				if arrived {
					f.cloud.add(job.Spec, time.Now())
				}
				f.mustRun()
				time.Sleep(time.Hour)
				f.mustRun()
				want := map[bool]int{true: 0, false: 1}[arrived]
				if e := f.entry(job.Name); e.State != plan.StateCreated || f.cloud.sent() != want {
					f.Errorf("the entry is %s after %d creates, want %d", e.State, f.cloud.sent(), want)
				}
			})
		})
	}
}

func TestTwoNewJobsOfTheNameAreADuplicateForAPerson(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			f.cloud.add(r.Spec, time.Now()) // a proxy replayed the request
			return lost(true)
		}
		report, err := f.run()
		if err != nil {
			f.Fatal(err)
		}
		f.wantCounts(report, runner.Counts{Blocked: 1})
		if e := f.entry("job-000"); e.State != plan.StateDuplicate || !slices.Equal(e.Candidates, []string{"aps-0001", "aps-0002"}) {
			f.Errorf("the entry is %s with %v", e.State, e.Candidates)
		}
	})
}

// A create without an answer, whose job is found and started by a later run, was
// sent before the plan changed: the ledger has the job as it was sent, so that the
// run after that still sees what is to be changed.
func TestFoundJobIsOnRecordAsItWasSentAlsoWhenItIsStarted(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.plan.Jobs[0].State = plan.Running
		sent := f.plan.Jobs[0].Digest
		f.cloud.answer = func(plan.CreateRequest, int) reply {
			return reply{create: true, after: 40 * time.Second, outcome: &plan.Outcome{Verdict: plan.VerdictUnknown, Why: "no answer"}}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		f.editObjects(0, `{"sales":{"all":true}}`)
		for range 3 {
			f.mustRun()
			if e := f.entry("job-000"); e.State == plan.StateCreated {
				break
			}
		}
		if e := f.entry("job-000"); e.State != plan.StateCreated || e.Digest != sent {
			t.Fatalf("it is on record as %s with %s", e.State, e.Spec.DBList)
		}
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
	})
}
