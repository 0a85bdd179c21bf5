package runner

import (
	"fmt"
	"sync"
	"time"
)

const (
	// SkewWarn and SkewRefuse are how far the clocks of this machine and of the
	// service may be apart before a run warns, and before it creates nothing.
	SkewWarn   = 2 * time.Minute
	SkewRefuse = 10 * time.Minute
	// skewAbsurd marks a Date header that cannot be a clock reading; it is
	// ignored as if the service had sent none.
	skewAbsurd = 24 * time.Hour
)

// serverClock estimates the service's time from the Date headers of its
// answers. Decisions about absence are taken by it, so that a wrong clock here
// cannot make an old request look settled. Safe for concurrent use.
type serverClock struct {
	now    func() time.Time
	mu     sync.Mutex
	offset time.Duration
	known  bool
}

// observe takes in one Date header; a zero time is ignored.
func (c *serverClock) observe(server time.Time) {
	if server.IsZero() {
		return
	}
	// Round(0) drops the monotonic reading: the wall clock is what gets signed.
	offset := server.Sub(c.now().Round(0))
	if offset.Abs() > skewAbsurd {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.known = offset, true
}

// estimate returns the service's clock minus ours, and whether it is known.
func (c *serverClock) estimate() (time.Duration, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset, c.known
}

// earliest is the earliest that it can be now, by the service's clock and by
// ours: of the two, a proof of absence takes the one that is behind, so that one
// wrong clock, here or there, cannot make a young request look settled. Without
// a Date header, the most that our own clock may be ahead is taken off.
func (c *serverClock) earliest() time.Time {
	offset, known := c.estimate()
	if !known {
		return c.now().Add(-SkewRefuse)
	}
	return c.now().Add(min(0, offset))
}

// SkewError says that this machine's clock is too far from the service's to
// sign requests that mean what they say.
type SkewError struct{ Offset time.Duration }

func (e *SkewError) Error() string {
	direction := "behind"
	if e.Offset < 0 {
		direction = "ahead of"
	}
	return fmt.Sprintf("this machine's clock is %s %s the service's; nothing was created: set the clock (NTP), then run again",
		e.Offset.Abs().Round(time.Second), direction)
}

// check returns a *SkewError when nothing may be created, or else a warning to
// show, "" when the clocks agree well enough.
func (c *serverClock) check() (warning string, err error) {
	offset, known := c.estimate()
	switch {
	case !known || offset.Abs() < SkewWarn:
		return "", nil
	case offset.Abs() > SkewRefuse:
		return "", &SkewError{offset}
	}
	return fmt.Sprintf("this machine's clock differs from the service's by %s; over %s nothing would be created",
		offset.Abs().Round(time.Second), SkewRefuse), nil
}
