package runner_test

import (
	"context"
	"strings"
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

// A refusal says nothing of a job that is listed.
func TestJobThatLeftThePlanAndIsListedWithoutDetails(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		time.Sleep(time.Hour)
		f.plan.Jobs[0] = objectsOf("now", "sales")
		f.service = &told{f.cloud, func(d plan.RemoteDetail, _ error) (plan.RemoteDetail, error) {
			return d, &plan.CallError{Operation: "DescribeApsJobDetail", Failure: plan.FailureOther, Why: "not in this state"}
		}}
		f.wantBlocked("cannot be read", "not in this state", "moved: {job-000: now}", "apsctl delete id=aps-0001 deletes it")
		f.wantJobs(1, 1)
	})
}

// Details without objects prove nothing of a change without an answer; where there is none,
// the ledger's word is taken, and a person is told.
func TestJobThatLeftThePlanAndTellsNoObjects(t *testing.T) {
	for _, changed := range []bool{true, false} {
		inBubble(t, 1, func(f *fixture) {
			f.service = &told{f.cloud, func(d plan.RemoteDetail, err error) (plan.RemoteDetail, error) {
				d.DBList = ""
				return d, err
			}}
			if changed {
				f.changedWithoutAnswer(true)
			} else {
				f.wantRun(runner.Counts{Created: 1})
			}
			time.Sleep(time.Hour)
			f.plan.Jobs[0] = objectsOf("now", "sales")
			if changed {
				f.wantBlocked("as job-000, which left the plan, may be for")
				f.wantJobs(1, 1)
				return
			}
			var said string
			f.options.Warn = func(text string) { said += text }
			f.wantRun(runner.Counts{Created: 1})
			if !strings.Contains(said, "is not told by the service: aps-0001 (job-000)") {
				t.Errorf("it warned: %s", said)
			}
		})
	}
}

// told changes what details tell.
type told struct {
	*cloud
	change func(plan.RemoteDetail, error) (plan.RemoteDetail, error)
}

func (s *told) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	return s.change(s.cloud.Detail(ctx, region, id))
}

// One that holds a job no more leaves it to another to hold it.
func TestTwoJobsThatLeftThePlanAndMayBeInTheWay(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.options.Parallel = 1 // the ids are in order
		f.plan.Jobs = []plan.Job{objectsOf("a", "one"), objectsOf("b", "two")}
		f.wantRun(runner.Counts{Created: 2})
		f.editObjects(0, sales)
		f.options.MaxAttempts = 1
		f.cloud.modify = func(string) error {
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "the answer was cut short"}
		}
		f.wantRun(runner.Counts{Unknown: 1, Kept: 1}) // and it never took effect
		f.cloud.modify = nil
		time.Sleep(time.Hour)
		f.cloud.setObjects(f.entry("b").JobID, sales) // as a run did whose ledger was lost
		f.plan.Jobs = []plan.Job{objectsOf("now", "sales")}
		f.wantBlocked("job aps-0002 exists for the same", "as b, which left the plan")
		f.wantJobs(2, 2)
	})
}

// Drift asks for the details of its sample only, and so does a plan that makes nothing there.
func TestWhatLeftThePlanIsNotAskedForInVain(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 2})
		time.Sleep(time.Hour)
		f.plan.Jobs = []plan.Job{jobFrom("elsewhere", "pc-2")}
		f.wantRun(runner.Counts{Created: 1})
		if n := f.cloud.calls["detail"]; n != 0 {
			t.Errorf("%d details were asked for, of another source", n)
		}
		f.plan.Jobs = append(f.plan.Jobs, objectsOf("now", "sales"))
		share, err := plan.ParseLimit("1")
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := f.supposed(runner.Options{Refresh: plan.DriftSample(share)}); err != nil || f.cloud.calls["detail"] > 1 {
			t.Errorf("%d details, %v", f.cloud.calls["detail"], err)
		}
	})
}
