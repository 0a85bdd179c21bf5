package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// lateCloud is a cloud that refuses to describe what it does not list yet, as the
// service does.
type lateCloud struct{ *cloud }

func (l lateCloud) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	detail, err := l.cloud.Detail(ctx, region, id)
	var call *plan.CallError
	if errors.As(err, &call) {
		call.Failure = plan.FailureOther
	}
	return detail, err
}

// startsLate has every job of the plan be started, by a cloud that knows it after
// lag.
func (f *fixture) startsLate(lag time.Duration) {
	f.cloud.lag, f.service = lag, lateCloud{f.cloud}
	for i := range f.plan.Jobs {
		f.plan.Jobs[i].State = plan.Running
	}
}

// TestJobsThatShowLateCostNoRetries: of 60 jobs that the service does not know by
// their ids for 20 seconds, 47 were left by the run once, whose retries were used
// up by asking.
func TestJobsThatShowLateCostNoRetries(t *testing.T) {
	for name, rollout := range map[string]runner.Rollout{
		"at once": {}, "in waves": {Waves: []int{1, 10, 20}, WaitRunning: true, Failures: limit("5%")},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 60, func(f *fixture) {
				f.startsLate(20 * time.Second)
				f.options.Rollout = rollout
				report := f.mustRun()
				f.wantCounts(report, runner.Counts{Created: 60})
				if e := f.entry("job-059"); e.Doing != plan.Running || report.Stop != runner.StopNone {
					t.Errorf("the last one is %q, and the run stopped: %q %s", e.Doing, report.Stop, report.StopDetail)
				}
				if asked := f.cloud.calls["detail"]; asked > 60*12 {
					t.Errorf("%d details were asked for", asked)
				}
			})
		})
	}
}

// TestJobThatNeverShowsIsLeftInTheEnd: within the time that one job may take.
func TestJobThatNeverShowsIsLeftInTheEnd(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.startsLate(24 * time.Hour)
		f.options.MaxElapsed = 5 * time.Minute
		start := time.Now()
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Failed: 3})
		r := report.Results[0]
		if r.JobID == "" || r.State != plan.StateCreated || !strings.Contains(r.Error, "did not know it by its id for ") {
			t.Errorf("got %+v", r)
		}
		if took := time.Since(start); took < 3*time.Minute || took > 5*time.Minute+10*time.Second {
			t.Errorf("it was asked for during %s", took)
		}
		if started := f.cloud.calls["modify"]; started != 0 {
			t.Errorf("%d jobs that did not show were started", started)
		}
	})
}
