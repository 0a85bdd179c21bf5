package runner

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	rateStart = 8.0 // calls per second before anything is known
	rateMin   = 0.1 // however often it was throttled
	rateMax   = 1e6 // "no ceiling": more than any service or machine can do
	// After a cut the rate grows by this share per second, and by twice as much
	// after each further calm period: slow while the limit is near, fast again
	// when it turns out to be far.
	growth     = 0.03
	growthMax  = 1.0
	calmPeriod = 10 * time.Second
	// A minute-window limit admits again in the next minute, so a wait need not
	// be longer than this (API reference, section 13).
	gateMax = 90 * time.Second
)

// Governor paces the calls of all workers, one rate for each operation and
// region: it starts low, doubles every second until it is throttled or reaches
// the ceiling, and from then on halves on throttling and grows back slowly. A
// throttled answer also closes a gate that nobody passes until the service's
// hint, or a growing pause of our own, is over.
//
// It is safe for concurrent use.
type Governor struct {
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
		p.slowDown(time.Now(), retryAfter)
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

// pace is the state of one lane.
type pace struct {
	ceiling float64

	mu        sync.Mutex
	limiter   *rate.Limiter
	rate      float64
	grownAt   time.Time
	cutAt     time.Time     // when it was last halved; zero while starting
	pause     time.Duration // our own wait after a throttled answer, doubling
	notBefore time.Time
}

func newPace(ceiling float64) *pace {
	p := &pace{ceiling: ceiling, grownAt: time.Now()}
	p.limiter = rate.NewLimiter(0, 1)
	p.set(math.Min(rateStart, ceiling))
	return p
}

// set changes the rate. The burst stays within a tenth of a second's worth:
// enough for the timer's grain, too little to run into a quota.
func (p *pace) set(perSecond float64) {
	p.rate = math.Max(rateMin, math.Min(perSecond, p.ceiling))
	p.limiter.SetLimit(rate.Limit(p.rate))
	p.limiter.SetBurst(int(math.Max(1, p.rate/10)))
}

// reserve returns 0 if a call may go now, taking a token, or else how long to
// wait before asking again. It never books ahead: a token that was promised
// at the old rate would slip through after a cut.
func (p *pace) reserve(now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.notBefore.Sub(now); wait > 0 {
		return wait
	}
	if p.limiter.AllowN(now, 1) {
		return 0
	}
	missing := 1 - p.limiter.TokensAt(now)
	return max(time.Millisecond, time.Duration(missing/p.rate*float64(time.Second)))
}

// slowDown halves the rate, once for all answers to calls of the same moment.
func (p *pace) slowDown(now time.Time, hint time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Sub(p.cutAt) >= time.Second {
		p.cutAt, p.grownAt = now, now
		p.set(p.rate / 2)
		p.pause = min(max(2*p.pause, 250*time.Millisecond), gateMax)
	}
	if until := now.Add(max(hint, p.pause)); until.After(p.notBefore) {
		p.notBefore = until
	}
}

// speedUp lets the rate grow with the time since it last did.
func (p *pace) speedUp(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	elapsed := min(now.Sub(p.grownAt), time.Second).Seconds()
	if elapsed < 0.05 || p.rate >= p.ceiling {
		return
	}
	p.grownAt = now
	if p.cutAt.IsZero() {
		p.set(p.rate * math.Exp2(elapsed))
		return
	}
	if now.Sub(p.cutAt) > 5*time.Second {
		p.pause = 0
	}
	calm := float64(now.Sub(p.cutAt) / calmPeriod) // whole periods
	p.set(p.rate * (1 + min(growth*math.Exp2(calm), growthMax)*elapsed))
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
