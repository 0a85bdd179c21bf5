package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// Where the ledger was lost, moved has nothing to rename: the job of the old name is
// listed, and is the one that the new name means.
func TestMovedJobOfALostLedgerIsNotMadeAgain(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		before := f.plan.Jobs[0]
		f.plan.Jobs[0] = jobNamed("renamed")
		f.plan.Moved = map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Kept: 1})
		f.loseLedger("")
		f.options.Adopt = true
		report, err := f.run()
		if err != nil || report.Counts().Blocked != 1 || f.cloud.sent() != 1 || !strings.Contains(report.Results[0].Error, "under the name job-000") {
			t.Errorf("%+v, %v", report.Results, err)
		}
		// The way out that it names.
		f.plan.Jobs[0], f.plan.Moved = before, nil
		f.wantCounts(f.mustRun(), runner.Counts{Adopted: 1})
		f.plan.Jobs[0], f.plan.Moved = jobNamed("renamed"), map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Kept: 1})
	})
}

// The same while the job is not listed, with the ledger lost or whole.
func TestMovedJobThatIsNotListedYetIsNotMadeAgain(t *testing.T) {
	for name, lose := range map[string]func(f *fixture){
		"lost":      func(f *fixture) { f.loseLedger("") },
		"forgotten": func(f *fixture) { f.forget("job-000") },
		"of another plan": func(f *fixture) {
			f.plan.Name = "renamed"
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.cloud.lag = 9 * time.Minute
				f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
				lose(f)
				f.plan.Jobs[0] = jobNamed("renamed")
				f.plan.Moved = map[string]string{"job-000": "renamed"}
				f.wantHeldBack()
				time.Sleep(f.cloud.lag)
				f.wantRun(runner.Counts{Blocked: 1})
				if f.cloud.sent() != 1 {
					t.Errorf("%d creates were sent", f.cloud.sent())
				}
			})
		})
	}
}

// A job that was refused, and is renamed then, is created at once.
func TestRefusedJobThatIsRenamedIsCreated(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
		f.cloud.answer = nil
		f.plan.Jobs[0] = jobNamed("renamed")
		f.plan.Moved = map[string]string{"job-000": "renamed"}
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
	})
}

// The ledger was lost, and the first apply of the new name, for another source, was
// refused: the way out of the block ends with one job.
func TestMovedJobWhoseNewNameHasAnEntry(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.lag = 9 * time.Minute
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		old := f.plan.Jobs[0]
		f.loseLedger("")
		f.plan.Jobs[0] = jobFrom("renamed", "pc-2")
		f.cloud.answer = func(plan.CreateRequest, int) reply { return refused(plan.FailureOther, "InvalidParameter") }
		f.wantRun(runner.Counts{Failed: 1})
		time.Sleep(f.cloud.lag)
		f.plan.Jobs[0] = jobNamed("renamed")
		f.cloud.answer, f.options.Adopt = nil, true
		f.plan.Moved = map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Blocked: 1}) // the old name is listed
		f.plan.Jobs[0], f.plan.Moved = old, nil
		f.wantRun(runner.Counts{Adopted: 1})
		f.plan.Jobs[0], f.plan.Moved = jobNamed("renamed"), map[string]string{"job-000": "renamed"}
		f.wantRun(runner.Counts{Blocked: 1}) // the new name has an entry
		f.forget("renamed")
		f.wantRun(runner.Counts{Kept: 1})
		if len(f.cloud.jobs) != 1 {
			t.Errorf("there are %d jobs", len(f.cloud.jobs))
		}
	})
}
