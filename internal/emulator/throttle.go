package emulator

import (
	"math"
	"sync"
	"time"
)

// throttle is one token bucket for each account, region and action.
type throttle struct {
	rate float64 // tokens a second; 0 is unlimited

	mu      sync.Mutex
	buckets map[bucketID]*bucket
}

type bucketID struct {
	place
	action string
}

type bucket struct {
	tokens float64
	at     time.Time
}

// bucketsMax bounds memory against clients that invent regions.
const bucketsMax = 4096

func newThrottle(rate float64) *throttle {
	return &throttle{rate: rate, buckets: map[bucketID]*bucket{}}
}

// limit is the size of a bucket: what one second brings, at least one request.
func (t *throttle) limit() int { return int(math.Max(1, math.Floor(t.rate))) }

// take takes a token, or tells how long until there is one.
func (t *throttle) take(p place, action string, now time.Time) (wait time.Duration, ok bool) {
	if t.rate == 0 {
		return 0, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buckets) >= bucketsMax {
		clear(t.buckets)
	}
	id := bucketID{p, action}
	b := t.buckets[id]
	if b == nil {
		b = &bucket{tokens: float64(t.limit()), at: now}
		t.buckets[id] = b
	}
	// A clock that was set back earns nothing.
	earned := max(0, now.Sub(b.at).Seconds()) * t.rate
	b.tokens, b.at = math.Min(float64(t.limit()), b.tokens+earned), now
	if b.tokens < 1 {
		return time.Duration((1 - b.tokens) / t.rate * float64(time.Second)), false
	}
	b.tokens--
	return 0, true
}
