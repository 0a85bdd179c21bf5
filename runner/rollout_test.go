package runner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// loads has new jobs initialise for so long before they run. Those that fails
// chooses fail in the end.
func (c *cloud) loads(initialising time.Duration, fails func(name string) bool) {
	c.status = func(j cloudJob) string {
		switch {
		case time.Since(j.at) < initialising:
			return "Initializing"
		case fails != nil && fails(j.Name):
			return "InitializeFailed"
		}
		return "Running"
	}
}

// mostLoading is the most jobs that one key of theirs had initialising at once.
func (c *cloud) mostLoading(initialising time.Duration, key func(cloudJob) string) int {
	most := 0
	for _, one := range c.jobs {
		n := 0
		for _, other := range c.jobs {
			if key(one) == key(other) && !other.at.After(one.at) && one.at.Before(other.at.Add(initialising)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

func limit(text string) *plan.Limit {
	l, err := plan.ParseLimit(text)
	if err != nil {
		panic(err)
	}
	return &l
}

func TestWaveStartsWhenTheOneBeforeRuns(t *testing.T) {
	inBubble(t, 30, func(f *fixture) {
		f.cloud.loads(time.Minute, nil)
		f.options.Rollout = runner.Rollout{Waves: []int{1, 10}, WaitRunning: true, Failures: limit("0")}
		start := time.Now()
		f.wantCounts(f.mustRun(), runner.Counts{Created: 30})
		var begun []time.Duration
		for _, j := range f.cloud.jobs {
			begun = append(begun, j.at.Sub(start))
		}
		for i, wave := range []struct{ first, last int }{{0, 0}, {1, 10}, {11, 29}} {
			if i > 0 && begun[wave.first] < begun[wave.first-1]+time.Minute {
				t.Errorf("wave %d began %s after the start, before the one before ran", i+1, begun[wave.first])
			}
			if begun[wave.last]-begun[wave.first] > 30*time.Second {
				t.Errorf("wave %d took from %s to %s", i+1, begun[wave.first], begun[wave.last])
			}
		}
		if waited := time.Since(start); waited < 3*time.Minute || waited > 5*time.Minute {
			t.Errorf("the run took %s; the last wave runs after three minutes", waited)
		}
		if calls := f.cloud.calls["list"]; calls > 40 || f.cloud.calls["find"]+f.cloud.calls["detail"] > 0 {
			t.Errorf("waiting took these calls: %v", f.cloud.calls)
		}
	})
}

func TestRunStopsAtTheWaveInWhichTooManyDoNotRun(t *testing.T) {
	inBubble(t, 400, func(f *fixture) {
		n := 0
		bad := map[string]bool{} // every 20th
		for _, j := range f.plan.Jobs {
			if n++; n%20 == 0 {
				bad[j.Name] = true
			}
		}
		f.cloud.loads(time.Minute, func(name string) bool { return bad[name] })
		f.options.Rollout = runner.Rollout{Waves: []int{1, 10, 100}, WaitRunning: true, Failures: limit("2%")}
		report := f.mustRun()
		// 2% of 111 jobs are 2; of the first 111, five do not run.
		counts := report.Counts()
		if report.Stop != runner.StopWave || counts.NotTried != 289 || counts.Unhealthy < 3 || f.cloud.sent() != 111 {
			t.Errorf("stop %q, counts %+v, %d sent", report.Stop, counts, f.cloud.sent())
		}
		if !strings.Contains(report.StopDetail, "of the first 111 jobs") {
			t.Errorf("the report says %q", report.StopDetail)
		}
		for _, r := range report.Results {
			if r.Ending == runner.EndUnhealthy && (r.State != plan.StateCreated || !strings.Contains(r.Error, "InitializeFailed")) {
				t.Errorf("%+v", r)
			}
		}
	})
}

func TestCanaryThatFailsStopsTheRun(t *testing.T) {
	inBubble(t, 50, func(f *fixture) {
		f.cloud.loads(time.Second, func(string) bool { return true })
		f.options.Rollout = runner.Rollout{Waves: []int{1}, WaitRunning: true, Failures: limit("2%")}
		f.wantCounts(f.mustRun(), runner.Counts{Unhealthy: 1, NotTried: 49})
	})
}

// TestRefusedCreateHoldsBackTheNextWave: also a job that never came to be is one
// that is not well.
func TestRefusedCreateHoldsBackTheNextWave(t *testing.T) {
	inBubble(t, 20, func(f *fixture) {
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			if r.Spec.Name == "job-003" {
				return refused(plan.FailureOther, "InvalidDBCluster.NotFound")
			}
			return reply{create: true}
		}
		f.options.Rollout = runner.Rollout{Waves: []int{5}, Failures: limit("0")}
		report := f.mustRun()
		if c := report.Counts(); report.Stop != runner.StopWave || c.Failed != 1 || f.cloud.sent() > 5 {
			t.Errorf("stop %q, %+v, %d sent", report.Stop, c, f.cloud.sent())
		}
	})
}

// TestUnansweredCreateHoldsBackTheNextWave: the wave goes on once the create is
// proven absent and made again.
func TestUnansweredCreateHoldsBackTheNextWave(t *testing.T) {
	inBubble(t, 4, func(f *fixture) {
		f.cloud.answer = func(_ plan.CreateRequest, n int) reply {
			if n == 1 && f.cloud.sent() == 1 {
				return lost(false)
			}
			return reply{create: true}
		}
		f.options.Settle = time.Minute
		f.options.Rollout = runner.Rollout{Waves: []int{1}, WaitRunning: true, Failures: limit("0")}
		f.wantCounts(f.mustRun(), runner.Counts{Created: 4})
		if gap := f.cloud.jobs[1].at.Sub(f.cloud.jobs[0].at); f.cloud.jobs[0].Name != "job-000" || gap < time.Second {
			t.Errorf("the second job was made %s after %s", gap, f.cloud.jobs[0].Name)
		}
	})
}

func TestInstanceNeverHasMoreJobsInitialisingThanItMay(t *testing.T) {
	inBubble(t, 60, func(f *fixture) {
		for i := range f.plan.Jobs {
			j := &f.plan.Jobs[i]
			j.Source.Instance, j.Destination.Instance = fmt.Sprintf("pc-%d", i%5), fmt.Sprintf("amv-%d", i%3)
			j.Digest = plan.HashSpec(j.Spec)
		}
		f.options.Parallel = 16
		f.cloud.loads(45*time.Second, nil)
		f.cloud.lag = 3 * time.Second
		f.options.Rollout = runner.Rollout{PerSource: 1, PerDestination: 4}
		start := time.Now()
		f.wantCounts(f.mustRun(), runner.Counts{Created: 60})
		source := func(j cloudJob) string { return j.SourceInstance }
		destination := func(j cloudJob) string { return j.DestinationInstance }
		if n := f.cloud.mostLoading(45*time.Second, source); n != 1 {
			t.Errorf("%d jobs of one source were initialising at once", n)
		}
		if n := f.cloud.mostLoading(45*time.Second, destination); n > 4 {
			t.Errorf("%d jobs of one destination were initialising at once", n)
		}
		// Twelve rounds of five jobs, each 45 s and at most one pause of the watch.
		if took := time.Since(start); took > 12*(45+31)*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestJobsOfOthersTakeUpRoom: whoever made a job, its source reads for it.
func TestJobsOfOthersTakeUpRoom(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.loads(5*time.Minute, nil)
		byHand := jobNamed("by-hand").Spec
		byHand.DBList = `{"other":{"all":true}}`
		f.cloud.add(byHand, time.Now())
		f.options.Rollout = runner.Rollout{PerSource: 1}
		f.wantCounts(f.mustRun(), runner.Counts{Created: 2})
		if n := f.cloud.mostLoading(5*time.Minute, func(j cloudJob) string { return j.SourceInstance }); n != 1 {
			t.Errorf("%d jobs of one source were initialising at once", n)
		}
	})
}

// TestRoomThatAnUnansweredCreateMayTakeIsNotGivenAway, and what waits for it is
// left for the next run without waiting in vain.
func TestRoomThatAnUnansweredCreateMayTakeIsNotGivenAway(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.options.Rollout = runner.Rollout{PerSource: 1}
		start := time.Now()
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Unknown: 1, NotTried: 2})
		if f.cloud.sent() != 1 || time.Since(start) > time.Minute {
			t.Errorf("%d sent in %s", f.cloud.sent(), time.Since(start))
		}
		if r := report.Results[1]; !strings.Contains(r.Error, "source pc-1") {
			t.Errorf("it says %q", r.Error)
		}
	})
}

func TestRunDoesNotWaitForEver(t *testing.T) {
	inBubble(t, 5, func(f *fixture) {
		f.cloud.status = func(cloudJob) string { return "NotStarted" }
		f.options.Rollout = runner.Rollout{Waves: []int{2}, WaitRunning: true, WaitTimeout: 20 * time.Minute}
		start := time.Now()
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Created: 2, NotTried: 3})
		if took := time.Since(start); report.Stop != runner.StopWait || took < 20*time.Minute || took > 22*time.Minute {
			t.Errorf("stop %q after %s", report.Stop, took)
		}
		for _, want := range []string{"20m0s", "2 jobs", "job-000 (NotStarted", "state: running"} {
			if !strings.Contains(report.StopDetail, want) {
				t.Errorf("%q lacks %q", report.StopDetail, want)
			}
		}
	})
}

// TestListingThatFailsShowsNothing: it is asked again.
func TestListingThatFailsShowsNothing(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.loads(10*time.Second, nil)
		f.options.Rollout = runner.Rollout{WaitRunning: true, WaitTimeout: time.Hour}
		run, changes, err := f.prepare()
		if err != nil {
			t.Fatal(err)
		}
		f.cloud.listErr = &plan.CallError{Operation: "DescribeApsJobs", Failure: plan.FailureTemporary, Why: "no answer"}
		time.AfterFunc(5*time.Minute, func() {
			f.cloud.mu.Lock()
			defer f.cloud.mu.Unlock()
			f.cloud.listErr = nil
		})
		start := time.Now()
		report, err := run.Apply(f.Context(), f.drain, changes)
		if err != nil || report.Counts().Created != 2 || report.Stop != runner.StopNone || time.Since(start) < 5*time.Minute {
			t.Errorf("%+v, %v, after %s", report.Counts(), err, time.Since(start))
		}
	})
}

func TestInterruptEndsTheWait(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.status = func(cloudJob) string { return "Initializing" }
		f.options.Rollout = runner.Rollout{WaitRunning: true}
		time.AfterFunc(time.Minute, func() { close(f.drain) })
		start := time.Now()
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Created: 2})
		if report.Stop != runner.StopInterrupted || time.Since(start) > time.Minute {
			t.Errorf("stop %q after %s", report.Stop, time.Since(start))
		}
	})
}

// slowIntents is a ledger on which the intent of one job takes a while.
type slowIntents struct {
	runner.Ledger
	name string
	d    time.Duration
}

func (l slowIntents) Intend(ctx context.Context, in plan.Intent) error {
	if in.Name == l.name {
		time.Sleep(l.d)
	}
	return l.Ledger.Intend(ctx, in)
}

// As long as a request is under way, the run's patience with the jobs that it
// waits for is not over: it must not wake up again and again to find that out.
func TestWaitingBesideASlowRequestCostsNothing(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.loads(2*time.Minute, nil)
		f.options.Rollout = runner.Rollout{WaitRunning: true, WaitTimeout: 50 * time.Second}
		f.wrap = func(l runner.Ledger) runner.Ledger { return slowIntents{l, "job-001", 58 * time.Second} }
		woken := 0
		f.options.Observe = func(runner.Progress) {
			if woken++; woken > 1000 {
				f.Fatal("the run never rests")
			}
		}
		f.mustRun()
	})
}
