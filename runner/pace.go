package runner

import (
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

const (
	// rateStart is the pace before anything is known: what is throttled was not carried
	// out and costs little, and a service without a quota is not kept waiting. Until the
	// first throttled answer it is rateRise times the calls that passed in the last
	// second, where that is more. So the calls on their way when a quota shows are a
	// share of it, and the same share of a large quota as of a small one.
	rateStart = 600.0
	rateRise  = 6.0
	// rateAdvised is the pace that is advised while calls are throttled (API reference,
	// section 7): only a measured limit is less.
	rateAdvised = 1.0
	rateMin     = 0.1 // calls per second, however often it was throttled
	rateMax     = 1e6 // "no ceiling": more than any service or machine can do
	// A cut goes to a little below what is known of the limit. From there the rate
	// grows by a share of it per second: by probe along a limit that was measured, less
	// at the low rates at which one throttled call is a large share, and by search
	// where the limit is a guess. Once more calls passed than the limit can have let
	// through it is one no longer, and the rate grows by jump.
	backOff = 0.96
	probe   = 0.02
	probeAt = 100.0 // calls per second from which on probe is as large as it gets
	search  = 0.25
	jump    = 0.7
	// A service that counts with a bucket lets through what was not used before, up to
	// about this many seconds' worth, and a little more by chance.
	bucketSeconds = 1.25
	chanceSeconds = 0.1
	chanceCalls   = 3.0
	// guess is the limit as a share of what passed in the second before a first cut, of
	// which some came out of a bucket; when next to nothing passed, this share of the rate.
	guess    = 0.6
	guessMin = 1.0 / 64
	// A measurement takes so many calls, or so long.
	measureCalls   = 10.0
	measureSeconds = 3.0
	// Each wait after a cut is twice as long as the last while next to nothing passes
	// in between. A minute-window limit admits again in the next minute, so none need
	// be longer than gateMax (API reference, section 13).
	pauseStart = 100 * time.Millisecond
	calmPeriod = 5 * time.Second
	gateMax    = 90 * time.Second
	// After so many calls that passed since the last cut, waits begin at pauseStart again.
	callsThatPass = 3.0
)

// pace is the state of one lane.
type pace struct {
	ceiling float64
	turn    chan struct{} // holds whoever waits for the next token

	mu        sync.Mutex
	limiter   *rate.Limiter
	rate      float64
	grownAt   time.Time
	limit     float64 // of the service, as far as is known; 0 while starting
	measured  bool    // limit is no guess
	exceeded  bool    // more than limit lets through has passed since the cut
	cutAt     time.Time
	accepted  float64 // calls since the cut
	ahead     float64 // of those, beyond what limit has added since to an empty bucket
	aheadAt   time.Time
	pause     time.Duration // our own wait after a throttled answer, doubling
	notBefore time.Time
	passed    meter
}

func newPace(ceiling float64) *pace {
	p := &pace{ceiling: ceiling, turn: make(chan struct{}, 1), grownAt: time.Now()}
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
		if since > calmPeriod || p.accepted >= callsThatPass {
			p.pause = 0
		}
		p.learn(since, p.passed.perSecond(now))
		p.cutAt, p.grownAt, p.aheadAt = now, now, now
		p.accepted, p.ahead, p.exceeded = 0, 0, false
		p.pause = min(max(2*p.pause, pauseStart), gateMax)
		p.set(p.limit * backOff)
	}
	if until := now.Add(max(hint, p.pause)); until.After(p.notBefore) {
		p.notBefore = until
	}
	return p.notBefore.Sub(now), p.rate
}

// learn takes in what a throttled answer tells of the service's limit, so long
// after the last cut. At both moments a bucket is empty: between them exactly so
// many calls passed as the limit allowed. Where it has risen meanwhile, that is too
// few.
func (p *pace) learn(since time.Duration, passed float64) {
	advised := min(rateAdvised, p.rate)
	seconds, risen := since.Seconds(), max(passed*guess, p.rate*guessMin, advised)
	enough := p.accepted >= measureCalls || seconds >= measureSeconds && p.accepted > 0
	switch mean := p.accepted / seconds; {
	case p.limit == 0, p.exceeded && risen > mean:
		p.limit, p.measured = risen, false
	case enough:
		p.limit, p.measured = max(mean, p.rate/2), true
	default:
		p.limit, p.measured = max(p.rate/2, advised), false
	}
}

// speedUp notes an answer, and lets the rate grow: with what passes until a limit shows,
// and then with the time since it last did.
func (p *pace) speedUp(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.count(now)
	// Nothing is learned from a pause, but at a low rate answers are far apart.
	elapsed := min(now.Sub(p.grownAt).Seconds(), max(1, 1.5/p.rate))
	switch {
	case p.rate >= p.ceiling:
		return
	case p.limit == 0:
		p.set(max(p.rate, rateRise*p.passed.perSecond(now)))
		return
	case elapsed < 0.05:
		return
	}
	p.grownAt = now
	switch {
	case p.exceeded:
		p.set(p.rate * (1 + jump*elapsed))
	case p.measured:
		p.set(p.rate + p.limit*probe*min(1, math.Sqrt(p.limit/probeAt))*elapsed)
	default:
		p.set(p.rate * (1 + search*elapsed))
	}
}

// count keeps the books that learn reads, and notices that the limit has risen.
func (p *pace) count(now time.Time) {
	p.passed.add(now)
	p.accepted++
	p.ahead = max(p.ahead-p.limit*now.Sub(p.aheadAt).Seconds(), -p.limit*bucketSeconds) + 1
	p.aheadAt = now
	if p.limit > 0 && p.ahead > max(p.limit*chanceSeconds, chanceCalls) {
		p.exceeded = true
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
