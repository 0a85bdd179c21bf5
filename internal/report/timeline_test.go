package report

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func (t timeline) count() [3]int {
	var n [3]int
	for _, b := range t.Buckets {
		n[0], n[1], n[2] = n[0]+b.Created, n[1]+b.Throttled, n[2]+b.Other
	}
	return n
}

// TestTimeline: never more buckets than fit, none missing, and each attempt in one.
func TestTimeline(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, span := range []time.Duration{0, time.Second, 59 * time.Second, time.Hour, 36 * time.Hour, 400 * 24 * time.Hour, 40 * 365 * 24 * time.Hour} {
		var attempts []Attempt
		for i := range 101 {
			attempts = append(attempts, Attempt{At: start.Add(span * time.Duration(i) / 100), Outcome: plan.StateCreated})
		}
		attempts = append(attempts, Attempt{At: start, Outcome: plan.StateRejected, Failure: plan.FailureThrottled},
			Attempt{At: start, Outcome: plan.StateUnknown})
		line := newTimeline(attempts)
		if len(line.Buckets) > bucketsMax || line.count() != [3]int{101, 1, 1} {
			t.Errorf("%s: %d buckets, %v", span, len(line.Buckets), line.count())
		}
		if c := newChart(line); len(c.Ticks) == 0 || c.Ticks[0].X < 0 || len(c.Bars) == 0 || c.Bars[len(c.Bars)-1].X > chartWidth {
			t.Errorf("%s: %+v", span, c)
		}
	}
	if newChart(newTimeline(nil)) != nil {
		t.Error("nothing has a picture")
	}
}
