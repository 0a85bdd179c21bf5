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
		s, noted := sent.named[c.Name]
		if old, moved := before[c.Name]; moved && !noted && !wasRenamed(c.Entry, old) {
			s, noted = sent.named[old]
		}
		if !noted || !r.mayCreate(*c) {
			s, noted = r.newerThan(*c)
			noted = noted && isOlder(c.Entry, s) && r.sentLately(s)
		}
		if !noted && len(sent.alike) > 0 && c.Job != nil && r.mayCreate(*c) {
			s, noted = sent.alike[c.Job.DataKey()]
		}
		if !noted {
			continue
		}
		r.unrecorded[c.Name] = s
		if c.Kind != plan.KindResolve {
			c.Kind, c.Reason, c.Cause = plan.KindResolve, r.whyHeldBack(c, s), heldBackCause
		}
	}
	r.tellAstray()
	return nil
}

// unaccounted are creates that were sent lately and that the ledger does not account for,
// the latest of each key.
type unaccounted struct {
	named map[string]plan.Sent // by name
	// alike are those under names that the plan has for nothing of the kind, by their
	// plan.Spec.DataKey: the job may have another name in the plan by now.
	alike map[string]plan.Sent
}

// sentFor returns what was sent lately of what changes may create.
func (r *Run) sentFor(ctx context.Context, changes []plan.Change) (sent unaccounted, err error) {
	regions, data, before := map[string]string{}, map[string]bool{}, r.plan.NamesBefore()
	for i := range changes {
		if c := &changes[i]; r.mayCreate(*c) {
			regions[c.Name] = c.Region()
			if old, ok := before[c.Name]; ok {
				regions[old] = c.Region()
			}
			if c.Job != nil {
				data[c.Job.DataKey()] = true
			}
		}
	}
	if len(regions) == 0 {
		return sent, nil
	}
	wanted := make(map[string]*plan.Job, len(r.plan.Jobs))
	for i := range r.plan.Jobs {
		wanted[r.plan.Jobs[i].Name] = &r.plan.Jobs[i]
	}
	isNamed := func(s plan.Sent) bool {
		region, ok := regions[s.Name]
		return ok && region == s.Region
	}
	isAlike := func(s plan.Sent) bool {
		job := wanted[s.Name]
		return data[s.Data] && (job == nil || job.DataKey() != s.Data)
	}
	all, err := r.ledger.Sent(ctx, r.plan.Name, func(s plan.Sent) bool {
		return (isNamed(s) || isAlike(s)) && r.sentLately(s)
	})
	if err != nil {
		return sent, ledgerFailed("read what was sent", err)
	}
	sent = unaccounted{map[string]plan.Sent{}, map[string]plan.Sent{}}
	for _, s := range all {
		if isNamed(s) {
			keepLatest(sent.named, s.Name, s)
		}
		// The history has what an entry accounts for under the name that it has now, or in
		// another plan, unless it was forgotten.
		if isAlike(s) && (s.Forgotten || !s.OnRecord) {
			keepLatest(sent.alike, s.Data, s)
		}
	}
	return sent, nil
}

func keepLatest(sent map[string]plan.Sent, key string, s plan.Sent) {
	if other, ok := sent[key]; !ok || other.SignedAt.Before(s.SignedAt) {
		sent[key] = s
	}
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

func (r *Run) whyHeldBack(c *plan.Change, s plan.Sent) string {
	whose := "of it, which this ledger does not know of any more,"
	switch {
	case s.Name != c.Name && c.Job != nil && s.Data == c.Job.DataKey():
		whose = "for the same source, destination and objects, under the name " + s.Name + " and for plan " + s.Plan + ","
	case s.Plan != r.plan.Name:
		whose = "of a job of that name in that region, for plan " + s.Plan + ","
	}
	now := "the job may be there and not listed: run again after that"
	if !r.sentLately(s) { // a person took that long to confirm the plan
		now = "the job may have been there and not listed, and nothing has looked since: run again now"
	}
	return fmt.Sprintf("a create %s was sent at %s; until %s %s", whose, clockTime(s.SignedAt), clockTime(r.heldUntil(s)), now)
}

// holdBack ends a task as unknown whose create may have been sent before, and
// reports whether it did.
func (s *scheduler) holdBack(t *task) bool {
	sent, ok := s.run.unrecorded[t.change.Name]
	if !ok || !s.run.sentLately(sent) {
		return false
	}
	s.leaveHeld(t, sent)
	return true
}

// leaveHeld ends a task as unknown that Prepare or a look took back.
func (s *scheduler) leaveHeld(t *task, sent plan.Sent) {
	t.finish(EndUnknown, s.run.whyHeldBack(&t.change, sent), heldBackCause)
	t.attempt = max(t.attempt, sent.Attempt)
	t.result.SettlesAt = s.run.heldUntil(sent)
}
