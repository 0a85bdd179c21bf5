package model

import (
	"strings"
	"testing"
)

// searchMost is more states than the scenarios have.
const searchMost = 3_000_000

// Each starred rule, left out, leads to a duplicate and to an orphan.
func TestTraces_starred(t *testing.T) {
	for _, info := range Starred {
		t.Run(info.Name, func(t *testing.T) {
			expectBad(t, info, Harm)
			expectBad(t, info, Duplicate)
		})
	}
}

func TestTraces_further(t *testing.T) {
	for _, info := range Further {
		t.Run(info.Name, func(t *testing.T) { expectBad(t, info, Harm) })
	}
}

// What is assumed is needed: without it the full protocol is not safe.
func TestTraces_assumed(t *testing.T) {
	for _, info := range Assumed {
		t.Run(info.Name, func(t *testing.T) { expectBad(t, info, Harm) })
	}
}

// searched holds the scenarios that were searched with every rule in place: most
// rules share theirs.
var searched = map[Config]bool{}

// expectBad checks that the scenario of a rule is safe with it and not without,
// and prints the shortest trace.
func expectBad(t *testing.T, info Info, watch Bad) {
	t.Helper()
	c := scenario(info.Rule)
	if !searched[c] && !underRace {
		searched[c] = true
		if r := Search(c, AnyBad, searchMost); r.Bad != 0 || !r.Complete {
			t.Fatalf("with the rule: got %v, complete %v\n%s", r.Bad, r.Complete, r.Trace)
		}
	}
	c.Rules &^= info.Rule
	r := Search(c, watch, searchMost)
	if r.Bad == 0 || r.Bad != r.Trace.Bad {
		t.Fatalf("without the rule: got %v, %v after %d states", r.Bad, r.Trace.Bad, r.States)
	}
	t.Logf("%s left out: %s.\n%s", info.Name, info.Left, r.Trace)
}

// Nothing rests on the spare rules alone.
func TestSpare(t *testing.T) {
	notUnderRace(t)
	for _, info := range Spare {
		c := scenario(info.Rule)
		c.Rules &^= info.Rule
		if r := Search(c, AnyBad, searchMost); r.Bad != 0 || !r.Complete {
			t.Errorf("%s left out: got %v, complete %v\n%s", info.Name, r.Bad, r.Complete, r.Trace)
		}
	}
}

// What backs a spare rule does not suffice without it, either.
func TestSpare_pairs(t *testing.T) {
	notUnderRace(t)
	for _, pair := range []struct{ rule, backup Rule }{
		{Freshness, Window},
		{Baseline, Presence},
	} {
		c := scenario(pair.rule)
		c.Rules &^= pair.rule | pair.backup
		both := Search(c, Harm, searchMost)
		if both.Bad == 0 {
			t.Errorf("%b: got nothing without both", pair.rule)
		}
	}
	c := scenario(Baseline)
	c.Rules &^= Presence
	if r := Search(c, Harm, searchMost); r.Bad != 0 || !r.Complete {
		t.Errorf("the baseline alone: got %v, complete %v\n%s", r.Bad, r.Complete, r.Trace)
	}
}

// The witness: what leaves without its nonce on disk is seen at once.
func TestSearch_unwitnessed_and_early(t *testing.T) {
	c := small
	c.Rules &^= IntentFirst
	if r := Search(c, Unwitnessed, searchMost); r.Bad != Unwitnessed || len(r.Trace.Lines) != 6 {
		t.Errorf("got %v after %d steps:\n%s", r.Bad, len(r.Trace.Lines), r.Trace)
	}
	c.Rules = Everything &^ Settle
	if r := Search(c, Early, searchMost); r.Bad != Early || !strings.Contains(r.Trace.String(), "intent(2)") {
		t.Errorf("got %v:\n%s", r.Bad, r.Trace)
	}
}

// notUnderRace skips a test that would only repeat others more slowly.
func notUnderRace(t *testing.T) {
	if underRace {
		t.Skip("the race detector has seen such searches")
	}
}
