package runner_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// tired is a service that tells some details and then fails.
type tired struct {
	*cloud
	left atomic.Int32
	err  error
}

func (s *tired) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	if s.left.Add(-1) < 0 {
		return plan.RemoteDetail{}, s.err
	}
	return s.cloud.Detail(ctx, region, id)
}

// importAll looks, and imports everything that nothing is in the way of.
func (f *fixture) importAll(service runner.Service, planName string) ([]runner.Imported, error) {
	f.Helper()
	importer := runner.NewImporter(f.ledger, service, runner.SystemClock(), runner.Options{RunID: "run-1", Parallel: 3})
	entries, err := f.ledger.Entries(f.Context(), store.Filter{})
	if err != nil {
		f.Fatal(err)
	}
	found, err := importer.Look(f.Context(), []string{region}, entries)
	if err != nil {
		f.Fatal(err)
	}
	return importer.Import(f.Context(), planName, found)
}

func TestImportThatEndsHalfWayGoesOnFromThere(t *testing.T) {
	inBubble(t, 0, func(f *fixture) {
		const jobs = 20
		for i := range jobs {
			f.cloud.add(jobNamed(fmt.Sprintf("job-%03d", i)).Spec, time.Now())
		}
		service := &tired{cloud: f.cloud, err: &plan.CallError{Operation: "DescribeApsJobDetail", Why: "down", Failure: plan.FailureTemporary}}
		service.left.Store(7)
		if _, err := f.importAll(service, "test"); !errors.Is(err, service.err) {
			t.Fatalf("got %v", err)
		}
		if n := len(f.snapshot().Entries); n != 7 {
			t.Errorf("%d entries", n)
		}
		service.left.Store(jobs - 7) // no detail is asked for twice
		if _, err := f.importAll(service, "test"); err != nil {
			t.Fatal(err)
		}
		if n := len(f.snapshot().Entries); n != jobs {
			t.Errorf("%d entries", n)
		}
		f.plan = planOf(jobs)
		f.wantCounts(f.mustRun(), runner.Counts{Planned: jobs, Kept: jobs})
		if f.cloud.sent() != 0 {
			t.Errorf("%d creates were sent", f.cloud.sent())
		}
	})
}

// A job that may come from a create of ours is not given to another plan: it
// would be missing where it is looked for, and be made again.
func TestImportLeavesWhatAnUnansweredCreateMayHaveMade(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(true) }
		f.cloud.lag = time.Hour
		f.mustRun()
		f.cloud.lag = 0
		synctest.Wait()
		got, err := f.importAll(f.cloud, "other")
		if err != nil || len(got) != 1 || got[0].Why == "" || got[0].WayOut == "" {
			t.Fatalf("got %+v, %v", got, err)
		}
		f.wantCounts(f.mustRun(), runner.Counts{Planned: 1, Kept: 1})
		if f.cloud.duplicates() != 0 {
			t.Error("it is there twice")
		}
	})
}
