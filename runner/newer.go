package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// readNewer reads what was noted of this plan's creates and is newer than the ledger,
// which was lost or put back to an older state: what it has as created may have been
// deleted and made again since. It tells of creates of what the plan does not want any
// more, as nothing else would, but for those that the ledger's history has: their entries
// were renamed or forgotten since.
func (r *Run) readNewer(ctx context.Context, snapshot plan.Snapshot) error {
	if r.looks {
		return nil
	}
	wanted := make(map[[2]string]bool, len(r.plan.Jobs)) // by name and region
	for i := range r.plan.Jobs {
		wanted[[2]string{r.plan.Jobs[i].Name, r.plan.Jobs[i].Region}] = true
	}
	made := make(map[[2]string]bool, len(snapshot.Entries)) // by the name that the service has
	for _, entry := range snapshot.Entries {
		made[[2]string{entry.Spec.Name, entry.Region}] = true
	}
	all, err := r.ledger.Sent(ctx, r.plan.Name, func(s plan.Sent) bool {
		key := [2]string{s.Name, s.Region}
		entry, known := snapshot.Entries[s.Name]
		switch {
		case s.Plan != r.plan.Name || s.SignedAt.After(r.clock.Now().Add(sentAhead)):
			return false
		case known && entry.Region == s.Region:
			return isOlder(&entry, s)
		}
		return !wanted[key] && !made[key]
	})
	if err != nil {
		return ledgerFailed("read what was sent", err)
	}
	var astray []plan.Sent
	for _, s := range all {
		if entry, known := snapshot.Entries[s.Name]; known && entry.Region == s.Region {
			r.newer[s.Name] = s
		} else if !s.Forgotten && !s.OnRecord {
			astray = append(astray, s)
		}
	}
	r.tellAstray(astray)
	return nil
}

// isOlder reports whether the entry has a job as created and knows nothing of what was
// noted later.
func isOlder(entry *plan.Entry, s plan.Sent) bool {
	return entry != nil && entry.State == plan.StateCreated && entry.UpdatedAt.Before(s.SignedAt)
}

// tellAstray warns of creates that neither the ledger nor the plan has.
func (r *Run) tellAstray(astray []plan.Sent) {
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
