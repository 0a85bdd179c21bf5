package runner

import (
	"context"
	"sync"
	"time"
)

// Governor paces the calls of all workers, one rate for each operation and
// region. It rises fast until it is throttled or reaches the ceiling; from then on
// it stays close to what the service lets through, and notices within seconds when
// that becomes more or less. A throttled answer also closes a gate that nobody
// passes until the service's hint, or a growing pause of our own, is over.
//
// It is safe for concurrent use.
type Governor struct {
	// Slowed is told when a throttled answer slows calls down, and for how long none
	// is sent. nil means nobody listens. Set it before the first call.
	Slowed func(operation, region string, wait time.Duration, rate float64)

	ceiling float64
	mu      sync.Mutex
	lanes   map[lane]*pace
}

type lane struct{ operation, region string }

// NewGovernor returns a Governor that never exceeds ceiling calls per second
// for an operation and region. Zero means no ceiling.
func NewGovernor(ceiling float64) *Governor {
	if ceiling <= 0 || ceiling > rateMax {
		ceiling = rateMax
	}
	return &Governor{ceiling: ceiling, lanes: map[lane]*pace{}}
}

// Wait blocks until a call may be sent, or returns the context's error.
func (g *Governor) Wait(ctx context.Context, operation, region string) error {
	p := g.pace(operation, region)
	// One at a time waits for the next token: were all of them to wake for it, most of
	// a run at a low rate would be spent waking.
	select {
	case p.turn <- struct{}{}:
		defer func() { <-p.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		delay := p.reserve(time.Now())
		if delay <= 0 {
			return ctx.Err()
		}
		if err := sleep(ctx, delay); err != nil {
			return err
		}
	}
}

// Observe tells the Governor how a call went. retryAfter is the service's
// hint, zero when it gave none.
func (g *Governor) Observe(operation, region string, throttled bool, retryAfter time.Duration) {
	p := g.pace(operation, region)
	if throttled {
		wait, rate := p.slowDown(time.Now(), retryAfter)
		if g.Slowed != nil {
			g.Slowed(operation, region, wait, rate)
		}
	} else {
		p.speedUp(time.Now())
	}
}

// Rate is the pace of an operation and region now, in calls per second.
func (g *Governor) Rate(operation, region string) float64 {
	p := g.pace(operation, region)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rate
}

// heldUntil is when the next call may pass at the earliest.
func (g *Governor) heldUntil(operation, region string) time.Time {
	p := g.pace(operation, region)
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.notBefore
}

func (g *Governor) pace(operation, region string) *pace {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := lane{operation, region}
	p := g.lanes[key]
	if p == nil {
		p = newPace(g.ceiling)
		g.lanes[key] = p
	}
	return p
}

// sleep waits for d or until ctx ends, whose error it then returns.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
