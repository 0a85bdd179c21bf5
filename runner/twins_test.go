package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// renamed are ways in which the job job-000 came to be called "now" in the plan and in
// the ledger, with what the plan still says of it.
var renamed = map[string]func(f *fixture){
	"twice, and the last line is there": func(f *fixture) {
		f.moveTo("between", map[string]string{"job-000": "between"})
		f.moveTo("now", map[string]string{"between": "now"})
	},
	"and the line is gone": func(f *fixture) {
		f.moveTo("now", map[string]string{"job-000": "now"})
		f.plan.Moved = nil
	},
	"by hand": func(f *fixture) {
		by := store.Person{Who: "a", Reason: "b", RunID: "c", At: time.Now()}
		if err := f.ledger.Rename(f.Context(), store.MarkOf(f.entry("job-000")), "now", by); err != nil {
			f.Fatal(err)
		}
		f.moveTo("now", nil)
	},
}

// moveTo applies the plan with its first job under that name.
func (f *fixture) moveTo(name string, moved map[string]string) {
	f.Helper()
	job := f.plan.Jobs[0]
	job.Name = name
	job.Digest = plan.HashSpec(job.Spec)
	f.plan.Jobs[0], f.plan.Moved = job, moved
	f.wantRun(runner.Counts{Kept: len(f.plan.Jobs)})
}

// wantBlocked runs a plan of which one job is blocked, and wants its reason to say so.
func (f *fixture) wantBlocked(says ...string) {
	f.Helper()
	report, err := f.run()
	if err != nil {
		f.Fatal(err)
	}
	for _, r := range report.Results {
		if r.Ending != runner.EndBlocked {
			continue
		}
		for _, part := range says {
			if !strings.Contains(r.Error, part) {
				f.Errorf("%s says: %s, without %q", r.Name, r.Error, part)
			}
		}
		return
	}
	f.Errorf("nothing is blocked: %+v", report.Results)
}

func (f *fixture) wantJobs(n, sent int) {
	f.Helper()
	if len(f.cloud.jobs) != n || f.cloud.sent() != sent {
		f.Errorf("there are %d jobs after %d creates, want %d after %d", len(f.cloud.jobs), f.cloud.sent(), n, sent)
	}
}

// The service knows a job by its first name only, and a lost ledger by none.
func TestRenamedJobOfALostLedgerIsNotMadeAgain(t *testing.T) {
	for name, rename := range renamed {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.wantRun(runner.Counts{Created: 1})
				rename(f)
				was := f.entry("now")
				f.loseLedger("")
				time.Sleep(time.Hour)
				f.wantBlocked("job aps-0001 exists under the name job-000, for the same source, destination and objects", "apply --adopt takes it over",
					"apsctl import --region cn-hangzhou --name job-000")
				f.options.Adopt = true
				f.plan.Jobs[0].State = plan.Suspended
				f.wantRun(runner.Counts{Adopted: 1})
				is := f.entry("now")
				if is.JobID != was.JobID || is.Spec != was.Spec || is.Digest != was.Digest || is.Doing != plan.Suspended {
					t.Errorf("the ledger has %+v, and had %+v", is, was)
				}
				f.wantRun(runner.Counts{Kept: 1})
				f.wantJobs(1, 1)

				f.plan.Jobs[0].DBList = `{"another":{"all":true}}`
				f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
				f.wantRun(runner.Counts{Updated: 1})
				if is := f.entry("now"); is.Spec.Name != "job-000" {
					t.Errorf("the service has it as job-000, and the ledger as %s", is.Spec.Name)
				}
				f.plan.Jobs[0].Source.Instance = "pc-2"
				f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
				f.options.AllowReplace = true
				f.wantRun(runner.Counts{Replaced: 1})
				f.plan.Jobs, f.options.AllowDelete = nil, true
				f.wantRun(runner.Counts{Deleted: 1})
				f.wantJobs(0, 2)
			})
		})
	}
}

// A backup of before the rename has the job, under a name that the plan has no more.
func TestRenamedJobOfAnOlderLedgerIsNotMadeAgain(t *testing.T) {
	for name, rename := range renamed {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				f.wantRun(runner.Counts{Created: 1})
				backup := f.backUp()
				rename(f)
				f.loseLedger(backup)
				f.options.Adopt = true
				f.wantBlocked("job aps-0001", "as job-000, which left the plan", "moved: {job-000: now}", "apsctl delete id=aps-0001 deletes it")
				f.plan.Moved = map[string]string{"job-000": "now"}
				f.wantRun(runner.Counts{Kept: 1})
				f.wantJobs(1, 1)
			})
		})
	}
}

func TestWhichOfSeveralJobsOneIsIsForAPerson(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.options.Adopt = true
		f.cloud.add(jobNamed("before").Spec, time.Now())
		f.wantRun(runner.Counts{Blocked: 2})
		f.wantBlocked("it may be job-001 as well", "name the one that it is before again, apply --adopt, and rename it then with moved")
		f.options.Choice = plan.Choice{Target: targets(t, "job-000")}
		f.wantRun(runner.Counts{Blocked: 1}) // the other may be the one all the same
		f.options.Choice = plan.Choice{}

		f.plan.Jobs[0] = jobNamed("before")
		f.wantRun(runner.Counts{Adopted: 1, Created: 1})
		f.moveTo("job-000", map[string]string{"before": "job-000"})
		f.wantJobs(2, 1)
	})
	inBubble(t, 1, func(f *fixture) {
		f.options.Adopt = true
		for i := range 5 {
			f.cloud.add(jobNamed(fmt.Sprintf("before-%d", i)).Spec, time.Now())
		}
		f.wantBlocked("jobs aps-0001 (before-0), aps-0002 (before-1), aps-0003 (before-2) and more exist under other names")
		for i := range 4 {
			f.cloud.remove(fmt.Sprintf("before-%d", i))
		}
		f.wantRun(runner.Counts{Adopted: 1})
		f.wantJobs(1, 0)
	})
}

func targets(t *testing.T, text string) plan.Selectors {
	t.Helper()
	selectors, err := plan.ParseSelectors([]string{text})
	if err != nil {
		t.Fatal(err)
	}
	return selectors
}

// Many jobs go from one source to one destination, each with objects of its own.
func TestJobsOfOtherObjectsAreInNobodysWay(t *testing.T) {
	inBubble(t, 5, func(f *fixture) {
		for i := range 5 {
			other := jobNamed(fmt.Sprintf("other-%d", i)).Spec
			other.DBList = fmt.Sprintf(`{"db-%d":{"all":true}}`, i)
			f.cloud.add(other, time.Now())
		}
		elsewhere := jobNamed("elsewhere").Spec
		elsewhere.Source.Instance = "pc-2"
		f.cloud.add(elsewhere, time.Now())
		parts := jobNamed("parts").Spec
		parts.PartitionList = `{"a":1}`
		f.cloud.add(parts, time.Now())
		f.wantRun(runner.Counts{Created: 5})
		if n := f.cloud.calls["detail"]; n != 6 {
			t.Errorf("%d details were asked for, want those of the 6 that agree by the listing, once", n)
		}
		f.wantRun(runner.Counts{Kept: 5})
		if n := f.cloud.calls["detail"]; n != 6 {
			t.Errorf("%d details by now, though nothing is to be created", n)
		}
	})
}

// Who wants both jobs says so by import: what the ledger has is in nobody's way.
func TestImportedJobIsInNobodysWay(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.add(jobNamed("before").Spec, time.Now())
		f.wantRun(runner.Counts{Blocked: 1})
		if _, err := f.importAll(f.cloud, "imported"); err != nil {
			t.Fatal(err)
		}
		f.options.Adopt = true
		f.wantRun(runner.Counts{Created: 1})
		f.wantJobs(2, 1)
	})
}

// stale lists jobs that are gone.
type stale struct {
	*cloud
	gone []plan.RemoteJob
}

func (s *stale) List(ctx context.Context, region string, agree bool) (plan.Listing, error) {
	l, err := s.cloud.List(ctx, region, agree)
	l.Jobs = append(s.gone, l.Jobs...)
	return l, err
}

// A job that apsctl deleted may be listed again for a while, under its first name.
func TestDeletedJobThatIsListedStillIsInNobodysWay(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.moveTo("now", map[string]string{"job-000": "now"})
		gone := f.cloud.jobs[0].RemoteJob
		wanted := f.plan.Jobs
		f.plan.Moved, f.plan.Jobs, f.options.AllowDelete = nil, nil, true
		f.wantRun(runner.Counts{Deleted: 1})
		f.plan.Jobs, f.service = wanted, &stale{f.cloud, []plan.RemoteJob{gone}}
		f.wantRun(runner.Counts{Created: 1})
		f.wantJobs(1, 2)
	})
}

// blind tells no details of one job.
type blind struct {
	*cloud
	id string
}

func (s *blind) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	if id == s.id {
		return plan.RemoteDetail{}, &plan.CallError{Operation: "DescribeApsJobDetail", Failure: plan.FailureTemporary, Why: "it timed out"}
	}
	return s.cloud.Detail(ctx, region, id)
}

// What cannot be compared may be the same: the job that it may be is not made.
func TestJobThatCannotBeComparedIsNotMadeAgain(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.plan.Jobs[1].Source.Instance = "pc-2"
		f.cloud.add(jobNamed("before").Spec, time.Now())
		f.service = &blind{f.cloud, "aps-0001"}
		report, err := f.run()
		if err != nil {
			t.Fatal(err)
		}
		f.wantCounts(report, runner.Counts{Failed: 1, Created: 1})
		if why := report.Results[0].Error; !strings.Contains(why, "aps-0001") || !strings.Contains(why, "it timed out") {
			t.Errorf("it says: %s", why)
		}
	})
}

// A create that is proven absent during the run is held back as well.
func TestJobProvenAbsentIsNotMadeBesideOneOfAnotherName(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		f.wantRun(runner.Counts{Unknown: 1})
		f.cloud.answer = nil
		f.cloud.add(jobNamed("before").Spec, time.Now())
		f.options.MaxElapsed = 2 * time.Hour
		f.wantBlocked("aps-0001 exists under the name before")
		f.options.Adopt = true
		f.wantRun(runner.Counts{Adopted: 1})
		f.wantJobs(1, 1)
	})
}

// What would be replaced is left as it is where its new self is there already.
func TestReplacementIsNotMadeBesideOneOfAnotherName(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantRun(runner.Counts{Created: 1})
		f.plan.Jobs[0].Source.Instance = "pc-2"
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
		before := f.plan.Jobs[0].Spec
		before.Name = "before"
		f.cloud.add(before, time.Now())
		f.options.AllowReplace, f.options.Adopt = true, true
		f.wantBlocked("aps-0002 exists under the name before")
		f.wantJobs(2, 1)
	})
}

// A look, as plan --refresh takes, shows what apply will do.
func TestLookShowsThatAJobIsTakenOverUnderAnotherName(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.add(jobNamed("before").Spec, time.Now())
		for adopt, want := range map[bool]plan.Kind{true: plan.KindAdopt, false: plan.KindBlocked} {
			f.options.Adopt = adopt
			look := runner.NewLook(f.plan, f.ledger, f.cloud, runner.NewGovernor(0), runner.SystemClock(), f.options)
			changes, err := look.Prepare(f.Context())
			if err != nil || changes[0].Kind != want {
				t.Errorf("got %+v, %v", changes, err)
			}
		}
		_, changes, err := f.prepare()
		f.plan.Jobs[0].Adopt.Never, f.options.Adopt = true, true
		_, never, failed := f.prepare()
		if err := errors.Join(err, failed); err != nil || never[0].Kind != plan.KindBlocked || !strings.Contains(never[0].Reason, "adopt: false") {
			t.Errorf("got %+v and %+v, %v", changes, never, err)
		}
	})
}

// Objects that the service does not tell are told of, and in nobody's way.
func TestJobWhoseObjectsAreNotTold(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.add(jobNamed("before").Spec, time.Now())
		f.service = silent{f.cloud}
		warned := ""
		f.options.Warn = func(line string) { warned += line }
		f.wantRun(runner.Counts{Created: 1})
		if !strings.Contains(warned, "is not told by the service: aps-0001 (before)") {
			t.Errorf("it was warned: %q", warned)
		}
	})
}

// silent is a service that does not tell objects.
type silent struct{ *cloud }

func (s silent) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	detail, err := s.cloud.Detail(ctx, region, id)
	detail.DBList = ""
	return detail, err
}

// A create that this very run finds is an entry's own, also where the plan says other
// objects by now.
func TestJobThatIsFoundJustNowIsNobodysTwin(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply {
			r := lost(true)
			r.after = 5 * time.Minute
			return r
		}
		f.wantRun(runner.Counts{Unknown: 1})
		f.cloud.answer = nil
		time.Sleep(time.Hour)
		edited := objectsOf("job-000", "one")
		f.plan.Jobs = []plan.Job{edited, jobNamed("job-001")}
		f.wantRun(runner.Counts{Updated: 1, Created: 1})
	})
}
