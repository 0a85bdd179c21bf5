package main

import (
	"fmt"

	"github.com/apsctl/apsctl/plan"
)

// wayOut says in one line how an entry gets out of its state, "" when there is
// nothing to get out of. docs/ledger.md has the same as a table.
func wayOut(e plan.Entry, line resolveLine) string {
	resolve := line.order(e.Plan)
	switch e.State {
	case plan.StateIntent, plan.StateUnknown:
		return "there is nothing to do: the next apply looks for it and settles it, or with on_unknown: hold says how; " + line.look(e.Plan) + " looks now"
	case plan.StateRejected, plan.StateNotSent:
		return "the next apply sends it again, as the plan then says"
	case plan.StateAbsent:
		return "the next apply creates it, if the plan still wants it"
	case plan.StateConflict, plan.StateDuplicate:
		which := "ID"
		if len(e.Candidates) == 1 {
			which = e.Candidates[0]
		}
		return fmt.Sprintf("if one of the listed jobs is the one: %s --adopt %s=%s; if they were deleted: --absent %[2]s instead", resolve, e.Name, which)
	case plan.StateLost:
		return fmt.Sprintf("if it was deleted on purpose: %s --forget %s, or --absent %[2]s to have it created again; if it is listed again: --adopt %[2]s=%s",
			resolve, e.Name, e.JobID)
	}
	return ""
}
