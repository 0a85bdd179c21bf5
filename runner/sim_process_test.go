package runner_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// proc is one process of apsctl. It is mortal: from the moment it is dead, no
// request of it leaves and nothing of it reaches the ledger, while what it had
// sent goes on.
type proc struct {
	h       *history
	n       int // its turn; processes that run at once share one
	id      int // its own
	plan    *plan.Plan
	workers int
	options runner.Options
	ctx     context.Context
	cancel  context.CancelFunc
	drain   chan struct{}
	gone    chan struct{} // closed when it is dead or done
	done    chan struct{} // closed when nothing of it runs any more
	start   time.Time

	// Guarded by h.mu:
	dead, left   bool
	dieAt, steps int
	writes       int
	ledgerFailed bool
	counts       map[string]int
	open         map[string]bool // what it sent and does not know the outcome of
	rescued      map[string]bool // job ids of emergency lines
	said         []string        // to people

	report   runner.Report
	err      error
	prepared bool
}

// stepsMax is more than any process takes, unless it runs in circles.
const stepsMax = 20_000

var (
	errDead = errors.New("this process is dead")
	errDisk = errors.New("no space left on the device")
)

func (h *history) newProc(n, id int) *proc {
	rng := h.dice.roll("process", id)
	p := &proc{
		h: h, n: n, id: id, plan: h.planNow(), workers: h.workers,
		drain: make(chan struct{}), gone: make(chan struct{}), done: make(chan struct{}),
		counts: map[string]int{}, open: map[string]bool{}, rescued: map[string]bool{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	if f := h.active(death, n); f != nil && f.left > 0 {
		f.left--
		p.dieAt = f.n
	}
	p.options = runner.Options{
		RunID: fmt.Sprintf("run-%d", id), Endpoint: "https://adb.example.com", Parallel: p.workers,
		MaxAttempts: oneOf(rng, 0, 0, 2, 3), OnUnknown: h.onUnknown, Adopt: h.adopts && rng.IntN(2) == 0, AllowReplace: h.replaces,
		AllowSuspend: h.cloud.modifiesSuspended,
		Refresh:      h.refresh(n, id),
		Rand:         h.dice.roll("jitter", id),
		Warn:         p.say,
		FreeReserve:  p.freeReserve,
		Emergency: func(e runner.Emergency) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if !p.dead {
				p.rescued[e.JobID] = true
			}
		},
	}
	if n < 100 {
		p.options.Rollout = h.rollout(id)
	}
	return p
}

// rollout spreads the changes of every second process.
func (h *history) rollout(id int) runner.Rollout {
	rng := h.dice.roll("rollout", id)
	if rng.IntN(2) == 0 {
		return runner.Rollout{}
	}
	none := plan.LimitTo(0)
	return runner.Rollout{
		Waves: oneOf(rng, nil, []int{1}, []int{1, 2}, []int{2}), WaitRunning: rng.IntN(2) == 0, WaitTimeout: 10 * time.Minute,
		Failures: oneOf(rng, nil, &none), PerSource: rng.IntN(3), PerDestination: rng.IntN(4),
	}
}

func (p *proc) say(text string) {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	p.said = append(p.said, text)
}

func (p *proc) freeReserve() error {
	if p.h.dice.chance(0.5, "reserve", p.id) {
		return nil
	}
	return errDisk
}

// live is the whole process, from opening the ledger to closing it.
func (p *proc) live() {
	defer close(p.done)
	defer p.leave()
	ledger, err := store.Open(context.Background(), p.h.path, store.Options{Create: true})
	if err != nil {
		p.err = err
		return
	}
	defer func() { _ = ledger.Close() }()
	governor := warmGovernor(p.h.regions)
	p.start = time.Now()
	client, err := aps.New(aps.Options{
		Endpoint: "https://adb.example.com", Credentials: aps.StaticCredentials("LTAIsimulated", simKeySecret, ""),
		Limiter: governor, Sleep: sleepInSteps, HTTPClient: simWire{p},
	})
	if err != nil {
		p.err = err
		return
	}
	clock := runner.Clock{Now: p.now, Boot: func() time.Duration { return time.Since(p.h.start) }}
	run := runner.New(p.plan, simLedger{ledger, p}, client, simSecrets{p}, governor, clock, p.options)
	changes, err := run.Prepare(p.ctx)
	if err != nil {
		p.err = err
		return
	}
	p.interruptLater()
	report, err := run.Apply(p.ctx, p.drain, changes)
	p.report, p.err, p.prepared = report, err, true
}

// leave ends the process in the eyes of others.
func (p *proc) leave() {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if p.left {
		return
	}
	p.left = true
	close(p.gone)
}

// interruptLater sends the process the signals that the history has for it.
func (p *proc) interruptLater() {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	first, second := p.h.strike(drain, p, "drain"), p.h.strike(abort, p, "abort")
	if first == nil && second == nil {
		return
	}
	rng := p.h.dice.roll("interrupt", p.id)
	after := between(rng, time.Millisecond, oneOf(rng, 500*time.Millisecond, 5*time.Second, time.Minute))
	time.AfterFunc(after, func() {
		p.h.note("p%d is interrupted", p.id)
		close(p.drain)
	})
	if second != nil {
		time.AfterFunc(after+between(rng, time.Millisecond, 2*time.Second), func() {
			p.h.note("p%d is interrupted again", p.id)
			p.cancel()
		})
	}
}

// warmGovernor has a pace so high that workers never compete for it: who of
// two would win is the scheduler's choice. Throttling still stops them all.
func warmGovernor(regions []string) *runner.Governor {
	governor := runner.NewGovernor(1e15)
	for range 45 {
		time.Sleep(time.Second)
		for _, region := range regions {
			for _, operation := range []string{opCreate, opList, opDetail} {
				governor.Observe(operation, region, false, 0)
			}
		}
	}
	return governor
}

// sleepInSteps is the client's sleep between the attempts of a read, without
// the chance in it, which does not come from the seed: the client draws from
// the upper half of a doubling range. A long hint is kept by the governor.
func sleepInSteps(ctx context.Context, d time.Duration) error {
	step := 250 * time.Millisecond
	for 2*step <= d && step < 8*time.Second {
		step *= 2
	}
	return waitFor(ctx, step)
}

// turn waits until it is this step's turn and takes it. The pause is drawn for
// each step: of all goroutines, one at a time moves, in an order that is the
// seed's and not the scheduler's.
func (p *proc) turn(key string) error {
	p.h.mu.Lock()
	dead, n := p.dead, p.count(key)
	p.h.mu.Unlock()
	if dead {
		return errDead
	}
	time.Sleep(between(p.h.dice.roll("turn", p.id, key, n), time.Microsecond, 20*time.Millisecond))
	return p.mark()
}

// mark is a moment at which the process may die.
func (p *proc) mark() error {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	if p.dead {
		return errDead
	}
	p.steps++
	if p.steps > stepsMax {
		p.h.violate("I7", "p%d runs in circles", p.id)
	}
	if p.steps == p.dieAt || p.steps > stepsMax {
		p.h.log("p%d dies at step %d", p.id, p.steps)
		p.dead, p.left = true, true
		close(p.gone)
		p.cancel() // so that its goroutines end soon
		return errDead
	}
	return nil
}

// count counts from 1 how often key came up. h.mu is held.
func (p *proc) count(key string) int {
	p.counts[key]++
	return p.counts[key]
}

// now is the machine's wall clock, which may be wrong and may jump.
func (p *proc) now() time.Time { return time.Now().Round(0).Add(p.clockOffset()) }

func (p *proc) clockOffset() time.Duration {
	var offset time.Duration
	if f := p.h.active(clockSkew, p.n); f != nil {
		offset += f.d
	}
	if f := p.h.active(clockJump, p.n); f != nil {
		rng := p.h.dice.roll("jump", p.id)
		if time.Since(p.start) > between(rng, 0, oneOf(rng, time.Second, 10*time.Second, 5*time.Minute)) {
			offset += f.d
		}
	}
	return offset
}

// simSecrets reads the passwords of a history.
type simSecrets struct{ p *proc }

func (s simSecrets) Read(_ context.Context, ref secret.Ref) (secret.Value, error) {
	if err := s.p.turn("secret " + ref.Env); err != nil {
		return secret.Value{}, err
	}
	s.p.h.mu.Lock()
	defer s.p.h.mu.Unlock()
	if s.p.h.strike(secretFails, s.p, "secret", ref.Env) != nil {
		return secret.Value{}, fmt.Errorf("%s: not set", ref)
	}
	return secret.NewValue(s.p.h.password(ref.Env)), nil
}

func (s simSecrets) Clean(text string) string { return s.p.h.redactor.Clean(text) }
