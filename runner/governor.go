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
	rateRise  = 4.0 // times as many after each second without throttling
	rateMin   = 0.1 // however often it was throttled
	rateMax   = 1e6 // "no ceiling": more than any service or machine can do
	// A cut goes to a little below what is known of the limit. From there the rate
	// grows by the share feel per second up to the limit, and by probe beyond it: a
	// service that counts with a bucket lets a little more pass for some seconds.
	// Once the rate is at past of the limit, unhindered, that is no longer the limit,
	// and the rate grows by jump per second.
	backOff  = 0.95
	feel     = 0.006
	probe    = 0.025
	past     = 1.15
	jump     = 0.5
	recovery = 0.05 // of the limit per second, from far below it
	// More than this share of a limit passes only if it is a limit no longer, and one
	// that was right may be a little higher than was known.
	bucketMost = 1.25
	limitDrift = 1.01
	// Each wait after a cut is twice as long as the last, until there was none for
	// a while. A minute-window limit admits again in the next minute, so none need
	// be longer than gateMax (API reference, section 13).
	pauseStart = 100 * time.Millisecond
	calmPeriod = 5 * time.Second
	gateMax    = 90 * time.Second
)

// Governor paces the calls of all workers, one rate for each operation and
// region. It starts low and rises fast until it is throttled or reaches the
// ceiling; from then on it stays close to what the service lets through, and
// notices within seconds when that becomes more or less. A throttled answer also
// closes a gate that nobody passes until the service's hint, or a growing pause
// of our own, is over.
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

// pace is the state of one lane.
type pace struct {
	ceiling float64

	mu        sync.Mutex
	limiter   *rate.Limiter
	rate      float64
	grownAt   time.Time
	limit     float64 // of the service, as far as is known; 0 while starting
	cutAt     time.Time
	pause     time.Duration // our own wait after a throttled answer, doubling
	notBefore time.Time
	passed    meter
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

// slowDown cuts the rate, once for all answers to calls of the same moment. It
// returns how long nobody passes now, and the rate from then on.
func (p *pace) slowDown(now time.Time, hint time.Duration) (wait time.Duration, rate float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if since := now.Sub(p.cutAt); since >= time.Second {
		if since > calmPeriod {
			p.pause = 0
		}
		p.limit = p.limitNow(p.passed.perSecond(now))
		p.cutAt, p.grownAt = now, now
		p.pause = min(max(2*p.pause, pauseStart), gateMax)
		p.set(p.limit * backOff)
	}
	if until := now.Add(max(hint, p.pause)); until.After(p.notBefore) {
		p.notBefore = until
	}
	return p.notBefore.Sub(now), p.rate
}

// limitNow is what a throttled answer tells of the service's limit, after so many
// calls had passed in the second before. A service that counts with a bucket lets
// more pass after a calm than it does for long.
func (p *pace) limitNow(passed float64) float64 {
	least := p.rate / 2
	switch {
	case p.limit == 0:
		return least // it is four times what it was a second ago
	case passed > bucketMost*p.limit:
		return max(least, passed*backOff)
	}
	return max(least, min(passed, p.limit*limitDrift))
}

// speedUp notes an answer, and lets the rate grow with the time since it last did.
func (p *pace) speedUp(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed.add(now)
	// Nothing is learned from a pause, but at a low rate answers are far apart.
	elapsed := min(now.Sub(p.grownAt).Seconds(), max(1, 1.5/p.rate))
	if elapsed < 0.05 || p.rate >= p.ceiling {
		return
	}
	p.grownAt = now
	switch {
	case p.limit == 0:
		p.set(p.rate * math.Pow(rateRise, elapsed))
	case p.rate < p.limit*backOff:
		p.set(p.rate + p.limit*recovery*elapsed)
	case p.rate < p.limit:
		p.set(p.rate * (1 + feel*elapsed))
	case p.rate < p.limit*past:
		p.set(p.rate * (1 + probe*elapsed))
	default:
		p.set(p.rate * (1 + jump*elapsed))
	}
}

// meter counts answers in the last second, by tenths of it. The zero meter is
// ready.
type meter struct {
	counts [meterParts]float64
	latest int64 // the part that was counted last, since 1970
}

const meterParts = 10

func (m *meter) add(now time.Time) { m.counts[m.turn(now)%meterParts]++ }

// perSecond is the number of answers in the second before now.
func (m *meter) perSecond(now time.Time) float64 {
	m.turn(now)
	sum := 0.0
	for _, n := range m.counts {
		sum += n
	}
	return sum
}

// turn forgets what is over a second ago, and returns the part of now.
func (m *meter) turn(now time.Time) int64 {
	part := now.UnixNano() / int64(time.Second/meterParts)
	for ; m.latest < part; m.latest++ {
		if part-m.latest > meterParts {
			m.latest = part - meterParts
		}
		m.counts[(m.latest+1)%meterParts] = 0
	}
	return part
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
