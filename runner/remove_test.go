package runner_test

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Each of them is the others' only witness.
func TestJobsThatAreDeletedTogetherAreSeenToGo(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		f.plan = &plan.Plan{Name: f.plan.Name}
		f.options.AllowDelete = true
		if deleted := f.mustRun().Counts().Deleted; deleted != 3 || len(f.cloud.jobs) != 0 {
			t.Errorf("%d were seen to go, and %d are there", deleted, len(f.cloud.jobs))
		}
		for _, job := range planOf(3).Jobs {
			if e := f.entry(job.Name); e.State != plan.StateAbsent {
				t.Errorf("%s is %s", e.Name, e.State)
			}
		}
	})
}

// A kept job of the same source is not listed either: the listing may hide both.
func TestListingThatHidesAKeptJobShowsNoDeletion(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		kept := f.plan.Jobs[1]
		f.plan.Jobs = f.plan.Jobs[1:]
		f.options.AllowDelete = true
		f.cloud.remove(kept.Name)
		report := f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateCreated || report.Counts().Deleted != 0 {
			t.Errorf("job-000 is %s, though a job of its source is not listed either", e.State)
		}
	})
}

func TestDeletionWithoutAnAnswerIsSentAgain(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.plan = &plan.Plan{Name: f.plan.Name}
		f.options.AllowDelete = true
		lost := 2
		f.cloud.modify = func(string) error {
			if lost--; lost >= 0 {
				return &plan.CallError{Operation: "DeleteApsJob", Failure: plan.FailureTemporary, Why: "no answer"}
			}
			return nil
		}
		report := f.mustRun()
		if report.Counts().Deleted != 2 || report.Elapsed > time.Minute {
			t.Errorf("%+v after %s", report.Counts(), report.Elapsed)
		}
	})
}
