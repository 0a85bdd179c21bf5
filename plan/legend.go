package plan

import (
	"bufio"
	"fmt"
)

// Consequence says what carrying a change out does to an existing job, "" where
// there is none to speak of. Whether ModifyApsJob pauses a job is not documented.
func (c Change) Consequence() string {
	switch {
	case c.Kind == KindUpdate && c.OnlyRecorded():
		return "nothing is sent"
	case c.Kind == KindUpdate:
		return "the job stays; objects that come in are loaded"
	case c.Kind == KindReplace:
		return "the job is deleted and created again: it stops, and everything is synchronised anew"
	case c.Kind == KindDelete:
		return "the job stops for good"
	case c.Kind == KindSuspend:
		return "the job stops until it is started"
	}
	return ""
}

// legend explains the words for what it takes to change a field, as far as changes
// use them.
var legend = []struct {
	effect Effect
	text   string
}{
	{EffectInPlace, "ModifyApsJob sends both lists; the job stays, and objects that come in are loaded (whether it pauses meanwhile is not documented)"},
	{EffectReplace, "the job is deleted, which stops it, and created again, which synchronises everything anew; only with --allow replace"},
	{EffectBlind, "the service never shows it: known from the ledger only, and changed by a replace"},
	{EffectRecord, "the service has it so already; nothing is sent"},
}

func renderLegend(b *bufio.Writer, changes []Change) {
	used := map[Effect]bool{}
	for i := range changes {
		for _, f := range changes[i].Fields {
			used[f.Effect] = true
		}
	}
	if len(used) > 0 {
		b.WriteString("\n")
	}
	for _, line := range legend {
		if used[line.effect] {
			fmt.Fprintf(b, "  %s: %s\n", line.effect, line.text)
		}
	}
}

// words is what stands behind a field: what it takes, and who differs.
func (f FieldChange) words() string {
	switch f.Differs {
	case PartyPlan:
		return string(f.Effect) + "; changed in the plan"
	case PartyService:
		return string(f.Effect) + "; changed outside apsctl"
	case PartyLedger:
		return string(f.Effect) + "; changed outside apsctl, as the plan wants it"
	case PartyAll:
		return string(f.Effect) + "; changed in the plan, and outside apsctl"
	}
	return string(f.Effect)
}
