package runner_test

import (
	"flag"
	"strconv"
	"strings"
	"testing"
)

// The long form is
//
//	go test ./runner -run Simulation -timeout 0 -v -sim.seeds=100000
//
// and -sim.first goes on where an earlier one ended.
var (
	simSeeds   = flag.Int("sim.seeds", 0, "number of random histories to simulate; 0 is the short form")
	simFirst   = flag.Uint64("sim.first", 1, "seed of the first random history; the others follow it")
	simSeed    = flag.Uint64("sim.seed", 0, "simulate the history of this seed only, and show its log")
	simWithout = flag.String("sim.without", "", "places of faults that the history of -sim.seed leaves out, from 0, with commas")
	simKinds   = flag.String("sim.faults", "", "the faults of the history of -sim.seed, in order, with commas; empty draws them from the seed")
)

// TestSimulation plays random histories, each with at least three faults of
// different families, and holds each against the protocol's invariants.
func TestSimulation(t *testing.T) {
	g := newPlayground(t)
	if *simSeed != 0 {
		g.replay(t, *simSeed, *simKinds, *simWithout)
		return
	}
	n := simShort
	if *simSeeds > 0 {
		n = *simSeeds
	}
	f := &failures{t: t, g: g}
	g.all(t, n, func(i int) script { return script{seed: *simFirst + uint64(i)} }, f.judge)
}

// TestSimulationOfFaults plays the protocol's faults singly, in all ordered
// pairs, and in triples: a sample of those, or all in the long form.
func TestSimulationOfFaults(t *testing.T) {
	g := newPlayground(t)
	f := &failures{t: t, g: g}
	scripts := systematic(*simSeeds > 0)
	step := faultsStep
	if *simSeeds > 0 {
		step = 1
	}
	g.all(t, len(scripts)/step, func(i int) script { return scripts[i*step] }, f.judge)
}

// triplesStep is which share of the triples the short form plays; it has no
// divisor in common with the number of kinds.
const triplesStep = 23

func systematic(all bool) []script {
	var scripts []script
	add := func(kinds ...kind) {
		scripts = append(scripts, script{seed: uint64(1_000_000 + len(scripts)), kinds: kinds})
	}
	triples := 0
	for _, first := range protocolFaults {
		for range 4 {
			add(first)
		}
		for _, second := range protocolFaults {
			add(first, second)
			for _, third := range protocolFaults {
				if triples++; all || triples%triplesStep == 0 {
					add(first, second, third)
				}
			}
		}
	}
	return scripts
}

// TestSimulationRepeats is I10: the same seed gives the same trace, whatever
// the scheduler does.
func TestSimulationRepeats(t *testing.T) {
	g := newPlayground(t)
	n := max(simShort/20, min(*simSeeds/10, 1000))
	f := &failures{t: t, g: g}
	g.all(t, n, func(i int) script { return script{seed: uint64(i + 1)} }, func(s script, first *verdict) bool {
		second := g.play(t, s)
		if first.hash == second.hash {
			return true
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		t.Errorf("seed %d has two traces (I10):\n%s", s.seed, firstDifference(first.lines, second.lines))
		f.shown++
		return f.shown < failuresShown
	})
}

func firstDifference(a, b []string) string {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return strings.Join(append(a[:i], "first:  "+a[i], "second: "+b[i]), "\n")
		}
	}
	return "one is longer"
}

// replay plays one history and shows it.
func (g *playground) replay(t *testing.T, seed uint64, kinds, without string) {
	s := script{seed: seed}
	if kinds != "" {
		for name := range strings.SplitSeq(kinds, ",") {
			s.kinds = append(s.kinds, kind(name))
		}
	}
	for place := range strings.FieldsFuncSeq(without, func(r rune) bool { return r == ',' }) {
		n, err := strconv.Atoi(place)
		if err != nil {
			t.Fatal(err)
		}
		s.without = append(s.without, n)
	}
	v := g.play(t, s)
	t.Logf("%s\ntrace %s", strings.Join(v.lines, "\n"), v.hash)
	for _, wrong := range v.wrong {
		t.Errorf("%s", wrong)
	}
}
