package model

import (
	"runtime"
	"testing"
	"time"
)

// fullMin is how many states the searches of one test run see at least.
const fullMin = 1_000_000

// noLimit is more states than fit into memory.
const noLimit = 1 << 31

func TestFull(t *testing.T) {
	if underRace {
		expectSafe(t, small, noLimit)
		return
	}
	total := 0
	for _, b := range quick {
		t.Run(b.name, func(t *testing.T) {
			r := expectSafe(t, b.config, noLimit)
			if total += r.States; !r.Complete {
				t.Error("the search did not come to its end")
			}
		})
	}
	if t.Logf("%d states in all", total); total < fullMin && !t.Failed() {
		t.Errorf("got %d states, want %d at least", total, fullMin)
	}
}

// TestLarge does nothing without -model.long or -model.states.
func TestLarge(t *testing.T) {
	if *long {
		for _, b := range large {
			t.Run(b.name, func(t *testing.T) {
				if r := expectSafe(t, b.config, noLimit); !r.Complete {
					t.Error("the search did not come to its end")
				}
			})
		}
	}
	most := *states
	if most == 0 && *long {
		most = stateCountDefault
	}
	if most == 0 {
		t.Skip("on demand: -model.long or -model.states=N")
	}
	t.Run("3_processes_2_names_3_crashes", func(t *testing.T) { expectSafe(t, largest, most) })
	t.Run("3_processes_2_names_3_crashes_walked", func(t *testing.T) {
		begun := time.Now()
		r := Walk(largest, AnyBad, 1, most/walkLength, walkLength)
		t.Logf("%d steps of random walks, up to %d deep, in %.1fs", r.States, r.Depth, time.Since(begun).Seconds())
		if r.Bad != 0 {
			t.Errorf("a bad state:\n%s", r.Trace)
		}
	})
}

// walkLength is how deep random walks go: past the end of nearly every run.
const walkLength = 150

func TestWalk(t *testing.T) {
	walks := 2000
	if underRace {
		walks /= 10
	}
	r := Walk(largest, AnyBad, 1, walks, walkLength)
	if r.Bad != 0 {
		t.Errorf("a bad state:\n%s", r.Trace)
	}
	if r.Depth < 40 {
		t.Errorf("got a depth of %d, want 40 at least", r.Depth)
	}
}

// A walk that finds nothing under the full protocol means little unless it does
// find what is there.
func TestWalk_finds(t *testing.T) {
	for _, info := range Starred {
		c := largest
		c.Rules &^= info.Rule
		if r := Walk(c, Harm, 1, 2000, walkLength); r.Bad == 0 {
			t.Errorf("%s left out: got nothing in %d steps", info.Name, r.States)
		}
	}
}

// expectSafe searches c under the full protocol, finds nothing, and tells how
// far it came.
func expectSafe(t *testing.T, c Config, most int) Result {
	t.Helper()
	c.Rules = Everything
	begun := time.Now()
	r := Search(c, AnyBad, most)
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	t.Logf("%d states, depth %d, to the end: %v; %.1fs, up to %d MB so far",
		r.States, r.Depth, r.Complete, time.Since(begun).Seconds(), memory.Sys>>20)
	if r.Bad != 0 {
		t.Errorf("a bad state:\n%s", r.Trace)
	}
	return r
}
