package runner_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/runner"
)

// quota is a service that admits so many calls per second, with a bucket of
// one second's worth, as the emulator has it.
type quota struct {
	perSecond, tokens float64
	last              time.Time
}

func (q *quota) admit(now time.Time) bool {
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

func TestGovernorFindsAnUnknownQuota(t *testing.T) {
	for _, perSecond := range []float64{2, 10, 50, 300} {
		synctest.Test(t, func(t *testing.T) {
			g := runner.NewGovernor(0)
			admitted, throttled := drive(g, &quota{perSecond: perSecond, tokens: perSecond, last: time.Now()}, 5*time.Minute)
			if used := float64(admitted) / (perSecond * 300); used < 0.7 {
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
