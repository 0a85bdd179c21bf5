package runner_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// violation is one invariant of the protocol that did not hold. The numbers
// are those of the creation protocol.
type violation struct{ invariant, what string }

func (v violation) String() string { return v.invariant + ": " + v.what }

// violate notes a violation; h.mu is held, or nothing else runs.
func (h *history) violate(invariant, format string, args ...any) {
	v := violation{invariant, fmt.Sprintf(format, args...)}
	h.wrong = append(h.wrong, v)
	h.log("VIOLATION of %s", v)
}

func (h *history) ledgerError(err error) bool {
	if err != nil {
		h.violate("harness", "the witness cannot read: %v", err)
	}
	return err != nil
}

// freshMax is how old a date may be when its request leaves: the protocol's
// minute, and the steps in between.
const freshMax = 61 * time.Second

// checkSend is the witness: it holds every create that leaves a process
// against what is on disk at that moment. h.mu is held.
func (h *history) checkSend(p *proc, r simRequest) {
	name := r.form.Get("ApsJobName")
	h.sends[r.nonce]++
	if h.sends[r.nonce] > 1 {
		h.violate("I4", "p%d sent one attempt of %s twice", p.id, name)
	}
	attempt, found, err := h.witness.AttemptByNonce(h.background, r.nonce)
	switch {
	case h.ledgerError(err):
		return
	case !found:
		h.violate("I3", "p%d sent a create of %s whose nonce is not on disk", p.id, name)
		return
	case attempt.Outcome != plan.StateIntent:
		h.violate("I3", "p%d sent attempt %d of %s, which is %s already", p.id, attempt.Number, name, attempt.Outcome)
	case !attempt.SignedAt.Equal(r.date) || attempt.Name != name:
		h.violate("I3", "p%d sent %s dated %s, and on disk is %s dated %s", p.id, name, r.date, attempt.Name, attempt.SignedAt)
	}
	if age := time.Since(h.chosen[r.nonce]); age > freshMax {
		h.violate("I3", "p%d sent %s %s after its date was chosen", p.id, name, age)
	}
	if n := len(p.open); n > 2*p.workers {
		h.violate("I8", "p%d has %d creates without an answer, with %d workers", p.id, n, p.workers)
	}
	h.checkEarlier(p, attempt)
	h.checkTwins(p, attempt)
}

// checkTwins is that nothing is created that others made under a name that nobody wants
// and that no entry has, as far as an honest listing shows it all along.
func (h *history) checkTwins(p *proc, attempt store.Attempt) {
	entries, err := h.witness.Entries(h.background, store.Filter{})
	if h.ledgerError(err) || h.liesAboutLists(p.n) {
		return
	}
	known := map[string]bool{}
	for _, e := range entries {
		for _, id := range slices.Concat(e.Candidates, e.Baseline, []string{e.JobID}) {
			known[id] = true
		}
	}
	i := slices.IndexFunc(p.plan.Jobs, func(j plan.Job) bool { return j.Name == attempt.Name })
	for _, job := range h.cloud.jobs {
		named := slices.ContainsFunc(p.plan.Jobs, func(j plan.Job) bool { return j.Name == job.name && j.Region == job.region })
		if i >= 0 && !job.ours() && job.at.Equal(h.start) && job.exists(time.Now()) && !named && !known[job.id] && job.doesAs(p.plan.Jobs[i].Spec) {
			h.violate("I1", "p%d creates %s while %s is there for the same as %s", p.id, attempt.Name, job.id, job.name)
		}
	}
}

// checkEarlier holds an attempt that is being sent against those before it.
func (h *history) checkEarlier(p *proc, attempt store.Attempt) {
	attempts, err := h.witness.Attempts(h.background, attempt.Plan, attempt.Name)
	if h.ledgerError(err) {
		return
	}
	for _, earlier := range attempts[:attempt.Number-1] {
		switch {
		case earlier.Outcome == plan.StateCreated && h.wasDeleted(earlier.Plan, earlier.Name, earlier.Number):
		case earlier.Outcome != plan.StateAbsent && earlier.Outcome != plan.StateRejected && earlier.Outcome != plan.StateNotSent:
			h.violate("I5", "p%d sent attempt %d of %s while attempt %d is %s", p.id, attempt.Number, attempt.Name, earlier.Number, earlier.Outcome)
		case earlier.Outcome == plan.StateAbsent && earlier.Evidence == "":
			h.violate("I5", "attempt %d of %s is absent without evidence", earlier.Number, attempt.Name)
		}
		for _, job := range h.cloud.jobs {
			if job.nonce == earlier.Nonce && job.stays(time.Now()) && h.excuses[job.name] == "" {
				h.violate("I5", "p%d sent attempt %d of %s while attempt %d made %s", p.id, attempt.Number, attempt.Name, earlier.Number, job.id)
			}
		}
	}
}

// checkChange is the witness of changes: it holds each that leaves a process
// against what is on disk at that moment, and against the plan. h.mu is held.
func (h *history) checkChange(p *proc, r simRequest, job *simJob) {
	live, err := h.witness.Live(h.background, job.region)
	if h.ledgerError(err) {
		return
	}
	i := slices.IndexFunc(live, func(e plan.Entry) bool { return e.JobID == job.id })
	if i < 0 || live[i].State != plan.StateCreated || string(live[i].Pending.Operation) != r.op || !live[i].Pending.SignedAt.Equal(r.date) {
		h.violate("I6", "p%d sends %s of %s, which the ledger does not have as created and promised", p.id, r.op, job.id)
		return
	}
	entry := live[i]
	wanted := slices.IndexFunc(p.plan.Jobs, func(j plan.Job) bool { return j.Name == entry.Name })
	job.pausing = r.op == opSuspend && !restsBy(p.plan.Jobs, wanted, entry)
	if r.op != opDelete {
		return
	}
	switch {
	case entry.Life.Protect:
		h.violate("I6", "p%d deletes %s, which is protected", p.id, job.id)
	case wanted < 0 && entry.Life.OnRemove != plan.OnRemoveDelete:
		h.violate("I6", "p%d deletes %s, which left the plan and is to be kept", p.id, job.id)
	case wanted >= 0 && (!h.replaces || isAs(p.plan.Jobs[wanted], entry)):
		h.violate("I6", "p%d deletes %s, which the plan wants", p.id, job.id)
	}
}

// restsBy reports whether a plan asks for a job to be suspended: as its job i, or with
// i below 0 when it left.
func restsBy(jobs []plan.Job, i int, entry plan.Entry) bool {
	if i < 0 {
		return entry.Life.OnRemove == plan.OnRemoveSuspend
	}
	return jobs[i].State == plan.Suspended
}

// wasDeleted reports whether the ledger has seen that a job, which an attempt
// made, was deleted. h.mu is held.
func (h *history) wasDeleted(planName, name string, attempt int) bool {
	events, err := h.witness.Events(h.background, planName, name)
	return !h.ledgerError(err) && slices.ContainsFunc(events, func(e store.Event) bool {
		return e.Attempt == attempt && e.From == plan.StateCreated && e.To == plan.StateAbsent
	})
}

// checkAbsence holds a proof of absence against the clock of the service.
func (h *history) checkAbsence(p *proc, t plan.Transition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	attempts, err := h.witness.Attempts(h.background, t.Plan, t.Name)
	if h.ledgerError(err) || len(attempts) < t.Attempt {
		return
	}
	if since := time.Since(attempts[t.Attempt-1].SignedAt); since < timeSettle-2*time.Second {
		h.violate("I5", "p%d takes attempt %d of %s for absent %s after its date", p.id, t.Attempt, t.Name, since)
	}
}

// checkDeleted holds the claim that a deleted job is gone against the service.
func (h *history) checkDeleted(p *proc, t plan.Transition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	live, err := h.witness.Entries(h.background, store.Filter{Plan: t.Plan, States: []plan.State{plan.StateCreated}})
	if h.ledgerError(err) {
		return
	}
	for _, e := range live {
		job := h.cloud.byID(e.JobID)
		if e.Name == t.Name && e.Attempt == t.Attempt && job != nil && job.exists(time.Now()) && !h.liesAboutLists(p.n) {
			h.violate("I6", "p%d takes %s of %s for deleted, which is there", p.id, job.id, e.Name)
		}
	}
}

// liesAboutLists reports whether listings may hide what is there.
func (h *history) liesAboutLists(n int) bool {
	return slices.ContainsFunc([]kind{flap, hideCluster, missingPage, churn, wrongTotal}, func(k kind) bool { return h.active(k, n) != nil })
}

// checkFound holds the claim that a listed job is the one that an attempt made
// against what an honest listing has shown for a while: one of two is nobody's
// to choose.
func (h *history) checkFound(p *proc, t plan.Transition) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.liesAboutLists(p.n) {
		return
	}
	attempts, err := h.witness.Attempts(h.background, t.Plan, t.Name)
	if h.ledgerError(err) {
		return
	}
	for _, job := range h.cloud.jobs {
		if job.id != t.JobID && job.nonce == attempts[t.Attempt-1].Nonce && job.isListed(time.Now().Add(-10*time.Minute)) && job.stays(time.Now()) {
			h.violate("I2", "p%d takes %s for the job of attempt %d of %s, while %s is listed too", p.id, t.JobID, t.Attempt, t.Name, job.id)
		}
	}
}

// checkTurn holds what processes left behind against what the service did.
func (h *history) checkTurn(together []*proc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entries, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan})
	if h.ledgerError(err) {
		return
	}
	h.checkJobs(entries)
	for _, p := range together {
		h.checkIntents(p, entries)
		if !p.dead && p.prepared { // what is left of a dead one may still be running
			h.checkBooks(p)
		}
	}
	h.log("the ledger: %s", summary(entries))
}

func summary(entries []plan.Entry) string {
	var parts []string
	for _, e := range entries {
		parts = append(parts, strings.TrimSpace(fmt.Sprintf("%s/%d %s %s", e.Name, e.Attempt, e.State, e.JobID)))
	}
	return strings.Join(parts, ", ")
}

// checkJobs is I1 and I2.
func (h *history) checkJobs(entries []plan.Entry) {
	byName := map[string]plan.Entry{}
	for _, e := range entries {
		byName[e.Name] = e
	}
	for name, jobs := range h.surplus() {
		if h.excuses[name] == "" {
			h.violate("I1", "%s exists as %s", name, jobs)
		}
	}
	for _, job := range h.cloud.jobs {
		if job.ours() && job.stays(time.Now()) && h.excuses[job.name] == "" && !h.covered(job, byName[job.name]) {
			h.violate("I2", "%s of %s is on the service or on its way there, and the ledger says %q %s",
				job.id, job.name, byName[job.name].State, byName[job.name].JobID)
		}
	}
}

// covered reports whether the ledger accounts for a job that apsctl made.
func (h *history) covered(job *simJob, e plan.Entry) bool {
	switch {
	case e.State == plan.StateCreated:
		if e.JobID == job.id {
			return true
		}
	case e.State.Unresolved(), e.State.NeedsPerson():
		return true
	}
	for _, p := range h.procs {
		if p.rescued[job.id] {
			return true // an emergency line says how to adopt it
		}
	}
	return false
}

// surplus lists the ids of the names under which apsctl made more than one job
// that stays.
func (h *history) surplus() map[string][]string {
	ids := map[string][]string{}
	for _, job := range h.cloud.jobs {
		if job.ours() && job.stays(time.Now()) {
			ids[job.name] = append(ids[job.name], job.id)
		}
	}
	for name := range ids {
		if len(ids[name]) < 2 {
			delete(ids, name)
		}
	}
	return ids
}

// unseen reports whether there is a job of ours that the ledger does not account
// for.
func (h *history) unseen() bool {
	entries, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan})
	if h.ledgerError(err) {
		return false
	}
	states := map[string]plan.Entry{}
	for _, e := range entries {
		states[e.Name] = e
	}
	return slices.ContainsFunc(h.cloud.jobs, func(j *simJob) bool {
		return j.ours() && j.stays(time.Now()) && !h.covered(j, states[j.name])
	})
}

// checkIntents is I8, and that an orderly end leaves no verdict unwritten.
func (h *history) checkIntents(p *proc, entries []plan.Entry) {
	open := 0
	for _, e := range entries {
		if e.State != plan.StateIntent {
			continue
		}
		attempts, err := h.witness.Attempts(h.background, e.Plan, e.Name)
		if !h.ledgerError(err) && attempts[len(attempts)-1].Run == p.options.RunID {
			open++
		}
	}
	switch {
	case p.dead && open > p.workers:
		h.violate("I8", "the death of p%d leaves %d creates open, with %d workers", p.id, open, p.workers)
	case !p.dead && !p.ledgerFailed && open > 0:
		h.violate("I7", "p%d ended in order and left %d verdicts unwritten (%v)", p.id, open, p.err)
	}
}

// checkBooks is I7.
func (h *history) checkBooks(p *proc) {
	c := p.report.Counts()
	sum := c.Created + c.Adopted + c.Updated + c.Replaced + c.Started + c.Suspended + c.Kept + c.Failed + c.Unknown + c.Blocked + c.NotTried
	if sum != c.Planned || c.Planned != len(p.plan.Jobs) {
		h.violate("I7", "the books of p%d do not balance: %+v for %d jobs", p.id, c, len(p.plan.Jobs))
	}
	h.log("p%d ended: %+v stop=%q err=%v", p.id, c, p.report.Stop, p.err)
}
