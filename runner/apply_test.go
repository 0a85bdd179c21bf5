package runner_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func TestApplyCreatesEveryJobOnce(t *testing.T) {
	inBubble(t, 50, func(f *fixture) {
		f.wantCounts(f.mustRun(), runner.Counts{Created: 50})
		if f.cloud.sent() != 50 {
			f.Errorf("%d creates were sent for 50 jobs", f.cloud.sent())
		}
	})
}

func TestSecondRunAsksTheServiceNothing(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		clear(f.cloud.calls)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 3})
		if f.cloud.sent() != 3 || len(f.cloud.calls) != 0 {
			f.Errorf("the second run sent creates (%d in all) or asked: %v", f.cloud.sent(), f.cloud.calls)
		}
	})
}

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
	inBubble(t, 2, func(f *fixture) {
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
	})
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
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		if f.cloud.sent() != 1 {
			f.Errorf("%d creates were sent", f.cloud.sent())
		}
	})
}

func TestThrottledJobsWaitForTheHintAndHoldNoWorker(t *testing.T) {
	inBubble(t, 20, func(f *fixture) {
		f.options.Parallel = 2
		firstTry, again := map[string]time.Time{}, map[string]time.Time{}
		f.cloud.answer = func(r plan.CreateRequest, n int) reply {
			if r.Spec.Name == "job-000" && n == 1 {
				firstTry[r.Spec.Name] = time.Now()
				return throttled(30 * time.Second)
			}
			again[r.Spec.Name] = time.Now()
			return reply{create: true}
		}
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Created: 20})
		if wait := again["job-000"].Sub(firstTry["job-000"]); wait < 30*time.Second {
			f.Errorf("it was tried again after %s; the hint was 30s", wait)
		}
		if report.Throttled != 1 || report.Requests != 21 {
			f.Errorf("reported %d throttled of %d requests", report.Throttled, report.Requests)
		}
	})
}

func TestEndlessThrottlingEndsWithinItsBudgets(t *testing.T) {
	inBubble(t, 500, func(f *fixture) {
		f.options.MaxElapsed = 2 * time.Minute
		f.cloud.answer = func(plan.CreateRequest, int) reply { return throttled(0) }
		report := f.mustRun()
		if c := report.Counts(); c.Failed != 500 || c.Created != 0 {
			f.Errorf("counts are %+v", c)
		}
		if calls := float64(report.Requests) / 500; calls > 1.1 {
			f.Errorf("%.2f requests were sent for each job", calls)
		}
	})
}

func TestRefusedJobDoesNotStopTheOthers(t *testing.T) {
	inBubble(t, 10, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			if r.Spec.Name == "job-004" {
				return refused(plan.FailureOther, "InvalidDBClusterId.NotFound")
			}
			return reply{create: true}
		}
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Created: 9, Failed: 1})
		if report.Results[4].Cause != "InvalidDBClusterId.NotFound" {
			f.Errorf("the failure is reported as %+v", report.Results[4])
		}
	})
}

func TestRefusedCredentialsStopTheRun(t *testing.T) {
	inBubble(t, 100, func(f *fixture) {
		f.options.Parallel = 4
		f.cloud.latency = time.Second
		f.cloud.answer = func(plan.CreateRequest, int) reply {
			return refused(plan.FailureCredentials, "InvalidAccessKeyId.NotFound")
		}
		report := f.mustRun()
		if report.Stop != runner.StopRefused || f.cloud.sent() > 4 {
			f.Errorf("stopped by %q after %d requests", report.Stop, f.cloud.sent())
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

func TestFailureCapStopsTheRun(t *testing.T) {
	inBubble(t, 100, func(f *fixture) {
		most := 3
		f.options.MaxFailures, f.options.Parallel = &most, 1
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "ADBClassNotSupport") }
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Failed: 4, NotTried: 96})
		if report.Stop != runner.StopFailureCap {
			f.Errorf("stopped by %q", report.Stop)
		}
	})
}

func TestInterruptDrains(t *testing.T) {
	inBubble(t, 100, func(f *fixture) {
		f.options.Parallel = 4
		f.cloud.latency = 2 * time.Second
		f.cloud.answer = func(_ plan.CreateRequest, _ int) reply {
			if f.cloud.sent() == 4 {
				select {
				case <-f.drain:
				default:
					close(f.drain)
				}
			}
			return reply{create: true}
		}
		report := f.mustRun()
		if c := report.Counts(); report.Stop != runner.StopInterrupted || c.Unknown != 0 || c.Created != f.cloud.sent() || c.NotTried != 100-c.Created {
			f.Errorf("stopped by %q with %+v after %d requests", report.Stop, c, f.cloud.sent())
		}
	})
}

func TestNeverMoreRequestsInFlightThanWorkers(t *testing.T) {
	inBubble(t, 60, func(f *fixture) {
		f.options.Parallel = 3
		f.cloud.latency = time.Second
		f.mustRun()
		if f.cloud.busiest != 3 {
			f.Errorf("%d requests were in flight at once, want 3", f.cloud.busiest)
		}
	})
}

func TestForeignJobOfTheNameBlocks(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.add(f.plan.Jobs[0].Spec, time.Now())
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1, Blocked: 1})
		if f.cloud.creates["job-000"] != 0 {
			f.Error("a create was sent for a job that exists")
		}
	})
}

func TestAdoptTakesOverWhatAgrees(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.options.Adopt = true
		f.cloud.add(f.plan.Jobs[0].Spec, time.Now())
		other := f.plan.Jobs[1].Spec
		other.DBList = `{"sales":{"all":true}}`
		f.cloud.add(other, time.Now())
		f.wantCounts(f.mustRun(), runner.Counts{Adopted: 1, Blocked: 1, Created: 1})
		if e := f.entry("job-000"); e.State != plan.StateCreated || e.JobID != "aps-0001" {
			f.Errorf("the adopted entry is %+v", e)
		}
		if f.cloud.sent() != 1 {
			f.Errorf("%d creates were sent", f.cloud.sent())
		}
	})
}

func TestLostLedgerCreatesNothingTwice(t *testing.T) {
	inBubble(t, 30, func(f *fixture) {
		for _, job := range f.plan.Jobs[:20] {
			f.cloud.add(job.Spec, time.Now())
		}
		f.wantCounts(f.mustRun(), runner.Counts{Created: 10, Blocked: 20})
		f.options.Adopt = true
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 10, Adopted: 20})
		if f.cloud.sent() != 10 {
			f.Errorf("%d creates were sent", f.cloud.sent())
		}
	})
}

func TestJobGoneFromTheServiceIsLostAndNotMadeAgain(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		time.Sleep(time.Hour)
		f.cloud.remove("job-001")
		f.plan.Jobs = append(f.plan.Jobs, jobNamed("another"))
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 2, Created: 1, Blocked: 1})
		if e := f.entry("job-001"); e.State != plan.StateLost || f.cloud.creates["job-001"] != 1 {
			f.Errorf("the entry is %s after %d creates", e.State, f.cloud.creates["job-001"])
		}
	})
}

func TestListingThatHidesOurJobsProvesNothing(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, n int) reply {
			if r.Spec.Name == "job-000" {
				return lost(false)
			}
			return reply{create: true}
		}
		f.mustRun()
		time.Sleep(time.Hour)
		f.cloud.remove("job-001") // as a credential would that may not see it
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateUnknown || f.cloud.creates["job-000"] != 1 {
			f.Errorf("the entry is %s after %d creates", e.State, f.cloud.creates["job-000"])
		}
	})
}

func TestListingThatHidesOneClusterProvesNothingAboutIt(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		hidden := f.plan.Jobs[:2]
		for i := range hidden {
			hidden[i].Source.Instance, hidden[i].Destination.Instance = "pc-hidden", "amv-hidden"
			hidden[i].Digest = plan.HashSpec(hidden[i].Spec)
		}
		f.cloud.answer = func(r plan.CreateRequest, n int) reply {
			return map[bool]reply{true: lost(false), false: {create: true}}[r.Spec.Name == "job-000"]
		}
		f.mustRun()
		f.cloud.remove("job-001")
		for range 3 { // job-001 may be called lost meanwhile; it must go on counting as hidden
			time.Sleep(time.Hour)
			f.mustRun()
		}
		if e := f.entry("job-000"); e.State != plan.StateUnknown || f.cloud.creates["job-000"] != 1 {
			f.Errorf("the entry is %s after %d creates", e.State, f.cloud.creates["job-000"])
		}
	})
}

func TestFailedListingCreatesNothing(t *testing.T) {
	inBubble(t, 5, func(f *fixture) {
		f.cloud.listErr = &plan.CallError{Operation: "DescribeApsJobs", Failure: plan.FailureTemporary, Why: "page 3 of 9 did not come"}
		_, _, err := f.prepare()
		var call *plan.CallError
		if !errors.As(err, &call) {
			f.Errorf("prepare returned %v", err)
		}
	})
}

func TestProcessThatSleptDoesNotSend(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wrap = func(l runner.Ledger) runner.Ledger {
			return hooked{Ledger: l, afterIntend: func() { f.slept += 20 * time.Minute }}
		}
		f.options.MaxAttempts = 1
		f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
		if e := f.entry("job-000"); e.State != plan.StateNotSent || f.cloud.sent() != 0 {
			f.Errorf("the entry is %s after %d creates", e.State, f.cloud.sent())
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

func TestLedgerThatCannotRecordACreatedJobStopsTheRun(t *testing.T) {
	inBubble(t, 50, func(f *fixture) {
		f.options.Parallel = 2
		full := errors.New("disk full")
		f.wrap = func(l runner.Ledger) runner.Ledger { return hooked{Ledger: l, failSettle: full} }
		var emergencies []runner.Emergency
		f.options.Emergency = func(e runner.Emergency) { emergencies = append(emergencies, e) }
		report, err := f.run()
		if !errors.Is(err, full) || report.Stop != runner.StopLedger || f.cloud.sent() > 2 {
			f.Errorf("ended with %v, %q after %d requests", err, report.Stop, f.cloud.sent())
		}
		if len(emergencies) != f.cloud.sent() || emergencies[0].JobID == "" {
			f.Errorf("emergencies: %+v", emergencies)
		}
		f.checkBooks(report)
		sent := f.cloud.sent()
		f.wrap = nil
		f.wantCounts(f.mustRun(), runner.Counts{Kept: sent, Created: 50 - sent})
	})
}

// fragile panics on one job's create, before or after the request went out.
type fragile struct {
	*cloud
	name string
	sent bool
}

func (s fragile) Create(ctx context.Context, r plan.CreateRequest) plan.Outcome {
	if r.Spec.Name != s.name {
		return s.cloud.Create(ctx, r)
	}
	if s.sent {
		s.cloud.Create(ctx, r)
	}
	panic("a defect")
}

func TestPanicInAWorkerLeavesTheOthersAlone(t *testing.T) {
	for _, sent := range []bool{false, true} {
		inBubble(t, 10, func(f *fixture) {
			f.service = fragile{f.cloud, "job-004", sent}
			report := f.mustRun()
			c := report.Counts()
			if found := c.Created - 9; found+c.Unknown != 1 || (found == 1) != sent {
				f.Errorf("sent %v: counts are %+v", sent, c)
			}
		})
	}
}
