package main

import (
	"fmt"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// wayOut says in one line how an entry gets out of its state, "" when there is
// nothing to get out of. docs/ledger.md has the same as a table.
func wayOut(e plan.Entry, line resolveLine) string {
	resolve, name := line.order(e.Plan), printable.ShellWord(e.Name)
	switch e.State {
	case plan.StateIntent, plan.StateUnknown:
		// The ledger does not have which of them are held: that takes a look.
		return fmt.Sprintf("the next apply looks for it and settles it, and %s looks now; with on_unknown: hold, a person lets it go once it is proven absent: %s --absent %s",
			line.look(e.Plan), resolve, name)
	case plan.StateRejected, plan.StateNotSent:
		return "the next apply sends it again, as the plan then says"
	case plan.StateAbsent:
		return "the next apply creates it, if the plan still wants it"
	case plan.StateConflict:
		// Without --force an adoption is refused where source or destination differ, and
		// how the job is listed is not in the ledger.
		return fmt.Sprintf("if the listed job is the one all the same: %s --adopt %s --force, which takes it although its source or destination may differ, "+
			"and records it as it is: the next plan shows where it differs; if it was deleted: --absent %s instead", resolve, adoption(e), name)
	case plan.StateDuplicate:
		return fmt.Sprintf("if one of the listed jobs is the one: %s --adopt %s; if they were deleted: --absent %s instead", resolve, adoption(e), name)
	case plan.StateLost:
		return fmt.Sprintf("if it was deleted on purpose: %s --forget %s, or --absent %[2]s to have it created again; if it is listed again: --adopt %s",
			resolve, name, printable.ShellWord(e.Name+"="+e.JobID))
	}
	return ""
}

// adoption is what --adopt takes for an entry, with ID where a person has to choose.
func adoption(e plan.Entry) string {
	id := "ID"
	if len(e.Candidates) == 1 {
		id = e.Candidates[0]
	}
	return printable.ShellWord(e.Name + "=" + id)
}
