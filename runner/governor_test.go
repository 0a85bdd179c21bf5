package runner_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/runner"
)

// quota is a service that admits so many calls per second, with a bucket of
// one second's worth, as the emulator has it.
type quota struct {
	mu                sync.Mutex
	perSecond, tokens float64
	last              time.Time
}

// set changes the quota from now on.
func (q *quota) set(perSecond float64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.perSecond = perSecond
}

func (q *quota) admit(now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.tokens = min(q.perSecond, q.tokens+now.Sub(q.last).Seconds()*q.perSecond)
	q.last = now
	if q.tokens < 1 {
		return false
	}
	q.tokens--
	return true
}

// drive makes calls under g for a while and counts what the quota said.
func drive(g *runner.Governor, q *quota, d time.Duration) (admitted, throttled int) {
	for start := time.Now(); time.Since(start) < d; {
		if g.Wait(context.Background(), "Create", region) != nil {
			break
		}
		ok := q.admit(time.Now())
		g.Observe("Create", region, !ok, 0)
		if ok {
			admitted++
		} else {
			throttled++
		}
	}
	return admitted, throttled
}

// load has workers make calls of about a latency under g, until its end, and says
// of each second how many the quota admitted, and how many were throttled in all.
func load(g *runner.Governor, q *quota, workers int, latency time.Duration, seconds int, seed uint64) (admitted []int, throttled int) {
	admitted = make([]int, seconds)
	dice := rand.New(rand.NewPCG(seed, 0))
	start, mu := time.Now(), sync.Mutex{}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				_ = g.Wait(context.Background(), "Create", region)
				mu.Lock()
				second := int(time.Since(start).Seconds())
				if second >= seconds {
					mu.Unlock()
					return
				}
				ok := q.admit(time.Now())
				if ok {
					admitted[second]++
				} else {
					throttled++
				}
				takes := time.Duration((0.75 + dice.Float64()/2) * float64(latency))
				mu.Unlock()
				time.Sleep(takes)
				g.Observe("Create", region, !ok, 0)
			}
		})
	}
	group.Wait()
	return admitted, throttled
}

func sum(counts []int) (all int) {
	for _, n := range counts {
		all += n
	}
	return all
}

// TestGovernorStaysJustUnderAnUnknownQuota: after the first ten seconds at least
// 95 % of it is used, and less than 1 % of all calls are throttled, or at low rates
// and with late answers, 3 %: -v prints the figures, which differ a little with the
// order of the workers.
func TestGovernorStaysJustUnderAnUnknownQuota(t *testing.T) {
	for _, perSecond := range []float64{20, 100, 300} {
		for _, latency := range []time.Duration{time.Millisecond, 50 * time.Millisecond, 400 * time.Millisecond} {
			if perSecond*latency.Seconds() > 50 {
				continue // hundreds of workers take long to simulate
			}
			t.Run(fmt.Sprintf("%v per second, %s", perSecond, latency), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					const seconds = 130
					workers := int(perSecond*latency.Seconds()*2) + 8
					q := &quota{perSecond: perSecond, tokens: perSecond, last: time.Now()}
					admitted, throttled := load(runner.NewGovernor(0), q, workers, latency, seconds, 1)
					used := float64(sum(admitted[10:])) / perSecond / (seconds - 10)
					share := float64(throttled) / float64(throttled+sum(admitted))
					t.Logf("quota %v, latency %v: %.1f%% used, %.2f%% throttled", perSecond, latency, 100*used, 100*share)
					most := 0.01
					if perSecond < 100 || latency > 50*time.Millisecond {
						most = 0.03
					}
					if used < 0.95 || share > most {
						t.Errorf("quota %v, latency %v: %.1f%% of it was used, and %.2f%% of the calls were throttled", perSecond, latency, 100*used, 100*share)
					}
				})
			})
		}
	}
}

// governorSeeds is how many histories of each kind are played: 4 take seconds.
var governorSeeds = flag.Int("governor.seeds", 4, "histories of a quota that changes, for each latency")

// TestGovernorFollowsAQuotaThatChanges: halved and restored, it is used to 95 %
// again within 15 seconds, whatever the moment within the governor's own rhythm.
func TestGovernorFollowsAQuotaThatChanges(t *testing.T) {
	for _, latency := range []time.Duration{5 * time.Millisecond, 50 * time.Millisecond, 300 * time.Millisecond} {
		for seed := range *governorSeeds {
			synctest.Test(t, func(t *testing.T) {
				dice := rand.New(rand.NewPCG(uint64(seed), 1))
				q := &quota{perSecond: 100, tokens: 100, last: time.Now()}
				first := 25 + dice.IntN(10)
				second := first + 25 + dice.IntN(10)
				jitter := time.Duration(dice.IntN(1000)) * time.Millisecond
				time.AfterFunc(time.Duration(first)*time.Second-jitter, func() { q.set(50) })
				time.AfterFunc(time.Duration(second)*time.Second-jitter, func() { q.set(100) })
				admitted, _ := load(runner.NewGovernor(0), q, 8+int(150*latency.Seconds()), latency, second+30, uint64(seed))
				t.Logf("seed %d, %v: %s, %s", seed, latency,
					wantUsed(t, "halved", admitted[first:second], 50), wantUsed(t, "restored", admitted[second:], 100))
			})
		}
	}
}

// wantUsed wants 95 % of a quota used in some five seconds of the first 15 after it
// became what it is, and over all that follow. It returns figures to show.
func wantUsed(t *testing.T, what string, admitted []int, perSecond float64) string {
	t.Helper()
	const window = 5
	back := window
	for back < len(admitted) && float64(sum(admitted[back-window:back])) < 0.95*window*perSecond {
		back++
	}
	used := float64(sum(admitted[back-window:])) / perSecond / float64(len(admitted)-back+window)
	if back > 15 || used < 0.95 {
		t.Errorf("%s: back after %d s, and %.1f%% is used from then on: %v", what, back, 100*used, admitted)
	}
	return fmt.Sprintf("%s: back after %d s, then %.1f%% used", what, back, 100*used)
}

func TestGovernorFindsASmallQuota(t *testing.T) {
	for _, perSecond := range []float64{2, 10, 50} {
		synctest.Test(t, func(t *testing.T) {
			g := runner.NewGovernor(0)
			admitted, throttled := drive(g, &quota{perSecond: perSecond, tokens: perSecond, last: time.Now()}, 5*time.Minute)
			if used := float64(admitted) / (perSecond * 300); used < 0.9 {
				t.Errorf("quota %v: only %.0f%% of it was used", perSecond, 100*used)
			}
			if share := float64(throttled) / float64(admitted+throttled); share > 0.05 {
				t.Errorf("quota %v: %.1f%% of the calls were throttled", perSecond, 100*share)
			}
		})
	}
}

func TestGovernorRecoversWhenTheLimitWasNotTheQuota(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := runner.NewGovernor(0)
		for range 5 { // other tools used the quota up
			g.Observe("Create", region, true, 0)
			time.Sleep(2 * time.Second)
		}
		drive(g, &quota{perSecond: 50, last: time.Now()}, time.Minute)
		if rate := g.Rate("Create", region); rate < 20 {
			t.Errorf("a minute later the rate is still %.1f of 50", rate)
		}
	})
}

func TestGovernorNeverPassesItsCeiling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		admitted, _ := drive(runner.NewGovernor(5), &quota{perSecond: 1e9, tokens: 1e9}, time.Minute)
		if admitted > 5*60+1 {
			t.Errorf("%d calls in a minute under a ceiling of 5 per second", admitted)
		}
	})
}

func TestGovernorWithoutACeilingGoesOnAfterLongCalm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := runner.NewGovernor(0)
		for range 3600 { // an hour of answers, a second apart
			if err := g.Wait(t.Context(), "Create", region); err != nil {
				t.Fatal(err)
			}
			g.Observe("Create", region, false, 0)
			time.Sleep(time.Second)
		}
		start := time.Now()
		for range 100 {
			if err := g.Wait(t.Context(), "Create", region); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("100 calls waited %s at a rate of %g", waited, g.Rate("Create", region))
		}
	})
}

func TestGovernorHonoursTheHintAsAMinimum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := runner.NewGovernor(0)
		g.Observe("Create", region, true, 10*time.Minute)
		start := time.Now()
		if err := g.Wait(t.Context(), "Create", region); err != nil || time.Since(start) < 10*time.Minute {
			t.Errorf("waited %s (%v), the hint was 10m", time.Since(start), err)
		}
	})
}

func TestGovernorKeepsOperationsAndRegionsApart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := runner.NewGovernor(0)
		g.Observe("Create", region, true, time.Minute)
		start := time.Now()
		for _, lane := range [][2]string{{"List", region}, {"Create", "cn-beijing"}} {
			if err := g.Wait(t.Context(), lane[0], lane[1]); err != nil {
				t.Fatal(err)
			}
		}
		if waited := time.Since(start); waited > time.Second {
			t.Errorf("others waited %s for a throttled lane", waited)
		}
	})
}

func TestGovernorWaitEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := runner.NewGovernor(0)
		g.Observe("Create", region, true, time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.Wait(ctx, "Create", region); err == nil {
			t.Error("it did not notice the end of its context")
		}
	})
}
