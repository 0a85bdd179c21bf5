package runner_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

const (
	simPlan      = "simulated"
	simKeySecret = "k3y-0f-the-simulation"
	simJobsMax   = 8
)

// history is the life of one plan: several processes, one after the other or
// at once, between faults that the seed draws, and then some in peace.
type history struct {
	dice       dice
	path       string // of the ledger
	background context.Context
	start      time.Time
	regions    []string
	workers    int
	turns      int // of processes that may meet faults
	onUnknown  plan.OnUnknown
	adopts     bool
	replaces   bool // what differs is deleted and created again
	redactor   *secret.Redactor
	witness    *store.Ledger // a second connection to the ledger, for reading only
	cloud      *simCloud

	mu      sync.Mutex // guards what follows, and the cloud
	jobs    []plan.Job
	away    *plan.Job // the one that left the plan and may come back
	faults  []*fault
	places  int                  // of faults, also of those that were left out
	chosen  map[string]time.Time // by nonce: when it was chosen
	sends   map[string]int       // by nonce
	excuses map[string]string    // by job name: which assumption was broken
	lines   []string
	wrong   []violation
	procs   []*proc
}

// verdict is what became of a history.
type verdict struct {
	seed    uint64
	kinds   []kind
	wrong   []violation
	lines   []string
	hash    string
	virtual time.Duration
	creates int
	places  int
}

// newHistory draws a history, and the kinds of its faults where s has none.
func newHistory(s script, path string) *history {
	d, kinds := dice{s.seed}, s.kinds
	rng := d.roll("history")
	h := &history{
		dice: d, path: path, background: context.Background(), start: time.Now(),
		regions: []string{"cn-hangzhou", "cn-shanghai"}[:1+rng.IntN(5)/4],
		workers: 1 + rng.IntN(4), turns: 2 + rng.IntN(3),
		onUnknown: plan.Recreate, adopts: rng.IntN(4) == 0, replaces: d.roll("replaces").IntN(2) == 0, redactor: secret.NewRedactor(),
		chosen: map[string]time.Time{}, sends: map[string]int{}, excuses: map[string]string{},
	}
	if rng.IntN(15) == 0 {
		h.onUnknown = plan.Hold
	}
	h.cloud = newSimCloud(h)
	for i := range 1 + rng.IntN(simJobsMax) {
		h.jobs = append(h.jobs, h.job(fmt.Sprintf("job-%03d", i)))
	}
	if kinds == nil {
		kinds = drawKinds(rng)
		if d.roll("to and fro").IntN(3) == 0 {
			kinds = append(kinds, toAndFro)
		}
		if d.roll("come and go").IntN(3) == 0 {
			kinds = append(kinds, comeAndGo)
		}
		if d.roll("behind us").IntN(3) == 0 {
			kinds = append(kinds, behindUs)
		}
		if d.roll("hasty").IntN(8) == 0 {
			kinds = append(kinds, hasty, lag)
		}
	}
	if slices.Contains(kinds, hasty) {
		h.jobs[len(h.jobs)-1].Life = plan.Life{OnRemove: plan.OnRemoveDelete}
	}
	h.places = len(kinds)
	for i, k := range kinds {
		if f := drawFault(rng, k, i, h.turns); !slices.Contains(s.without, i) {
			h.faults = append(h.faults, f)
		}
	}
	return h
}

func (h *history) spec(name string) plan.Spec {
	rng := h.dice.roll("spec", name)
	return plan.Spec{
		Name: name, Region: oneOf(rng, h.regions...),
		Source:      plan.SourceEndpoint{Instance: oneOf(rng, "pc-1", "pc-2")},
		Destination: plan.DestinationEndpoint{Instance: oneOf(rng, "amv-1", "amv-2")},
		DBList:      oneOf(rng, `{"EntireInstance":true}`, `{"shop":{"all":true}}`),
	}
}

func (h *history) job(name string) plan.Job {
	spec := h.spec(name)
	return plan.Job{Spec: spec, Digest: plan.HashSpec(spec), SourcePassword: &secret.Ref{Env: "PASSWORD_" + name}, Life: h.life(name)}
}

// life is what the plan says of a job beside its spec. Half of the jobs say
// nothing.
func (h *history) life(name string) plan.Life {
	rng := h.dice.roll("life", name)
	if rng.IntN(2) == 0 {
		return plan.Life{}
	}
	return plan.Life{
		State:    oneOf[plan.DesiredState](rng, "", "", plan.Running, plan.Suspended),
		OnRemove: oneOf(rng, plan.OnRemoveDelete, plan.OnRemoveDelete, plan.OnRemoveSuspend, plan.OnRemoveKeep),
		Protect:  rng.IntN(8) == 0,
	}
}

func (h *history) password(name string) string {
	sum := sha256.Sum256([]byte(fmt.Sprint(h.dice.seed, name)))
	text := "Pw+" + hex.EncodeToString(sum[:9])
	h.redactor.Add(secret.NewValue(text))
	return text
}

// planNow is a copy of the plan as it reads now.
func (h *history) planNow() *plan.Plan {
	return &plan.Plan{Name: simPlan, File: "plan.yaml", Jobs: append([]plan.Job(nil), h.jobs...)}
}

func (h *history) wants(name string) bool {
	for _, job := range h.jobs {
		if job.Name == name {
			return true
		}
	}
	return false
}

// play lives the history to its end.
func (h *history) play() *verdict {
	h.lines = append(h.lines, h.describe())
	if !h.open() {
		return h.verdict("")
	}
	h.populate()
	for n := range h.turns {
		h.sleep(n)
		h.meddle(n)
		h.turn(n)
	}
	quiet := h.settleDown()
	for _, p := range h.procs {
		<-p.done // also what is left of the dead
	}
	h.checkEnd(quiet)
	hash := h.traceHash()
	if err := h.witness.Close(); err != nil {
		h.violate("harness", "%v", err)
	}
	h.checkBytes()
	return h.verdict(hash)
}

func (h *history) open() bool {
	var err error
	h.witness, err = store.OpenReadOnly(h.background, h.path)
	if err != nil {
		h.violate("harness", "the ledger: %v", err)
	}
	return err == nil
}

// sleep lets time pass before a turn: often past the settle time.
func (h *history) sleep(n int) {
	rng := h.dice.roll("gap", n)
	gap := oneOf(rng, time.Second, 30*time.Second, 6*time.Minute, 17*time.Minute, 32*time.Minute, 33*time.Minute, 50*time.Minute)
	if h.active(hasty, n) != nil {
		gap = time.Second
	}
	time.Sleep(gap + between(rng, 0, time.Second))
}

// turn runs the n-th process, or two or three of them at once with no lock to
// keep them apart.
func (h *history) turn(n int) {
	count := 1
	rng := h.dice.roll("together", n)
	if f := h.active(overlap, n); f != nil {
		count = 2 + rng.IntN(4)/3
	}
	together := make([]*proc, count)
	for i := range together {
		together[i] = h.newProc(n, 10*n+i)
		h.note("p%d starts", together[i].id)
		go together[i].live()
		time.Sleep(between(rng, time.Microsecond, oneOf(rng, 50*time.Millisecond, time.Second)))
	}
	h.procs = append(h.procs, together...)
	for _, p := range together {
		<-p.gone
	}
	h.checkTurn(together)
}

// settleDown lets everything under way happen, and then runs in peace until
// nothing is left to do. It reports whether that came to be.
func (h *history) settleDown() (quiet bool) {
	wait := 50 * time.Minute
	if h.active(lagBeyond, -1) != nil {
		wait = 4 * time.Hour
	}
	for n := range 6 {
		time.Sleep(wait + between(h.dice.roll("rest", n), 0, time.Minute))
		wait = 35 * time.Minute
		h.turn(100 + n)
		last := h.procs[len(h.procs)-1]
		c := last.report.Counts()
		// A job whose start or suspension was pending is not compared before that is
		// over: what others changed of it, the next run sees.
		unseen := h.active(behindUs, -1) != nil && c.Started+c.Suspended > 0
		if last.prepared && last.err == nil && c.Unknown+c.Failed+c.NotTried == 0 && !unseen && !last.stillDeletes() {
			quiet = true
			break
		}
	}
	if h.unseen() || len(h.surplus()) > 0 {
		// Only a run that has something to do lists the service and sees that
		// there is more than there should be.
		h.jobs = append(h.jobs, h.job("one-more"))
		if h.regions[0] != h.jobs[len(h.jobs)-1].Region || len(h.regions) > 1 {
			other := h.job("yet-another")
			other.Region = h.regions[0]
			if other.Region == h.job("one-more").Region {
				other.Region = h.regions[1]
			}
			other.Digest = plan.HashSpec(other.Spec)
			h.jobs = append(h.jobs, other)
		}
		h.turn(200)
	}
	return quiet
}

// stillDeletes reports whether the process ended with a job that left the plan and
// is not seen to be gone. It says so of the job; the counts are of planned ones.
func (p *proc) stillDeletes() bool {
	return slices.ContainsFunc(p.report.Results, func(r runner.Result) bool {
		return r.Left && r.Action == plan.KindDelete && (r.Ending == runner.EndUnknown || r.Ending == runner.EndFailed || r.Ending == runner.EndNotTried)
	})
}

func (h *history) describe() string {
	var faults []string
	for _, f := range h.faults {
		faults = append(faults, fmt.Sprintf("%s[p%d-%d odds=%v left=%d n=%d d=%s %t]", f.kind, f.from, f.to, f.odds, f.left, f.n, f.d, f.yes))
	}
	return fmt.Sprintf("seed %d: %d jobs, %d workers, %d turns, regions %v, %s, adopts=%t, pages of %d newest=%t filter=%s forgets=%t; %s",
		h.dice.seed, len(h.jobs), h.workers, h.turns, h.regions, h.onUnknown, h.adopts, h.cloud.pageSize,
		h.cloud.newest, h.cloud.filter, h.cloud.forgets, strings.Join(faults, " "))
}

// moment is a time as the log shows it: since the history began.
func (h *history) moment(t time.Time) string { return t.Sub(h.start).String() }

// log writes a line of the history; h.mu is held. note takes it.
func (h *history) log(format string, args ...any) {
	line := strings.ReplaceAll(fmt.Sprintf(format, args...), h.path, "ledger.db")
	h.lines = append(h.lines, h.moment(time.Now())+" "+line)
}

func (h *history) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log(format, args...)
}

// excuse notes that an assumption about a name was broken by the world. From
// then on a second job of that name may exist, but not unseen.
func (h *history) excuse(name, why string) {
	if h.excuses[name] == "" {
		h.excuses[name] = why
		h.log("about %s: %s", name, why)
	}
}

// active is the first fault of that kind in that turn; a negative turn asks
// for any.
func (h *history) active(k kind, n int) *fault {
	for _, f := range h.faults {
		if f.kind == k && (n < 0 || f.in(n)) {
			return f
		}
	}
	return nil
}

// strike is active for faults that strike a number of times. h.mu is held.
func (h *history) strike(k kind, p *proc, about ...any) *fault {
	f := h.active(k, p.n)
	if f == nil || f.left == 0 || !h.dice.chance(f.odds, append(about, p.id)...) {
		return nil
	}
	f.left--
	return f
}

// changes reports whether an operation changes something.
func changes(op string) bool { return op != opList && op != opDetail }

// hits reports whether f strikes a request on its way. h.mu is held.
func (h *history) hits(f *fault, p *proc, op, key string, n int) bool {
	if !f.in(p.n) || f.left == 0 {
		return false
	}
	odds := f.odds
	switch f.kind {
	case dropBefore, dropAfter, hang, cutBody, noRoute, serverError, noID, throttle, redirect, refusal:
		if !changes(op) {
			odds /= 5
		}
	case late, replay:
		if !changes(op) {
			return false
		}
	case sameID, nonceUsed:
		if op != opCreate {
			return false
		}
	default:
		return false
	}
	if !h.dice.chance(odds, "hits", f.kind, p.id, key, n) {
		return false
	}
	f.left--
	return true
}

// populate puts jobs of others on the service, some with names that look like
// ours.
func (h *history) populate() {
	rng := h.dice.roll("others")
	for i := range rng.IntN(5) {
		spec := h.spec(fmt.Sprintf("other-%d", i))
		if job := oneOf(rng, h.jobs...); rng.IntN(2) == 0 {
			spec = job.Spec
			spec.Name = oneOf(rng, strings.ToUpper(job.Name), job.Name+"-copy", "old-"+job.Name)
			if h.dice.roll("twin", i).IntN(4) > 0 {
				spec.DBList = `{"theirs":{"all":true}}`
			}
		}
		h.cloud.foreign(spec, h.start)
	}
}
