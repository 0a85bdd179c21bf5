package runner_test

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

const sales = `{"sales":{"all":true}}`

// changedWithoutAnswer creates a job and changes its objects, of which only arrives tells
// whether the change takes effect: its answer is lost.
func (f *fixture) changedWithoutAnswer(arrives bool) (id string) {
	f.Helper()
	f.wantRun(runner.Counts{Created: 1})
	f.editObjects(0, sales)
	f.options.MaxAttempts = 1
	f.cloud.modify = func(id string) error {
		if arrives {
			f.cloud.setObjects(id, sales)
		}
		return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "the answer was cut short"}
	}
	f.wantRun(runner.Counts{Unknown: 1})
	f.cloud.modify = nil
	return f.entry("job-000").JobID
}

// A job whose change got no answer is renamed without a word in the plan: whether the
// change took effect or comes late, its job may be for the same.
func TestJobThatLeftThePlanWithAChangeWithoutAnswer(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		inBubble(t, 1, func(f *fixture) {
			f.changedWithoutAnswer(arrives)
			f.plan.Jobs[0] = objectsOf("now", "sales")
			f.plan.Jobs[0].Source.User = "another"
			f.wantBlocked("as job-000, which left the plan", "moved: {job-000: now}")
			f.wantJobs(1, 1)
			time.Sleep(time.Hour) // it cannot take effect any more
			if !arrives {
				f.wantRun(runner.Counts{Created: 1})
				return
			}
			f.wantBlocked("job aps-0001 exists for the same", "moved: {job-000: now}")
			f.wantJobs(1, 1)
			f.plan.Jobs[0] = objectsOf("now", "sales")
			f.plan.Moved = map[string]string{"job-000": "now"}
			f.wantRun(runner.Counts{Updated: 1})
			f.wantRun(runner.Counts{Kept: 1})
			f.wantJobs(1, 1)
		})
	}
}

// What is for other objects than the change is in nobody's way.
func TestJobBesideOneThatLeftThePlanWithAChange(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.changedWithoutAnswer(true)
		f.plan.Jobs[0] = objectsOf("now", "stock")
		f.wantRun(runner.Counts{Created: 1})
	})
}

// A ledger of before the rename and the change knows the old name and the old objects.
func TestRenamedAndChangedJobWithAnOlderLedger(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		backup := f.backUp()
		f.plan.Jobs[0], f.plan.Moved = objectsOf("now", "sales"), map[string]string{"job-000": "now"}
		f.wantRun(runner.Counts{Updated: 1})
		f.plan.Moved = nil
		f.loseLedger(backup)
		time.Sleep(time.Hour)
		f.wantBlocked("job aps-0001 exists for the same source, destination and objects, as job-000, which left the plan", "moved: {job-000: now}")
		f.wantJobs(1, 1)
		f.plan.Moved = map[string]string{"job-000": "now"}
		f.wantRun(runner.Counts{Updated: 1})
		f.wantRun(runner.Counts{Kept: 1})
		f.wantJobs(1, 1)
	})
}

// Its details are not told before it is listed, and so it is not known what it is for.
func TestRenamedAndChangedJobThatIsNotListedYetWithAnOlderLedger(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		backup := f.backUp()
		f.cloud.lag = time.Minute
		f.cloud.setObjects(f.entry("job-000").JobID, sales) // as a run did whose ledger was lost
		f.loseLedger(backup)
		f.plan.Jobs[0] = objectsOf("now", "sales")
		f.wantBlocked("as job-000, which left the plan", "cannot be read")
		time.Sleep(time.Minute)
		f.wantBlocked("job aps-0001 exists for the same")
		f.wantJobs(1, 1)
	})
}

// The same where only another job is meant, and where one is changed to what is there.
func TestUpdateToWhatAnOlderLedgerDoesNotKnow(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.options.Parallel = 1 // the ids are in order
		f.plan.Jobs = []plan.Job{objectsOf("a", "one"), objectsOf("b", "two")}
		f.wantRun(runner.Counts{Created: 2})
		f.cloud.setObjects(f.entry("a").JobID, sales) // as a run did whose ledger was lost
		f.plan.Jobs = []plan.Job{objectsOf("b", "sales")}
		f.wantBlocked("job aps-0001 exists for the same source, destination and objects, as a, which left the plan")
		f.options.AllowDelete = true
		f.wantRun(runner.Counts{Updated: 1, Deleted: 1})
	})
}

// Details that cannot be read prove nothing; of a job that the service does not know the
// ledger's word is taken.
func TestJobThatLeftThePlanAndIsNotReadable(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs[0] = objectsOf("now", "sales")
		f.service = &blind{f.cloud, "aps-0001"}
		f.wantBlocked("whether job aps-0001, as job-000, which left the plan, is for", "cannot be read", "it timed out")
		f.service = nil
		f.cloud.remove("job-000")
		f.wantBlocked("cannot be read", "no such job") // it may be too new
		time.Sleep(time.Hour)
		f.wantRun(runner.Counts{Created: 1})
	})
}
