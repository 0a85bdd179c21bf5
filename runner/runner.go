// Package runner carries out a plan: it settles what earlier runs left open,
// takes the complete listings, computes the difference, and creates what is
// missing with a bounded pool of workers. It follows the creation protocol
// (docs/protocol.md): no request leaves before its intent is on disk, and no
// second one before there is proof that the first cannot exist.
//
// It knows the ledger, the service and the secrets only by the interfaces that
// it declares.
package runner

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Defaults of Options.
const (
	ParallelDefault    = 8
	ParallelMax        = 256
	RateDefault        = 20.0
	SettleDefault      = 31 * time.Minute
	MaxAttemptsDefault = 10
	MaxElapsedDefault  = 10 * time.Minute
)

// freshFor is how old a signed date may be when its request is sent. Beyond it
// the process must have slept, and the request is not sent.
const freshFor = 60 * time.Second

// stoodStill is more than passes between the choice of a date and its request in
// a process that runs: after it, the ledger is asked whether the intent stands.
const stoodStill = 2 * time.Second

// Options are the choices of one run.
type Options struct {
	// RunID names the run in the ledger.
	RunID string
	// Endpoint is recorded with each attempt.
	Endpoint string
	// Parallel is the number of create requests in flight, 1 to ParallelMax.
	// Zero means ParallelDefault.
	Parallel int
	// Settle is the time after the signed date from which a complete listing
	// that does not show a job proves that the create did not happen. Zero means
	// SettleDefault.
	Settle time.Duration
	// MaxAttempts bounds the create requests for one job in this run. Zero means
	// MaxAttemptsDefault.
	MaxAttempts int
	// MaxElapsed bounds the time that one job may take in this run, from its
	// first attempt, waiting included. A job whose next step lies beyond it is
	// left for the next run; one without an answer is looked for during LookFor at
	// least, and one that was made and does not show yet is asked for whatever
	// MaxAttempts says. Zero means MaxElapsedDefault.
	MaxElapsed time.Duration
	// Until is when the run takes up nothing more: requests on the wire are awaited
	// and recorded, waits end, and what is left is for the next run. The zero time
	// sets no end.
	Until time.Time
	// MaxFailures stops the run from creating more once more jobs than this
	// failed for good. nil means no cap; zero stops at the first failure.
	MaxFailures *int
	// Choice narrows the run to some jobs of the plan: what the others need is
	// neither done nor reported.
	Choice plan.Choice
	// Rollout spreads the changes.
	Rollout Rollout
	// OnUnknown says what follows a proof of absence. Empty means Recreate.
	OnUnknown plan.OnUnknown
	// Refresh says how much the service is asked about jobs that exist. The zero
	// Refresh asks only what has to be known before something is created or deleted.
	Refresh plan.Refresh
	// Adopt takes over jobs that exist and agree with the plan.
	Adopt bool
	// AllowReplace deletes and creates again what differs in fields that cannot be
	// changed in place. AllowDelete deletes jobs that left the plan also where the
	// plan did not say on_remove: delete. What is protected is left alone.
	AllowReplace, AllowDelete bool
	// AllowSuspend suspends a running job that the service refuses to change as it is,
	// and starts it again once it is changed. Without it such a change fails.
	AllowSuspend bool
	// ByHand says that a person asked for each change: also what has failed is
	// started and suspended.
	ByHand bool
	// Observe is told of progress, from one goroutine at a time; it must return
	// quickly. nil means nobody is watching.
	Observe func(Progress)
	// Tell is told of each thing that happens, from several goroutines at a time; it
	// must return quickly. nil means nobody listens.
	Tell func(Event)
	// Rand is the source of jitter; nil means one seeded by the system. It is
	// used from one goroutine at a time.
	Rand *rand.Rand
	// FreeReserve gives back the disk space that was put by for the record of a
	// job that was just created; the record is tried again when it returns nil.
	// nil means that nothing was put by.
	FreeReserve func() error
	// Emergency is handed the one line that says how to adopt a created job
	// which the ledger could not record. nil drops it, which only tests may do.
	Emergency func(Emergency)
	// Warn is told of things a person should know, one line each. nil drops them.
	Warn func(string)
	// Commands writes the commands that reasons name.
	Commands plan.Commands
}

func (o Options) withDefaults() Options {
	if o.Parallel == 0 {
		o.Parallel = ParallelDefault
	}
	if o.Settle == 0 {
		o.Settle = SettleDefault
	}
	if o.MaxAttempts == 0 {
		o.MaxAttempts = MaxAttemptsDefault
	}
	if o.MaxElapsed == 0 {
		o.MaxElapsed = MaxElapsedDefault
	}
	o.Rollout = o.Rollout.withDefaults()
	if o.OnUnknown == "" {
		o.OnUnknown = plan.Recreate
	}
	if o.Observe == nil {
		o.Observe = func(Progress) {}
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.FreeReserve == nil {
		o.FreeReserve = func() error { return errors.New("no reserve") }
	}
	if o.Emergency == nil {
		o.Emergency = func(Emergency) {}
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	return o
}

// Run is one run over one plan. Use it once: Prepare, then Apply. It is not
// safe for concurrent use.
type Run struct {
	plan     *plan.Plan
	ledger   Ledger
	service  Service
	secrets  Secrets
	governor *Governor
	clock    Clock
	options  Options

	server   *serverClock
	onWire   atomic.Int64 // create requests under way
	listings map[string]plan.Listing
	owners   map[string]plan.Entry // of the regions in listings, by job id
	held     map[string]bool       // names that Prepare found held for a person
	// unrecorded are creates of jobs, by name, that were sent lately and that the ledger
	// does not know of.
	unrecorded map[string]plan.Sent
	// newer are creates of jobs that an older ledger has as created, see readNewer.
	newer map[string]plan.Sent
	// astray are creates of what the plan does not want, see readNewer.
	astray []plan.Sent
	// unread says of jobs, by name, why a listed one that may be theirs could not be
	// compared: nothing is created for them.
	unread map[string]error
	// left is what the service tells of jobs that left the plan, see difference.
	left map[string]plan.Shown

	asks     chan chan Picture // see Picture
	over     chan struct{}     // closed when Apply has returned
	finished func()            // closes it

	mu       sync.Mutex
	looks    bool                  // see NewLook
	seen     map[string]plan.Seen  // see Options.Refresh
	supposed map[jobKey]plan.Entry // what it found
	compared []plan.Comparison
	untold   []string
}

// New joins the parts of a run. governor must be the one that service waits
// on, so that creates and reads share what is learned about throttling.
func New(p *plan.Plan, ledger Ledger, service Service, secrets Secrets, governor *Governor, clock Clock, o Options) *Run {
	if o.Tell != nil {
		ledger = tellingLedger{ledger, o.Tell}
	}
	r := &Run{
		asks: make(chan chan Picture), over: make(chan struct{}),
		plan: p, ledger: ledger, service: service, secrets: secrets,
		governor: governor, clock: clock, options: o.withDefaults(),
		server:   &serverClock{now: clock.Now},
		listings: map[string]plan.Listing{}, owners: map[string]plan.Entry{}, held: map[string]bool{},
		supposed: map[jobKey]plan.Entry{}, unrecorded: map[string]plan.Sent{}, newer: map[string]plan.Sent{}, left: map[string]plan.Shown{},
	}
	r.finished = sync.OnceFunc(func() { close(r.over) })
	return r
}
