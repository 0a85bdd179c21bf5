package runner_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// checkEnd is what holds once everything has come to rest.
func (h *history) checkEnd(quiet bool) {
	entries, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan})
	if h.ledgerError(err) {
		return
	}
	h.checkClaims()
	states := map[string]plan.Entry{}
	for _, e := range entries {
		states[e.Name] = e
	}
	for _, e := range entries {
		h.checkAttempts(e)
		h.checkObjects(e)
		h.checkLife(e, states, quiet)
	}
	for _, job := range h.cloud.jobs {
		if job.ours() && job.stays(time.Now()) && !h.covered(job, states[job.name]) && !h.told(job.name) {
			h.violate("I2", "%s of %s ends unseen: the ledger says %q %s", job.id, job.name, states[job.name].State, states[job.name].JobID)
		}
	}
	for name, ids := range h.surplus() {
		if !states[name].State.NeedsPerson() {
			h.violate("I1", "%s exists unseen as %s: the ledger says %s (%s)", name, ids, states[name].State, h.excuses[name])
		}
	}
	// Where the only job that could show that a listing hides nothing was
	// deleted, a person has to say so.
	if !quiet && h.onUnknown == plan.Recreate && h.active(deletion, -1) == nil {
		h.violate("rest", "after six runs in peace it is not settled: %s; %v", summary(entries), h.procs[len(h.procs)-1].err)
	}
	h.checkPeace(states)
}

// told reports whether the last run told people about a name: that a job of it
// is there which the ledger does not know.
func (h *history) told(name string) bool {
	return slices.ContainsFunc(h.procs[len(h.procs)-1].report.Results, func(r runner.Result) bool {
		return r.Name == name && r.Ending == runner.EndBlocked
	})
}

// checkPeace is that faults which pass leave nothing behind: without the doing
// of people, every wanted job ends created.
func (h *history) checkPeace(states map[string]plan.Entry) {
	for _, k := range []kind{deletion, edit, oldBaseline, foreignSame, foreignOther} {
		if h.active(k, -1) != nil {
			return
		}
	}
	for _, job := range h.jobs {
		e := states[job.Name]
		lost := e.State == plan.StateLost && h.active(hideCluster, -1) != nil // it is hidden, and a person is told
		if e.State != plan.StateCreated && h.excuses[job.Name] == "" && h.onUnknown == plan.Recreate && !lost && !h.barred(job, states) {
			h.violate("rest", "%s ends %q: %s", job.Name, e.State, e.Reason)
		}
	}
}

// barred reports whether people were told that another job is in the way of a wanted one,
// and one is: under a name that nobody wants, or one that by the ledger is for the same
// and goes on, since it left the plan or is not as the plan wants it.
func (h *history) barred(job plan.Job, states map[string]plan.Entry) bool {
	if !h.told(job.Name) {
		return false
	}
	for _, e := range states {
		goesOn := e.State == plan.StateCreated && !slices.ContainsFunc(h.jobs, func(j plan.Job) bool { return j.Name == e.Name && isAs(j, e) })
		if e.Name != job.Name && goesOn && isForSame(e.Spec, job.Spec) {
			return true
		}
	}
	return slices.ContainsFunc(h.cloud.jobs, func(j *simJob) bool {
		return j.exists(time.Now()) && !h.wants(j.name) && j.doesAs(job.Spec)
	})
}

func isForSame(a, b plan.Spec) bool {
	return a.Region == b.Region && a.Source.Instance == b.Source.Instance && a.Destination.Instance == b.Destination.Instance &&
		plan.SameJSON(a.DBList, b.DBList)
}

// isTwin reports whether a job is for the same as one that is wanted.
func (h *history) isTwin(j *simJob) bool {
	return slices.ContainsFunc(h.jobs, func(job plan.Job) bool { return j.doesAs(job.Spec) })
}

// checkObjects is that a job which the ledger has as changed, with nothing else
// pending, is so on the service, and stays so.
func (h *history) checkObjects(e plan.Entry) {
	job := h.cloud.byID(e.JobID)
	if e.State != plan.StateCreated || job == nil || h.excuses[e.Name] != "" {
		return
	}
	if e.Pending.IsSet() && !e.Pending.Confirmed {
		return // nobody says how it is
	}
	if job.behindUs && !h.putBack(e) {
		return
	}
	if later := job.objects(time.Now().Add(timeSettle)); !plan.SameJSON(later, e.Spec.DBList) {
		h.violate("I2", "%s of %s has %s, and the ledger says %s", job.id, e.Name, later, e.Spec.DBList)
	}
}

// putBack reports whether what others changed of a job must be as it was: the plan
// has it, and nothing that keeps a run from changing it in place.
func (h *history) putBack(e plan.Entry) bool {
	last := h.procs[len(h.procs)-1]
	kept := slices.ContainsFunc(last.report.Results, func(r runner.Result) bool {
		return r.Name == e.Name && (r.Ending == runner.EndKept || r.Ending == runner.EndUpdated || r.Ending == runner.EndStarted || r.Ending == runner.EndSuspended)
	})
	i := slices.IndexFunc(h.jobs, func(j plan.Job) bool { return j.Name == e.Name && isAs(j, e) })
	return i >= 0 && kept
}

// isAs reports whether the ledger has a job as the plan wants it, under whatever name the
// service has it.
func isAs(job plan.Job, e plan.Entry) bool {
	spec := job.Spec
	spec.Name = e.Spec.Name
	return e.Digest == job.Digest || e.Digest == plan.HashSpec(spec)
}

// checkLife is that a job which the ledger has is there unless others deleted it,
// and that in the end, where nothing went wrong with it, each is doing what the
// plan wants and what was to go is gone.
func (h *history) checkLife(e plan.Entry, states map[string]plan.Entry, quiet bool) {
	job := h.cloud.byID(e.JobID)
	if e.State != plan.StateCreated || job == nil {
		return
	}
	now := time.Now()
	if job.deleted && !job.stays(now) && e.Pending.Operation != plan.OperationDelete && h.excuses[e.Name] == "" {
		h.violate("I6", "%s of %s was deleted by us, and the ledger says created", job.id, e.Name)
	}
	if !quiet || h.excuses[e.Name] != "" || !h.peaceful() {
		return
	}
	i := slices.IndexFunc(h.jobs, func(j plan.Job) bool { return j.Name == e.Name })
	switch {
	case job.isPaused(now.Add(timeSettle)) && !restsBy(h.jobs, i, e):
		h.violate("rest", "%s was suspended to be changed or deleted, and stays so", e.Name)
	case i < 0 && e.Life.OnRemove == plan.OnRemoveDelete && !e.Life.Protect:
		h.violate("rest", "%s left the plan, which said that it is to be deleted, and is there", e.Name)
	case i >= 0 && isAs(h.jobs[i], e) && h.jobs[i].State != "" && (job.status(now.Add(timeSettle), h.cloud.needsStart) == "Running") != (h.jobs[i].State == plan.Running):
		h.violate("rest", "%s is to be %s and is %s", e.Name, h.jobs[i].State, job.status(now, h.cloud.needsStart))
	case i >= 0 && !isAs(h.jobs[i], e) && h.replaces && !e.Life.Protect && !h.jobs[i].Protect && !h.barred(h.jobs[i], states):
		h.violate("rest", "%s is not as the plan wants it", e.Name)
	}
}

// peaceful reports whether only the service and the network misbehaved.
func (h *history) peaceful() bool {
	return !slices.ContainsFunc([]kind{deletion, oldBaseline, foreignSame, foreignOther, hideCluster}, func(k kind) bool { return h.active(k, -1) != nil })
}

// checkAttempts is I4.
func (h *history) checkAttempts(e plan.Entry) {
	attempts, err := h.witness.Attempts(h.background, e.Plan, e.Name)
	if h.ledgerError(err) {
		return
	}
	for i, a := range attempts {
		if a.Number != i+1 {
			h.violate("I4", "attempt %d of %s is missing", i+1, e.Name)
		}
	}
	if len(attempts) != e.Attempt {
		h.violate("I4", "%s is at attempt %d and has %d", e.Name, e.Attempt, len(attempts))
	}
}

// checkClaims holds every claim that a job was created against the service.
func (h *history) checkClaims() {
	events, err := h.witness.Events(h.background, simPlan, "")
	if h.ledgerError(err) {
		return
	}
	now := map[string]plan.Entry{}
	entries, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan})
	if h.ledgerError(err) {
		return
	}
	for _, e := range entries {
		now[e.Name] = e
	}
	for _, e := range events {
		if e.To != plan.StateCreated || strings.HasPrefix(e.Evidence, `{"kind":"promise"`) {
			continue
		}
		attempts, err := h.witness.Attempts(h.background, e.Plan, e.Name)
		if h.ledgerError(err) {
			return
		}
		h.checkClaim(e, now[e.Name], attempts)
	}
}

func (h *history) checkClaim(e store.Event, entry plan.Entry, attempts []store.Attempt) {
	var evidence struct{ Kind string }
	if e.Evidence != "" && json.Unmarshal([]byte(e.Evidence), &evidence) != nil {
		h.violate("I2", "the evidence for %s is %q", e.Name, e.Evidence)
	}
	job := h.cloud.byID(e.JobID)
	switch {
	case job == nil:
		h.violate("I2", "%s is on record as %s, which never was", e.Name, e.JobID)
	case evidence.Kind == "" && job.nonce != attempts[e.Attempt-1].Nonce:
		h.violate("I2", "%s is on record as %s, which attempt %d did not make", e.Name, e.JobID, e.Attempt)
	case evidence.Kind != "" && entry.JobID == e.JobID && !job.agrees(claimed(entry, job)):
		h.violate("I2", "%s is on record as %s, which is %s from %s to %s of %s", e.Name, e.JobID, job.name, job.source, job.dest, job.dbList)
	case evidence.Kind == "found" && e.Attempt > 0 && slices.Contains(attempts[e.Attempt-1].Baseline, e.JobID):
		h.violate("I2", "%s is on record as %s, which was there before", e.Name, e.JobID)
	}
}

// claimed is what the ledger says of job. While a change of its objects has no
// answer it does not say which they are, also of a job that others deleted since:
// the change may have put back those that the job was made with. All else stands.
func claimed(entry plan.Entry, job *simJob) plan.Spec {
	spec := entry.Spec
	if entry.Pending.Operation == plan.OperationModify && !entry.Pending.Confirmed {
		spec.DBList = job.dbList
	}
	return spec
}

// checkBytes is I9: no secret in the ledger's files, nor in what was said.
func (h *history) checkBytes() {
	var all bytes.Buffer
	for _, suffix := range []string{"", "-wal", "-shm"} {
		content, _ := os.ReadFile(h.path + suffix)
		all.Write(content)
	}
	for _, p := range h.procs {
		fmt.Fprintf(&all, "%s %+v %v\n", p.said, p.report, p.err)
	}
	secrets := []string{simKeySecret}
	for _, job := range h.jobs {
		secrets = append(secrets, h.password("PASSWORD_"+job.Name))
	}
	for _, text := range secrets {
		for _, form := range []string{text, hex.EncodeToString([]byte(text)), base64.StdEncoding.EncodeToString([]byte(text))} {
			if bytes.Contains(all.Bytes(), []byte(form)) {
				h.violate("I9", "a secret was written")
			}
		}
	}
}

// traceHash is what I10 compares: the log, and the ledger's events.
func (h *history) traceHash() string {
	sum := sha256.New()
	for _, line := range h.lines {
		fmt.Fprintln(sum, line)
	}
	events, err := h.witness.Events(h.background, "", "")
	h.ledgerError(err)
	for _, e := range events {
		fmt.Fprintln(sum, e.At, e.Run, e.Name, e.Attempt, e.From, e.To, e.JobID, e.Code)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

func (h *history) verdict(hash string) *verdict {
	v := &verdict{seed: h.dice.seed, wrong: h.wrong, lines: h.lines, hash: hash, virtual: time.Since(h.start), creates: len(h.sends), places: h.places}
	for _, f := range h.faults {
		v.kinds = append(v.kinds, f.kind)
	}
	return v
}
