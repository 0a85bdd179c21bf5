//go:build mutants

package runner_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/apsctl/apsctl/internal/mutant"
)

// mutantSeeds is within how many histories the simulation must notice that a
// rule of the protocol is missing.
const mutantSeeds = 200

// TestMutants drops one rule of the protocol at a time and plays histories
// until one goes wrong. The product as it is must come through the same ones.
func TestMutants(t *testing.T) {
	g := newPlayground(t)
	defer mutant.Set("")
	var table strings.Builder
	for _, name := range append([]string{""}, mutant.Names...) {
		mutant.Set(name)
		seed, wrong := g.firstKill(t, faultsFor[name])
		switch {
		case name == "" && seed != 0:
			t.Errorf("seed %d goes wrong without any mutant: %s", seed, wrong)
		case name != "" && seed == 0:
			t.Errorf("mutant %s survives %d histories", name, mutantSeeds)
			fmt.Fprintf(&table, "%-26s survives\n", name)
		case name != "":
			fmt.Fprintf(&table, "%-26s killed by %-4s at seed %3d: %s\n", name, wrong.invariant, seed, wrong.what)
		}
	}
	t.Logf("mutants and what kills them:\n%s", table.String())
}

// faultsFor are the faults that a rule is for, where those of random histories
// seldom meet: a change that takes effect late, and another wanted meanwhile, a run
// that ends while a job is suspended to be changed, or a job that leaves the plan
// before it is listed.
var faultsFor = map[string][]kind{
	mutant.ChangeOvertakes: {toAndFro, late},
	mutant.ChangeAssumed:   {toAndFro, late},
	mutant.PauseUnrecorded: {toAndFro, dropAfter, serverError, death},
	mutant.DeleteUnlisted:  {hasty, lag},
}

// firstKill is the first seed whose history with these faults, or if nil with
// any, goes wrong, 0 if none does.
func (g *playground) firstKill(t *testing.T, kinds []kind) (seed uint64, first violation) {
	var mu sync.Mutex
	g.all(t, mutantSeeds, func(i int) script { return script{seed: uint64(i + 1), kinds: kinds} }, func(s script, v *verdict) bool {
		if len(v.wrong) == 0 {
			return true
		}
		mu.Lock()
		defer mu.Unlock()
		if seed == 0 || s.seed < seed {
			seed, first = s.seed, v.wrong[0]
		}
		return false
	})
	return seed, first
}
