package runner_test

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// A credential that may not see one destination shows jobs of the same source
// and another destination all the same.
func TestJobOfTheSameSourceSaysNothingAboutTheDestination(t *testing.T) {
	inBubble(t, 4, func(f *fixture) {
		f.plan.Jobs[1].Destination.Instance = "amv-2"
		f.plan.Jobs[1].Digest = plan.HashSpec(f.plan.Jobs[1].Spec)
		f.cloud.answer = func(r plan.CreateRequest, _ int) reply {
			if r.Spec.Name == "job-002" {
				return reply{create: true, after: time.Hour, outcome: lost(true).outcome}
			}
			return reply{create: true}
		}
		f.mustRun()
		kept := f.cloud.jobs
		f.cloud.jobs = nil
		for _, job := range kept { // amv-1 is hidden, with jobs in it that are known
			if job.DestinationInstance != "amv-1" {
				f.cloud.jobs = append(f.cloud.jobs, job)
			}
		}
		time.Sleep(40 * time.Minute)
		if report, err := f.run(); err != nil || report.Counts() != (runner.Counts{Planned: 4, Kept: 3, Unknown: 1}) {
			t.Errorf("with a cluster hidden, a run ends with %+v, %v", report.Counts(), err)
		}
		if e := f.entry("job-002"); e.State != plan.StateUnknown || f.cloud.sent() != 4 {
			t.Errorf("a job in the hidden cluster is %s after %d creates", e.State, f.cloud.sent())
		}
	})
}
