package runner_test

import (
	"context"
	"errors"
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

func TestIntentThatCannotBeRecordedIsNoTry(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.wrap = func(l runner.Ledger) runner.Ledger { return hooked{Ledger: l, failIntend: errors.New("disk full")} }
		report, err := f.run()
		if c := report.Counts(); err == nil || c.NotTried != 3 || report.Stop != runner.StopLedger || f.cloud.sent() != 0 {
			f.Errorf("ended with %v, %+v after %d requests", err, c, f.cloud.sent())
		}
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
