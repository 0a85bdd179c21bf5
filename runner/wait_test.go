package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// await waits for all entries of the ledger, for at most timeout.
func (f *fixture) await(condition string, timeout time.Duration) ([]runner.Awaited, error) {
	f.Helper()
	wanted, err := plan.ParseCondition(condition)
	if err != nil {
		f.Fatal(err)
	}
	var entries []plan.Entry
	for _, job := range f.plan.Jobs {
		entries = append(entries, f.entry(job.Name))
	}
	ctx, cancel := context.WithTimeout(f.Context(), timeout)
	defer cancel()
	f.options.Warn = func(string) {}
	return runner.NewWaiter(f.ledger, f.cloud, wanted, entries, f.options).Wait(ctx, nil)
}

func met(jobs []runner.Awaited) (n int) {
	for _, job := range jobs {
		if job.Met {
			n++
		}
	}
	return n
}

func TestWaitSharesOneListing(t *testing.T) {
	inBubble(t, 50, func(f *fixture) {
		f.mustRun()
		from, before := time.Now(), f.cloud.calls["list"]
		f.cloud.status = func(cloudJob) string {
			if time.Since(from) < time.Minute {
				return "Initializing"
			}
			return "Running"
		}
		jobs, err := f.await("running", time.Hour)
		if err != nil || met(jobs) != 50 {
			t.Errorf("%d of 50, %v", met(jobs), err)
		}
		// At 0, 2, 6, 14, 30 and 60 seconds.
		if n := f.cloud.calls["list"] - before; n != 6 || time.Since(from) > 90*time.Second || f.cloud.calls["detail"] != 0 {
			t.Errorf("%d listings and %d details in %s", n, f.cloud.calls["detail"], time.Since(from))
		}
	})
}

func TestWaitEndsWhenAJobFails(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		from := time.Now()
		f.cloud.status = func(job cloudJob) string {
			if job.Name == "job-001" && time.Since(from) > 10*time.Second {
				return "InitializeFailed"
			}
			return "Initializing"
		}
		jobs, err := f.await("running", time.Hour)
		if err != nil || time.Since(from) > time.Minute || !strings.Contains(jobs[1].Failed, "InitializeFailed") || jobs[0].Failed != "" {
			t.Errorf("after %s: %+v, %v", time.Since(from), jobs[1], err)
		}
	})
}

func TestWaitForDelayWantsAJobThatRuns(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.cloud.status = func(job cloudJob) string {
			if job.Name == "job-000" {
				return "Initializing" // its delay is 0
			}
			return "Running"
		}
		jobs, err := f.await("delay<=30s", time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) || jobs[0].Met || !jobs[1].Met {
			t.Errorf("%+v, %v", jobs, err)
		}
	})
}

// A listing that fails, or that shows none of our jobs, proves nothing.
func TestWaitForGoneTakesNoListingForProofThatIsNone(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		time.Sleep(runner.SettleDefault + runner.SkewRefuse) // else they may not be listed yet
		kept := f.plan.Jobs[2]
		f.plan.Jobs = f.plan.Jobs[:2]
		f.cloud.remove("job-000")
		if jobs, err := f.await("gone", time.Minute); !errors.Is(err, context.DeadlineExceeded) || !jobs[0].Met || jobs[1].Met {
			t.Errorf("one is gone: %+v, %v", jobs, err)
		}
		f.cloud.remove("job-001")
		f.cloud.listErr = errors.New("incomplete")
		if jobs, err := f.await("gone", time.Minute); !errors.Is(err, context.DeadlineExceeded) || met(jobs) != 0 {
			t.Errorf("no listing: %+v, %v", jobs, err)
		}
		f.cloud.listErr = nil
		f.cloud.remove(kept.Name)
		if jobs, err := f.await("gone", time.Minute); !errors.Is(err, context.DeadlineExceeded) || met(jobs) != 0 {
			t.Errorf("a listing that shows none of our jobs: %+v, %v", jobs, err)
		}
		f.cloud.add(kept.Spec, time.Now()) // another id, and so not ours
		f.cloud.mu.Lock()
		f.cloud.jobs[len(f.cloud.jobs)-1].ID = f.entry(kept.Name).JobID
		f.cloud.mu.Unlock()
		if jobs, err := f.await("gone", time.Minute); err != nil || met(jobs) != 2 {
			t.Errorf("both are gone: %+v, %v", jobs, err)
		}
	})
}

// A job that was created lately may not be listed yet, unless it was seen before.
func TestWaitForGoneOfAJobThatWasCreatedLately(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.options.Settle = runner.SettleDefault
		f.mustRun()
		f.cloud.mu.Lock()
		f.cloud.jobs[0].at = f.cloud.jobs[0].at.Add(time.Minute) // listed late
		hidden := f.cloud.jobs[0].Name
		f.cloud.mu.Unlock()
		f.plan.Jobs = slices.DeleteFunc(f.plan.Jobs, func(j plan.Job) bool { return j.Name != hidden })
		if jobs, err := f.await("gone", 30*time.Second); !errors.Is(err, context.DeadlineExceeded) || met(jobs) != 0 {
			t.Errorf("not listed yet: %+v, %v", jobs, err)
		}
		go func() {
			time.Sleep(3 * time.Minute)
			f.cloud.remove(hidden)
		}()
		started := time.Now()
		if jobs, err := f.await("gone", time.Hour); err != nil || met(jobs) != 1 || time.Since(started) > 5*time.Minute {
			t.Errorf("listed, and removed then: %+v, %v after %s", jobs, err, time.Since(started))
		}
	})
}

func TestWaitSaysAtOnceThatThereIsNoJob(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.cloud.answer = func(request plan.CreateRequest, _ int) reply {
			if request.Spec.Name == "job-001" {
				return refused(plan.FailureOther, "ADBClassNotSupport")
			}
			return reply{create: true}
		}
		_, _ = f.run()
		jobs, err := f.await("running", time.Hour)
		if err != nil || !strings.Contains(jobs[1].Failed, "there is no job: its create was refused") {
			t.Errorf("%+v, %v", jobs[1], err)
		}
		jobs, err = f.await("gone", 10*time.Second)
		if !errors.Is(err, context.DeadlineExceeded) || !jobs[1].Met {
			t.Errorf("gone: %+v, %v", jobs[1], err)
		}
	})
}

func TestWaitEndsWithWhatNoOtherListingMends(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.cloud.listErr = &plan.CallError{Operation: "DescribeApsJobs", Failure: plan.FailurePermission}
		if _, err := f.await("running", time.Hour); !errors.Is(err, f.cloud.listErr) {
			t.Errorf("got %v", err)
		}
	})
}
