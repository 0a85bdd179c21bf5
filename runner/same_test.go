package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// What left the plan makes room for what is for the same by going.
func TestJobThatLeftThePlanMakesRoomForTheSame(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs[0] = jobNamed("now")
		f.wantRun(runner.Counts{Blocked: 1})
		f.options.AllowDelete = true
		f.wantRun(runner.Counts{Created: 1, Deleted: 1})
		f.wantJobs(1, 2)
	})
}

// One that others deleted is seen to be gone, and is in the way no more than any lost job.
func TestJobThatLeftThePlanAndIsGoneIsNotInTheWay(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.plan.Jobs[1].Source.Instance = "pc-1"
		f.wantRun(runner.Counts{Created: 2})
		f.plan.Jobs[0] = jobNamed("now")
		f.cloud.remove("job-000")
		time.Sleep(time.Hour)
		f.wantRun(runner.Counts{Created: 1, Kept: 1})
		if e := f.entry("job-000"); e.State != plan.StateLost {
			t.Errorf("it is %s", e.State)
		}
	})
}

// objectsOf is a job of the plan under a name and for objects.
func objectsOf(name, objects string) plan.Job {
	job := jobNamed(name)
	job.DBList = `{"` + objects + `":{"all":true}}`
	job.Digest = plan.HashSpec(job.Spec)
	return job
}

// passOn applies a plan of two jobs, whose names are passed on then: what was prev is old,
// and what was cur is prev. The service has them as cur and prev for good.
func (f *fixture) passOn() (backup string) {
	f.Helper()
	f.options.Parallel = 1 // the ids are in order
	f.plan.Jobs = []plan.Job{objectsOf("cur", "one"), objectsOf("prev", "two")}
	f.wantRun(runner.Counts{Created: 2})
	backup = f.backUp()
	f.plan.Jobs, f.plan.Moved = []plan.Job{objectsOf("cur", "one"), objectsOf("old", "two")}, map[string]string{"prev": "old"}
	f.wantRun(runner.Counts{Kept: 2})
	f.plan.Jobs, f.plan.Moved = []plan.Job{objectsOf("prev", "one"), objectsOf("old", "two")}, map[string]string{"cur": "prev"}
	f.wantRun(runner.Counts{Kept: 2})
	f.plan.Moved = nil
	f.wantRun(runner.Counts{Kept: 2})
	return backup
}

func TestNamesThatWerePassedOnWithAnOlderLedger(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.loseLedger(f.passOn())
		time.Sleep(time.Hour)
		f.options.Adopt = true
		f.wantRun(runner.Counts{Blocked: 2})
		f.wantBlocked("as cur, which left the plan", "if it is to go, apsctl delete id=aps-0001 deletes it")
		f.wantJobs(2, 2)
		for _, job := range f.cloud.jobs {
			if want := map[string]string{"cur": "one", "prev": "two"}[job.Name]; !strings.Contains(job.spec.DBList, want) {
				t.Errorf("%s is for %s now", job.Name, job.spec.DBList)
			}
		}
	})
}

func TestNamesThatWerePassedOnWithALostLedger(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.passOn()
		f.loseLedger("")
		time.Sleep(time.Hour)
		f.wantRun(runner.Counts{Blocked: 2})
		f.options.Adopt = true
		f.wantRun(runner.Counts{Adopted: 1, Blocked: 1}) // prev is another job by the service's names
		if e := f.entry("old"); e.Spec.Name != "prev" {
			t.Errorf("old is %+v", e)
		}
		f.wantJobs(2, 2)
	})
}

// An update in place is no way to a second job for the same either.
func TestUpdateToWhatAJobThatLeftThePlanIsFor(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.options.Parallel = 1 // the ids are in order
		f.plan.Jobs = []plan.Job{objectsOf("a", "one"), objectsOf("b", "two")}
		f.wantRun(runner.Counts{Created: 2})
		f.plan.Jobs = []plan.Job{objectsOf("b", "one")}
		f.wantBlocked("as a, which left the plan: if it is to go, apsctl delete id=aps-0001 deletes it")
		f.options.AllowDelete = true
		f.wantRun(runner.Counts{Updated: 1, Deleted: 1})
	})
}

// Two jobs that change places are in nobody's way.
func TestJobsThatChangeObjectsWithEachOther(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.plan.Jobs = []plan.Job{objectsOf("a", "one"), objectsOf("b", "two")}
		f.wantRun(runner.Counts{Created: 2})
		f.plan.Jobs = []plan.Job{objectsOf("a", "two"), objectsOf("b", "one")}
		f.wantRun(runner.Counts{Updated: 2})
	})
}

// A job is not made for what another one is still for, as its replacement is not allowed.
func TestJobForWhatAnotherOneIsToLeave(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs = []plan.Job{jobNamed("job-000"), jobNamed("another")}
		f.plan.Jobs[0].Source.Instance = "pc-2"
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
		f.wantRun(runner.Counts{Blocked: 2})
		f.options.AllowReplace = true
		f.wantRun(runner.Counts{Replaced: 1, Created: 1})
	})
}

// One that left the plan and is not listed is not said to exist; the way out is named.
func TestJobThatLeftThePlanAndIsNotListed(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.cloud.remove("job-000")
		f.plan.Jobs[0] = jobNamed("now")
		time.Sleep(time.Hour)
		f.wantBlocked("a complete listing does not show it", "if it was deleted, apsctl ledger forget job-000 --plan test --reason WHY")
		f.forget("job-000")
		f.wantRun(runner.Counts{Created: 1})
	})
}
