package plan

import (
	"slices"
	"strings"
)

// leftOvers are the jobs that left the plan, as far as they exist or may.
func leftOvers(ledger Snapshot, wanted map[string]bool, o DiffOptions) []Change {
	var left []Change
	for name, entry := range ledger.Entries {
		if wanted[name] {
			continue
		}
		if !entry.State.Unresolved() && !entry.State.NeedsPerson() && entry.State != StateCreated {
			continue // there is nothing to be left over
		}
		left = append(left, diffLeftOver(name, &entry, o))
	}
	slices.SortFunc(left, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return left
}

// diffLeftOver decides about one job that left the plan.
func diffLeftOver(name string, entry *Entry, o DiffOptions) Change {
	c := Change{Kind: KindLeftOver, Name: name, Entry: entry, Reason: "no longer in the plan; left as it is", Cause: "left the plan", Seen: o.seen(entry)}
	c.Fields = diffFields(entry.Spec, entry.Spec, c.Seen)
	switch {
	case entry.State.Unresolved():
		c.Reason = "no longer in the plan, and a create was sent for it whose outcome is not known yet"
		c.Cause = "left the plan with a create without an answer"
	case entry.State != StateCreated:
	case (entry.Life.OnRemove == OnRemoveDelete || o.Delete) && entry.Life.Protect:
		c.Reason = "no longer in the plan; protected, so it is left as it is"
		c.Cause = "left the plan, and is protected"
	case entry.Life.OnRemove == OnRemoveDelete:
		c.Kind, c.Reason = KindDelete, "no longer in the plan, which said on_remove: delete"
	case o.Delete:
		c.Kind, c.Reason = KindDelete, "no longer in the plan"
	case entry.Pending.Operation == OperationDelete:
		c.Reason = "no longer in the plan; its deletion was sent and is not confirmed"
		c.Cause = "left the plan with a deletion without an answer"
	case c.Paused():
		c.Kind, c.Reason, c.Cause = KindStart, "no longer in the plan; apsctl suspended it, and it is to run again", "to run again"
	case c.Puts() != "" && (c.Doing() != c.Puts() || entry.Pending.unconfirmed(OperationSuspend)):
		c.Kind, c.Reason = KindSuspend, "no longer in the plan, which said on_remove: suspend"
	}
	return c
}
