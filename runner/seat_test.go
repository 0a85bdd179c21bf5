package runner_test

import (
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// slowDisk is a ledger whose records take their place at once and are on disk a
// while later.
type slowDisk struct {
	runner.Ledger
	takes           time.Duration
	waiting, widest *atomic.Int64
}

func (l slowDisk) Settle(ctx context.Context, t plan.Transition) error {
	if t.Queued != nil {
		t.Queued()
		t.Queued = nil
	}
	if n := l.waiting.Add(1); n > l.widest.Load() {
		l.widest.Store(n)
	}
	time.Sleep(l.takes)
	l.waiting.Add(-1)
	return l.Ledger.Settle(ctx, t)
}

// A worker whose record has its place in the ledger holds up nobody, and there are
// never more of them than twice the seats; a single seat is not given on.
func TestSeatIsFreeWhileTheVerdictGoesToDisk(t *testing.T) {
	for _, c := range []struct {
		seats           int
		least, most     time.Duration
		widest, busiest int
	}{
		{seats: 1, least: 40 * time.Second, most: 41 * time.Second, widest: 1, busiest: 1},
		{seats: 2, least: 10 * time.Second, most: 13 * time.Second, widest: 3, busiest: 2},
	} {
		inBubble(t, 20, func(f *fixture) {
			f.options.Parallel = c.seats
			f.cloud.latency = time.Second
			disk := slowDisk{takes: time.Second, waiting: new(atomic.Int64), widest: new(atomic.Int64)}
			f.wrap = func(l runner.Ledger) runner.Ledger { disk.Ledger = l; return disk }
			report := f.mustRun()
			f.wantCounts(report, runner.Counts{Created: 20})
			if report.Elapsed < c.least || report.Elapsed > c.most {
				f.Errorf("%d seats: it took %s, want %s to %s", c.seats, report.Elapsed, c.least, c.most)
			}
			if n := int(disk.widest.Load()); n > c.widest || f.cloud.busiest > c.busiest {
				f.Errorf("%d seats: %d recorded at once, and %d requests were on the wire", c.seats, n, f.cloud.busiest)
			}
		})
	}
}

// What was created goes to disk also while nobody takes what the run tells, and the
// run stands still for that.
func TestVerdictsAreRecordedWhileNobodyListens(t *testing.T) {
	const seats = 4
	inBubble(t, seats, func(f *fixture) {
		f.options.Parallel = seats
		f.cloud.latency = time.Second
		start := time.Now()
		stuck := false
		f.options.Observe = func(runner.Progress) {
			if time.Since(start) >= time.Second && !stuck { // at the first answer
				stuck = true
				time.Sleep(time.Hour)
			}
		}
		time.AfterFunc(time.Minute, func() {
			for name, e := range f.snapshot().Entries {
				if e.State != plan.StateCreated {
					t.Errorf("%s is %s a minute after its answer", name, e.State)
				}
			}
		})
		f.wantCounts(f.mustRun(), runner.Counts{Created: seats})
	})
}

// The budget of creates without an answer ends a run when it is used up, and not
// while a job is being recorded that was created.
func TestRunGoesOnAfterTheRecordOfACreatedJob(t *testing.T) {
	for _, seats := range []int{2, 8} {
		lostOnes := 2*seats - 1
		inBubble(t, 3+lostOnes, func(f *fixture) {
			f.options.Parallel = seats
			f.cloud.latency = 100 * time.Millisecond
			f.cloud.answer = func(r plan.CreateRequest, n int) reply {
				switch {
				case r.Spec.Name >= "job-003":
					return lost(false)
				case n == 1:
					return throttled(2 * time.Minute)
				}
				return reply{create: true}
			}
			report := f.mustRun()
			f.wantCounts(report, runner.Counts{Created: 3, Unknown: lostOnes})
			if report.Stop != runner.StopNone {
				f.Errorf("stopped by %q: %s", report.Stop, report.StopDetail)
			}
		})
	}
}

// Goroutines are as many as workers call for, and no more for more jobs, also where
// jobs wait between their tries.
func TestGoroutinesAreBoundedByWorkers(t *testing.T) {
	const seats, others = 4, 6 // who may be about beside workers: timers, the disk, the picture
	for _, jobs := range []int{40, 400} {
		inBubble(t, jobs, func(f *fixture) {
			f.options.Parallel = seats
			before, most := runtime.NumGoroutine(), atomic.Int64{}
			f.cloud.latency = time.Second
			f.cloud.answer = func(r plan.CreateRequest, n int) reply {
				if now := int64(runtime.NumGoroutine()); now > most.Load() {
					most.Store(now)
				}
				if n == 1 && strings.HasSuffix(r.Spec.Name, "5") {
					return throttled(10 * time.Second)
				}
				return reply{create: true}
			}
			f.wantCounts(f.mustRun(), runner.Counts{Created: jobs})
			t.Logf("%d jobs: %d goroutines beside the %d before", jobs, most.Load()-int64(before), before)
			if extra := int(most.Load()) - before; extra > 2*seats+others {
				t.Errorf("%d jobs: %d goroutines for %d workers", jobs, extra, seats)
			}
		})
	}
}
