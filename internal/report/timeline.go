package report

import (
	"time"

	"github.com/apsctl/apsctl/plan"
)

// bucketsMax is the number of buckets that a timeline may have.
const bucketsMax = 60

// timeSteps are the widths that buckets may have. A timeline that is longer than
// bucketsMax of the last one has wider ones, multiples of it.
var timeSteps = []time.Duration{
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// newTimeline counts what is known of the attempts by when it was recorded.
func newTimeline(attempts []Attempt) timeline {
	var t timeline
	if len(attempts) == 0 {
		return t
	}
	first, last := attempts[0].At, attempts[0].At
	for _, a := range attempts {
		if a.At.Before(first) {
			first = a.At
		}
		if a.At.After(last) {
			last = a.At
		}
	}
	step := timeStep(last.Sub(first))
	t.From, t.StepMs = first.Truncate(step), step.Milliseconds()
	t.Buckets = make([]timeBucket, last.Sub(t.From)/step+1)
	for i := range t.Buckets {
		t.Buckets[i].At = t.From.Add(time.Duration(i) * step)
	}
	for _, a := range attempts {
		b := &t.Buckets[a.At.Sub(t.From)/step]
		switch {
		case a.Outcome == plan.StateCreated:
			b.Created++
			t.Created++
		case a.Failure == plan.FailureThrottled:
			b.Throttled++
			t.Throttled++
		default:
			b.Other++
			t.Other++
		}
	}
	return t
}

// timeStep is the narrowest bucket that covers span, which may begin anywhere
// within one, with bucketsMax.
func timeStep(span time.Duration) time.Duration {
	for _, step := range timeSteps {
		if span/step+2 <= bucketsMax {
			return step
		}
	}
	widest := timeSteps[len(timeSteps)-1]
	return widest * (span/(widest*(bucketsMax-2)) + 1)
}
