package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// sentAhead is how far ahead a note may be dated and count: more than any clock with
// which a run creates something.
const sentAhead = time.Hour

// heldUntil is the moment until which a create that was noted may have made a job that is
// not listed.
func (r *Run) heldUntil(s plan.Sent) time.Time {
	settle := r.options.Settle
	if s.Plan != r.plan.Name {
		settle = max(settle, saidSettle(s.Settle))
	}
	return s.SignedAt.Add(settle)
}

// sentLately reports whether that moment is still to come.
func (r *Run) sentLately(s plan.Sent) bool {
	now := r.server.earliest()
	return now.Before(r.heldUntil(s)) && !s.SignedAt.After(now.Add(sentAhead))
}

// holdSent takes creates back that were sent lately and that the ledger does not account
// for: it was lost or put back to an older state, the job was forgotten, or another plan
// made it. The listing that does not show the job may lag behind, so that for the settle
// time it proves nothing. Such a job is unknown to this run; a later one creates it, or
// finds it.
func (r *Run) holdSent(ctx context.Context, changes []plan.Change) error {
	if r.looks {
		return nil
	}
	sent, err := r.sentFor(ctx, changes)
	if err != nil {
		return err
	}
	before := r.plan.NamesBefore()
	for i := range changes {
		c := &changes[i]
		s, noted := sent[c.Name]
		if old, moved := before[c.Name]; moved && !noted && !wasRenamed(c.Entry, old) {
			s, noted = sent[old]
		}
		if !noted || !r.mayCreate(*c) {
			s, noted = r.newer[c.Name]
			noted = noted && isOlder(c.Entry, s) && r.sentLately(s)
		}
		if !noted {
			continue
		}
		r.unrecorded[c.Name] = s
		if c.Kind != plan.KindResolve {
			c.Kind, c.Reason, c.Cause = plan.KindResolve, r.whyHeldBack(s), heldBackCause
		}
	}
	return nil
}

// sentFor returns, by name, the latest create that was sent lately of what changes may
// create, and that the ledger does not account for.
func (r *Run) sentFor(ctx context.Context, changes []plan.Change) (map[string]plan.Sent, error) {
	regions, before := map[string]string{}, r.plan.NamesBefore()
	for _, c := range changes {
		if r.mayCreate(c) {
			regions[c.Name] = c.Region()
			if old, ok := before[c.Name]; ok {
				regions[old] = c.Region()
			}
		}
	}
	if len(regions) == 0 {
		return nil, nil
	}
	all, err := r.ledger.Sent(ctx, r.plan.Name, func(s plan.Sent) bool {
		region, ok := regions[s.Name]
		return ok && region == s.Region && r.sentLately(s)
	})
	if err != nil {
		return nil, ledgerFailed("read what was sent", err)
	}
	sent := map[string]plan.Sent{}
	for _, s := range all {
		if other, ok := sent[s.Name]; !ok || other.SignedAt.Before(s.SignedAt) {
			sent[s.Name] = s
		}
	}
	return sent, nil
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

// HeldBack reports whether an unknown job was sent by nothing that the ledger knows of,
// and waits until it is listed if it is there.
func (r Result) HeldBack() bool { return r.Ending == EndUnknown && r.Cause == heldBackCause }

func (r *Run) whyHeldBack(s plan.Sent) string {
	whose := "of it, which this ledger does not know of any more,"
	if s.Plan != r.plan.Name {
		whose = "of a job of that name in that region, for plan " + s.Plan + ","
	}
	return fmt.Sprintf("a create %s was sent at %s; until %s the job may be there and not listed: run again after that",
		whose, clockTime(s.SignedAt), clockTime(r.heldUntil(s)))
}

// holdBack ends a task as unknown whose create may have been sent before, and
// reports whether it did.
func (s *scheduler) holdBack(t *task) bool {
	sent, ok := s.run.unrecorded[t.change.Name]
	if !ok || !s.run.sentLately(sent) {
		return false
	}
	t.finish(EndUnknown, s.run.whyHeldBack(sent), heldBackCause)
	t.attempt = max(t.attempt, sent.Attempt)
	t.result.SettlesAt = s.run.heldUntil(sent)
	return true
}
