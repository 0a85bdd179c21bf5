package model

import (
	"maps"
	"math/rand/v2"
	"runtime"
	"testing"
)

// The set of hashes has as many states as a set of the states themselves.
func TestSearch_counts_like_a_map(t *testing.T) {
	c := small
	if underRace {
		c.Procs = 1
	}
	e := expander{Config: &c}
	first := c.start()
	seen := map[key]bool{c.canonical(&first): true}
	for queue := []State{first}; len(queue) > 0; queue = queue[1:] {
		for _, n := range e.expand(queue[0]) {
			if k := c.canonical(&n.State); !seen[k] {
				seen[k] = true
				queue = append(queue, n.State)
			}
		}
	}
	if r := Search(c, AnyBad, searchMost); r.States != len(seen) || !r.Complete {
		t.Errorf("got %d states, complete %v; want %d", r.States, r.Complete, len(seen))
	}
}

// States that differ only in who is who are one state, and can do the same.
func TestFingerprint_is_symmetric(t *testing.T) {
	c := largest
	e := expander{Config: &c}
	random := rand.New(rand.NewPCG(1, 2))
	state := c.start()
	for range 20_000 {
		other := renamed(random, state)
		if c.fingerprint(&state) != c.fingerprint(&other) {
			t.Fatalf("%+v\nand %+v differ", state, other)
		}
		renamedWays := prints(&c, e.expand(other))
		choices := e.expand(state)
		if ways := prints(&c, choices); !maps.Equal(ways, renamedWays) {
			t.Fatalf("%+v\nhas %d ways on, and renamed %d or others", state, len(ways), len(renamedWays))
		}
		if len(choices) == 0 || random.IntN(100) == 0 {
			state = c.start()
			continue
		}
		state = choices[random.IntN(len(choices))].State
	}
}

func prints(c *Config, choices []next) map[uint64]bool {
	set := map[uint64]bool{}
	for _, n := range choices {
		set[c.fingerprint(&n.State)] = true
	}
	return set
}

// renamed exchanges two processes, and perhaps the two names.
func renamed(random *rand.Rand, s State) State {
	i, j := random.IntN(maxProcs), random.IntN(maxProcs)
	s.Procs[i], s.Procs[j] = s.Procs[j], s.Procs[i]
	if random.IntN(2) == 0 {
		return s
	}
	s.Jobs[0], s.Jobs[1] = s.Jobs[1], s.Jobs[0]
	for i := range s.Procs {
		if p := &s.Procs[i]; p.PC != pcIdle {
			p.Name = 1 - p.Name
		}
	}
	return s
}

// The number of workers changes neither the states nor the trace.
func TestSearch_is_the_same_each_time(t *testing.T) {
	c := small
	c.Rules &^= CASVerdict
	want := Search(c, Harm, searchMost)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	for _, workers := range []int{1, 2, 5} {
		runtime.GOMAXPROCS(workers)
		if r := Search(c, Harm, searchMost); r.States != want.States || r.Trace.String() != want.Trace.String() {
			t.Errorf("%d workers: got %d states and\n%s\nwant %d and\n%s", workers, r.States, r.Trace, want.States, want.Trace)
		}
	}
}

func TestSearch_stops_at_its_limit(t *testing.T) {
	if r := Search(small, AnyBad, 1000); r.States != 1000 || r.Complete {
		t.Errorf("got %d states, complete %v", r.States, r.Complete)
	}
}
