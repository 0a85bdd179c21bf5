package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// readNewer reads what was noted of this plan's creates and is newer than the ledger,
// which was lost or put back to an older state: what it has as created may have been
// deleted and made again since. It keeps the creates of what the plan does not want any more,
// but for those that the ledger's history has: their entries were renamed or forgotten since.
func (r *Run) readNewer(ctx context.Context, snapshot plan.Snapshot) error {
	if r.looks {
		return nil
	}
	wanted := make(map[[2]string]bool, len(r.plan.Jobs)) // by name and region
	for i := range r.plan.Jobs {
		wanted[[2]string{r.plan.Jobs[i].Name, r.plan.Jobs[i].Region}] = true
	}
	known, since := r.entriesBySent(snapshot), r.clock.Now().Add(-astrayFor)
	all, err := r.ledger.Sent(ctx, r.plan.Name, func(s plan.Sent) bool {
		if s.Plan != r.plan.Name || s.SignedAt.After(r.clock.Now().Add(sentAhead)) {
			return false
		}
		if entry := known(s); entry != nil {
			return isOlder(entry, s)
		}
		return !wanted[[2]string{s.Name, s.Region}] && s.SignedAt.After(since)
	})
	if err != nil {
		return ledgerFailed("read what was sent", err)
	}
	for _, s := range all {
		entry := known(s)
		switch {
		case entry != nil && isOlder(entry, s):
			keepLatest(r.newer, entry.Name, s)
		case entry == nil && !s.Forgotten && !s.OnRecord:
			r.astray = append(r.astray, s)
		}
	}
	return nil
}

// newerThan returns the create that the entry of a change knows nothing of. The entry may
// have another name yet than the change, where nobody carries moved out.
func (r *Run) newerThan(c plan.Change) (plan.Sent, bool) {
	if c.Entry == nil {
		return plan.Sent{}, false
	}
	s, ok := r.newer[c.Entry.Name]
	return s, ok
}

// entriesBySent returns how to find the entry that a create was of: the one of that name,
// or of the name that moved says it has now, or one that was renamed and whose job has that
// name at the service. It returns nil where there is none.
func (r *Run) entriesBySent(snapshot plan.Snapshot) func(plan.Sent) *plan.Entry {
	made := make(map[[2]string]plan.Entry, len(snapshot.Entries)) // by the name that the service has
	for _, entry := range snapshot.Entries {
		key := [2]string{entry.Spec.Name, entry.Region}
		if other, ok := made[key]; !ok || other.UpdatedAt.Before(entry.UpdatedAt) {
			made[key] = entry
		}
	}
	return func(s plan.Sent) *plan.Entry {
		for _, name := range []string{s.Name, r.plan.Moved[s.Name]} {
			if entry, ok := snapshot.Entries[name]; ok && entry.Region == s.Region {
				return &entry
			}
		}
		if entry, ok := made[[2]string{s.Name, s.Region}]; ok {
			return &entry
		}
		return nil
	}
}

// isOlder reports whether the entry has a job as created and its ledger knows nothing of
// what was noted later.
func isOlder(entry *plan.Entry, s plan.Sent) bool {
	return entry != nil && entry.State == plan.StateCreated && entry.UpdatedAt.Before(s.SignedAt) && !s.OnRecord
}

// astrayFor is how long a person is told of a create that nothing has any more: the file of
// what was sent keeps a line as long as no later ones follow.
const astrayFor = 24 * time.Hour

// tellAstray warns of creates that neither the ledger nor the plan has, as nothing else
// would. What holds a job of the plan back is told there: who imports that one has it twice
// in the end, under its own name and under the plan's.
func (r *Run) tellAstray() {
	held := make(map[string]bool, len(r.unrecorded))
	for _, s := range r.unrecorded {
		held[s.Data] = true
	}
	astray := slices.DeleteFunc(r.astray, func(s plan.Sent) bool { return s.Data != "" && held[s.Data] })
	if len(astray) == 0 {
		return
	}
	slices.SortFunc(astray, func(a, b plan.Sent) int { return a.SignedAt.Compare(b.SignedAt) })
	var named []string
	for _, s := range astray {
		named = append(named, fmt.Sprintf("%s in %s (%s)", s.Name, s.Region, clockTime(s.SignedAt)))
	}
	r.options.Warn(fmt.Sprintf("%s of this plan, sent lately, that neither the ledger nor the plan has: %s. "+
		"Look for them at the service: import takes over those that exist", plan.Count(len(astray), "create"), firstOf(named)))
}

// firstOf names the first few of many, and says how many more there are.
func firstOf(named []string) string {
	const most = 5
	text := strings.Join(named[:min(len(named), most)], ", ")
	if more := len(named) - most; more > 0 {
		text += fmt.Sprintf(", %d more", more)
	}
	return text
}
