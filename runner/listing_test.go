package runner_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

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

// A ledger may hold several plans: what one has taken over, another cannot.
func TestJobOfAnotherPlanIsNotAdopted(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.options.Adopt = true
		f.plan = &plan.Plan{Name: "other", Jobs: append(f.plan.Jobs, jobNamed("one-more"))}
		report, err := f.run()
		if c := report.Counts(); err != nil || c.Blocked != 2 || c.Created != 1 || report.Stop != runner.StopNone {
			f.Errorf("%+v, stopped by %q, %v", c, report.Stop, err)
		}
		if why := report.Results[0].Error; !strings.Contains(why, "is job job-000 of plan test by this ledger") {
			f.Errorf("it says: %s", why)
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

// TestLostJobThatIsListedAgainIsCreated: two listings in a row can lie about the
// same job; presence counts at once.
func TestLostJobThatIsListedAgainIsCreated(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		time.Sleep(time.Hour)
		hidden := f.cloud.jobs[slices.IndexFunc(f.cloud.jobs, func(j cloudJob) bool { return j.Name == "job-001" })]
		f.cloud.remove("job-001")
		f.plan.Jobs = append(f.plan.Jobs, jobNamed("another"))
		f.mustRun()
		f.cloud.jobs = append(f.cloud.jobs, hidden)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 4})
		if e := f.entry("job-001"); e.State != plan.StateCreated || e.JobID != hidden.ID {
			f.Errorf("the entry is %+v", e)
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
