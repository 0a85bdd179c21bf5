package model

import (
	"fmt"
	"strings"
)

// Trace is a way from the start to a bad state, one line per step.
type Trace struct {
	Bad   Bad
	Lines []string
}

// String is the trace with its steps numbered.
func (t Trace) String() string {
	var b strings.Builder
	for i, line := range t.Lines {
		fmt.Fprintf(&b, "%3d  %s\n", i+1, line)
	}
	fmt.Fprintf(&b, "     => %s\n", t.Bad)
	return b.String()
}

// replay walks along path again. The states there stand for others that differ
// by names only; here each process and job keeps the name that it began with.
func replay(c Config, watch Bad, path []uint64) Trace {
	e := expander{Config: &c}
	var trace Trace
	state, clock := c.start(), 0
	for _, print := range path {
		ok := false
		for _, n := range e.expand(state) {
			if n.Bad &= watch; c.fingerprint(&n.State) != print {
				continue
			}
			if n.step.kind == kindTick {
				clock++
			}
			trace.Lines = append(trace.Lines, fmt.Sprintf("t%d  %s", clock, n.step.words(&c, &state, &n.State)))
			state, ok = n.State, true
			break
		}
		if !ok {
			panic("model: a trace cannot be played again: two states share a hash")
		}
	}
	trace.Bad = state.Bad
	return trace
}
