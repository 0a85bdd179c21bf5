package runner_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// meddle is what people do before and during the n-th turn.
func (h *history) meddle(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	rng := h.dice.roll("meddle", n)
	// A process takes three quarters of a minute to start.
	soon := time.Now().Add(between(rng, 44*time.Second, 45*time.Second+oneOf(rng, time.Second, 10*time.Second, 5*time.Minute)))
	for _, k := range []kind{foreignSame, foreignOther} {
		f := h.active(k, n)
		if f == nil || f.left == 0 || len(h.jobs) == 0 {
			continue
		}
		f.left--
		spec := h.openJob(rng)
		if k == foreignOther {
			spec.Source.Instance = "pc-9"
		}
		job := h.cloud.foreign(spec, soon)
		h.excuse(spec.Name, fmt.Sprintf("others make %s of the same name at %s", job.id, h.moment(soon)))
	}
	if f := h.active(edit, n); f != nil && n > 0 && f.left > 0 {
		f.left--
		h.edit(f.n, rng.IntN(len(h.jobs)))
	}
	if h.active(toAndFro, n) != nil && n > 0 && len(h.jobs) > 0 {
		h.edit(0, 0)
	}
	if (h.active(comeAndGo, n) != nil || h.active(hasty, n) != nil) && n > 0 {
		h.comeOrGo()
	}
	if h.active(behindUs, n) != nil && n > 0 {
		h.changeBehindUs(n)
	}
	if f := h.active(oldBaseline, n); f != nil && n == 0 && f.left > 0 {
		h.leaveIntent(f.yes, h.randomJob(rng))
	}
}

// changeBehindUs is somebody at the console who changes a job that is on record.
func (h *history) changeBehindUs(n int) {
	rng := h.dice.roll("behind us", n)
	created, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan, States: []plan.State{plan.StateCreated}})
	if h.ledgerError(err) || len(created) == 0 {
		return
	}
	job := h.cloud.byID(oneOf(rng, created...).JobID)
	if job == nil || !job.exists(time.Now()) {
		return
	}
	e := simEdit{at: time.Now(), dbList: oneOf(rng, `{"EntireInstance":true}`, `{"theirs":{"all":true}}`)}
	if rng.IntN(3) == 0 {
		e.dbList, e.status = "", oneOf(rng, "Running", "Suspended")
	}
	job.edits, job.behindUs = append(job.edits, e), true
	h.log("others change %s of %s: %s%s", job.id, job.name, e.dbList, e.status)
}

// refresh is how much a process asks: all of it at rest where others changed jobs,
// so that these end as the plan says.
func (h *history) refresh(n, id int) plan.Refresh {
	text := oneOf(h.dice.roll("refresh", id), "none", "none", "none", "changed", "sample:40%", "all")
	if n >= h.turns && h.active(behindUs, -1) != nil {
		text = "all"
	}
	refresh, err := plan.ParseRefresh(text)
	if err != nil {
		panic(err)
	}
	return refresh
}

// openJob is a job of the plan whose outcome is not known just now, if there is
// one, and else any.
func (h *history) openJob(rng *rand.Rand) plan.Spec {
	open, err := h.witness.Entries(h.background, store.Filter{Plan: simPlan, States: []plan.State{plan.StateIntent, plan.StateUnknown}})
	if h.ledgerError(err) || len(open) == 0 {
		return h.randomJob(rng)
	}
	return oneOf(rng, open...).Spec
}

func (h *history) randomJob(rng *rand.Rand) plan.Spec { return oneOf(rng, h.jobs...).Spec }

// comeOrGo takes the last job out of the plan, or puts it back, maybe with another
// destination.
func (h *history) comeOrGo() {
	if job := h.away; job != nil {
		if h.dice.roll("came back", len(h.lines)).IntN(3) == 0 {
			job.Destination.Instance = "amv-9"
			job.Digest = plan.HashSpec(job.Spec)
		}
		h.log("job %s is back in the plan", job.Name)
		h.jobs, h.away = append(slices.Clone(h.jobs), *job), nil
		return
	}
	if len(h.jobs) < 2 {
		return
	}
	last := h.jobs[len(h.jobs)-1]
	h.log("job %s is taken out of the plan", last.Name)
	h.jobs, h.away = slices.Clone(h.jobs[:len(h.jobs)-1]), &last
}

// edit changes the plan in one of several ways.
func (h *history) edit(choice, i int) {
	job := h.jobs[i]
	switch choice {
	case 0:
		there, back := `{"another":{"all":true}}`, `{"EntireInstance":true}`
		if job.DBList == there {
			there = back
		}
		job.DBList = there // and back the next time
	case 1:
		job.Destination.Instance = "amv-7"
	case 2:
		job.Region = h.regions[len(h.regions)-1]
	case 3:
		if len(h.jobs) > 1 {
			h.log("job %s is taken out of the plan", job.Name)
			h.jobs = slices.Delete(slices.Clone(h.jobs), i, i+1)
		}
		return
	default:
		h.log("a job is added to the plan")
		h.jobs = append(slices.Clone(h.jobs), h.job(fmt.Sprintf("new-%03d", len(h.lines))))
		return
	}
	h.log("job %s is edited in the plan", job.Name)
	job.Digest = plan.HashSpec(job.Spec)
	h.jobs = slices.Clone(h.jobs)
	h.jobs[i] = job
}

// leaveIntent is a process that found a job of others under a wanted name,
// promised its own beside it, as an older protocol would have, and died before
// it sent anything.
func (h *history) leaveIntent(agrees bool, spec plan.Spec) {
	other := spec
	if !agrees {
		other.Source.Instance = "pc-9"
	}
	job := h.cloud.foreign(other, h.start)
	ledger, err := store.Open(h.background, h.path, store.Options{})
	if err == nil {
		err = ledger.Intend(h.background, plan.Intent{
			Plan: simPlan, Name: spec.Name, Attempt: 1, Spec: spec, Digest: plan.HashSpec(spec),
			Nonce: fmt.Sprintf("old-%d", h.dice.seed), SignedAt: time.Now().UTC().Truncate(time.Second),
			Baseline: []string{job.id}, RunID: "run-old", At: time.Now(),
		})
	}
	if err == nil {
		err = ledger.Close()
	}
	if err != nil {
		h.violate("harness", "leave an intent: %v", err)
	}
	h.log("a process died that had promised %s beside %s", spec.Name, job.id)
}
