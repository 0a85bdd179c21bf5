package runner_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
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
				return changeWithoutAnswer("")
			}
			return nil
		}
		report := f.mustRun()
		if report.Counts().Deleted != 2 || report.Elapsed > time.Minute {
			t.Errorf("%+v after %s", report.Counts(), report.Elapsed)
		}
	})
}

// The service deletes only what stands still, and says that it suspends before
// the job stands still.
func TestDeletionThatASuspensionIsTooSlowForIsSentAgain(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.plan.Jobs = f.plan.Jobs[:1]
		f.options.AllowDelete = true
		slow := &slowToSuspend{cloud: f.cloud}
		f.service = slow
		report := f.mustRun()
		if report.Counts().Deleted != 1 || report.Elapsed > time.Minute || slow.refused < 2 || slow.suspensions != 1 {
			t.Errorf("%+v after %s, %d refusals and %d suspensions", report.Counts(), report.Elapsed, slow.refused, slow.suspensions)
		}
	})
}

// A job that was created lately and is not listed yet could not be seen to go: it is
// deleted once it is listed, and never taken for gone before.
func TestJobThatIsNotListedYetIsNotDeleted(t *testing.T) {
	replaced := func(f *fixture) {
		f.plan.Jobs[0].Destination.Instance = "amv-9"
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
	}
	for name, c := range map[string]struct {
		change func(*fixture)
		done   func(runner.Counts) int
	}{
		"left the plan": {func(f *fixture) { f.plan.Jobs = f.plan.Jobs[1:] }, func(c runner.Counts) int { return c.Deleted }},
		"replaced":      {replaced, func(c runner.Counts) int { return c.Replaced }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 2, func(f *fixture) {
				f.mustRun()
				f.cloud.mu.Lock()
				for i := range f.cloud.jobs {
					if f.cloud.jobs[i].Name == "job-000" {
						f.cloud.jobs[i].at = f.cloud.jobs[i].at.Add(9 * time.Minute) // listed late
					}
				}
				f.cloud.mu.Unlock()
				c.change(f)
				f.options.AllowDelete, f.options.AllowReplace = true, true
				report := f.mustRun()
				if c.done(report.Counts()) != 0 || f.cloud.calls["modify"] != 0 || f.entry("job-000").State != plan.StateCreated {
					t.Errorf("%+v after %d changes, and it is %s", report.Counts(), f.cloud.calls["modify"], f.entry("job-000").State)
				}
				time.Sleep(9 * time.Minute)
				if report := f.mustRun(); c.done(report.Counts()) != 1 {
					t.Errorf("once it is listed: %+v", report.Counts())
				}
			})
		})
	}
}

// A job was made, deleted by us, and its name is listed again, not as the last attempt
// said: a copy of an earlier attempt may have come late. A person is told.
func TestLateJobOfAnEarlierAttemptIsAConflict(t *testing.T) {
	for _, tries := range []int{1, 2} {
		t.Run(fmt.Sprint(tries), func(t *testing.T) {
			inBubble(t, 2, func(f *fixture) {
				gone, kept := f.plan.Jobs[0], f.plan.Jobs[1]
				f.cloud.answer = func(r plan.CreateRequest, n int) reply {
					if r.Spec.Name == gone.Name && n < tries {
						return refused(plan.FailureOther, "InvalidParameter")
					}
					return reply{create: true}
				}
				for range tries {
					f.mustRun()
				}
				f.plan.Jobs, f.options.AllowDelete = []plan.Job{kept}, true
				f.mustRun()
				late := gone.Spec
				late.Destination.Instance = "amv-9"
				f.cloud.add(late, time.Now())
				f.plan.Jobs = append(f.plan.Jobs, jobNamed("one-more")) // something to list for
				f.wantRun(runner.Counts{Kept: 1, Created: 1})
				want := map[int]plan.State{1: plan.StateAbsent, 2: plan.StateConflict}[tries] // the only attempt said something else
				if e := f.entry(gone.Name); e.State != want {
					t.Errorf("it is %s, want %s", e.State, want)
				}
			})
		})
	}
}

// A replacement that goes to another region is blocked by a job of its name there.
func TestReplacementInAnotherRegionLooksThere(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.wantCounts(f.mustRun(), runner.Counts{Created: 1})
		f.plan.Jobs[0].Region = "cn-beijing"
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
		f.cloud.add(f.plan.Jobs[0].Spec, time.Now())
		f.options.AllowReplace = true
		report, err := f.run()
		if err != nil || report.Counts().Blocked != 1 || f.cloud.sent() != 1 || f.cloud.calls["modify"] != 0 {
			t.Errorf("%+v, %v after %d creates and %d changes", report.Counts(), err, f.cloud.sent(), f.cloud.calls["modify"])
		}
	})
}

// One of its name that came since would have the new one beside it.
func TestReplacementIsNotMadeBesideAnotherJobOfItsName(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		other := f.plan.Jobs[0].Spec
		other.Source.Instance = "pc-9"
		f.cloud.add(other, time.Now())
		f.wantRun(runner.Counts{Kept: 1})
		f.plan.Jobs[0].Destination.Instance = "amv-9"
		f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
		f.options.AllowReplace = true
		f.wantBlocked("another job of this name exists", "rename or delete one of the two")
		if f.cloud.sent() != 1 || f.cloud.calls["modify"] != 0 {
			t.Errorf("%d creates and %d changes were sent", f.cloud.sent(), f.cloud.calls["modify"])
		}
	})
}

// A copy of a create that is listed beside the job that was to be deleted, and is not any
// more, is told like one beside any other job.
func TestCopyOfAJobWhoseDeletionFailedIsADuplicate(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		wanted := f.plan
		f.plan = &plan.Plan{Name: wanted.Name, Jobs: wanted.Jobs[1:]}
		f.options.AllowDelete = true
		f.cloud.modify = changeWithoutAnswer
		f.mustRun()
		if e := f.entry("job-000"); e.Pending.Operation != plan.OperationDelete {
			t.Fatalf("nothing is pending: %+v", e)
		}
		f.plan, f.cloud.modify = wanted, nil
		f.cloud.add(wanted.Jobs[0].Spec, time.Now())
		time.Sleep(time.Hour)
		if _, err := f.run(); err != nil {
			t.Fatal(err)
		}
		if e := f.entry("job-000"); e.State != plan.StateDuplicate || len(e.Candidates) != 2 {
			t.Errorf("it is %s of %v", e.State, e.Candidates)
		}
	})
}

// The only job of the ledger: nothing but its id can tell whether the listing hides it.
func TestOnlyJobIsNotGoneWhileTheServiceKnowsItsID(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.plan = &plan.Plan{Name: f.plan.Name}
		f.options.AllowDelete = true
		f.cloud.modify = changeWithoutAnswer
		hiding := &hidesAll{cloud: f.cloud}
		f.service = hiding
		f.mustRun()
		hiding.hides = true
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateCreated {
			t.Errorf("it is %s, and there", e.State)
		}
		f.cloud.remove("job-000")
		f.mustRun()
		if e := f.entry("job-000"); e.State != plan.StateAbsent {
			t.Errorf("it is %s, and gone", e.State)
		}
	})
}

// changeWithoutAnswer has a deletion come to nothing, with nobody told.
func changeWithoutAnswer(string) error {
	return &plan.CallError{Operation: "DeleteApsJob", Failure: plan.FailureTemporary, Why: "no answer"}
}

// hidesAll is the service, whose listings may show nothing.
type hidesAll struct {
	*cloud
	hides bool
}

func (h *hidesAll) List(ctx context.Context, region string, agree bool) (plan.Listing, error) {
	listing, err := h.cloud.List(ctx, region, agree)
	if h.hides {
		listing.Jobs = nil
	}
	return listing, err
}

// slowToSuspend acknowledges a suspension at once and carries it out 3 s later. It
// deletes only what is suspended.
type slowToSuspend struct {
	*cloud
	suspended time.Time // when the job will be
	// How many deletions were refused, and suspensions acknowledged.
	refused, suspensions int
}

func (s *slowToSuspend) Change(ctx context.Context, request plan.ChangeRequest) error {
	const takes = 3 * time.Second
	switch {
	case request.Operation == plan.OperationDelete && (s.suspended.IsZero() || time.Now().Before(s.suspended)):
		s.refused++
		return &plan.CallError{Operation: "DeleteApsJob", Failure: plan.FailureOther, Why: "refused", Code: "IncorrectDBInstanceState"}
	case request.Operation == plan.OperationSuspend:
		s.suspensions++
		s.suspended = time.Now().Add(takes)
		return nil
	}
	return s.cloud.Change(ctx, request)
}

func (s *slowToSuspend) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	detail, err := s.cloud.Detail(ctx, region, id)
	switch {
	case s.suspended.IsZero():
	case time.Now().Before(s.suspended):
		detail.Status = "Suspending"
	default:
		detail.Status = "Suspended"
	}
	return detail, err
}
