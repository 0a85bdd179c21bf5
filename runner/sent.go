package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// SentAhead is how far ahead a note may be dated and count: more than any clock with
// which a run creates something.
const SentAhead = time.Hour

// holdSent takes creates back that were sent lately and that the ledger does not account
// for: it was lost or put back to an older state, the job was forgotten, or another plan
// made it. The listing that does not show the job may lag behind, so that for the settle
// time it proves nothing. Such a job is unknown to this run; a later one creates it, or
// finds it.
func (r *Run) holdSent(ctx context.Context, changes []plan.Change) error {
	jobs, before := map[string]string{}, r.plan.NamesBefore()
	for _, c := range changes {
		if r.mayCreate(c) {
			jobs[c.Name] = c.Region()
			if old, ok := before[c.Name]; ok {
				jobs[old] = c.Region()
			}
		}
	}
	if len(jobs) == 0 || r.looks {
		return nil
	}
	now := r.server.earliest()
	sent, err := r.ledger.Sent(ctx, r.plan.Name, jobs, now.Add(-r.options.Settle), now.Add(SentAhead))
	if err != nil {
		return ledgerFailed("read what was sent", err)
	}
	for i := range changes {
		c := &changes[i]
		s, noted := sent[c.Name]
		if old, moved := before[c.Name]; moved && !noted && !wasRenamed(c.Entry, old) {
			s, noted = sent[old]
		}
		if !noted || r.tooOld(s.SignedAt) || !r.mayCreate(*c) {
			continue
		}
		r.unrecorded[c.Name] = s
		if c.Kind != plan.KindResolve {
			c.Kind, c.Reason, c.Cause = plan.KindResolve, r.whyHeldBack(s), heldBackCause
		}
	}
	return nil
}

// wasRenamed reports whether the entry has what was sent under the old name.
func wasRenamed(entry *plan.Entry, old string) bool { return entry != nil && entry.Spec.Name == old }

// mayCreate reports whether this run may come to send a create for the change.
func (r *Run) mayCreate(c plan.Change) bool {
	return c.Kind == plan.KindCreate || c.Kind == plan.KindResolve || c.Kind == plan.KindReplace && r.options.AllowReplace
}

const heldBackCause = "sent lately, and perhaps not listed yet"

// Waits reports whether a change that Prepare returned is kept back for now, because the
// service does not list its job, which mostly was sent or created so lately.
func Waits(c plan.Change) bool { return c.Cause == heldBackCause || c.Cause == notListedCause }

func (r *Run) whyHeldBack(s plan.Sent) string {
	whose := "of it, which this ledger does not know of any more,"
	if s.Plan != r.plan.Name {
		whose = "of a job of that name in that region, for plan " + s.Plan + ","
	}
	return fmt.Sprintf("a create %s was sent at %s; until %s the job may be there and not listed: run again after that",
		whose, clockTime(s.SignedAt), clockTime(r.heldUntil(s)))
}

func (r *Run) heldUntil(s plan.Sent) time.Time { return s.SignedAt.Add(r.options.Settle) }

// holdBack ends a task as unknown whose create may have been sent before, and
// reports whether it did.
func (s *scheduler) holdBack(t *task) bool {
	sent, ok := s.run.unrecorded[t.change.Name]
	if !ok || s.run.tooOld(sent.SignedAt) {
		return false
	}
	t.finish(EndUnknown, s.run.whyHeldBack(sent), heldBackCause)
	t.attempt = max(t.attempt, sent.Attempt)
	t.result.SettlesAt = s.run.heldUntil(sent)
	return true
}
