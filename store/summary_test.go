package store

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

// TestSummary_is_what_entries_are holds what is counted by pages and by the index of
// what is not created against the entries themselves.
func TestSummary_is_what_entries_are(t *testing.T) {
	l := openStore(t)
	dice := rand.New(rand.NewPCG(3, 4))
	check := func() {
		t.Helper()
		for _, planName := range []string{"", "p", "q", "nobody"} {
			entries, err := l.Entries(t.Context(), Filter{Plan: planName})
			if err != nil {
				t.Fatal(err)
			}
			want := Summary{States: map[plan.State]int{}, First: entries[:min(len(entries), 3)]}
			for _, e := range entries {
				want.States[e.State]++
			}
			got, err := l.Summary(t.Context(), planName, 3)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Fatalf("plan %q: %v\n%s", planName, err, diff)
			}
		}
		plans, err := l.Plans(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range plans {
			if got, err := l.Entries(t.Context(), Filter{Plan: name}); err != nil || len(got) == 0 {
				t.Fatalf("plan %s of %q has no entry, %v", name, plans, err)
			}
		}
	}
	check()
	for i := range 40 {
		made := step(fmt.Sprintf("job-%02d", dice.IntN(12)), plan.StateNone, 0, plan.StateCreated)
		if made.Plan = "p"; i > 10 && dice.IntN(3) == 0 { // p is alone at first
			made.Plan = "q"
		}
		made.JobID = fmt.Sprintf("aps-%d", i)
		if dice.IntN(3) == 0 {
			made.To, made.JobID, made.Candidates = plan.StateConflict, "", []string{"aps-x"}
		}
		if l.Settle(t.Context(), made) != nil { // it is there
			next := step(made.Name, plan.StateCreated, 0, []plan.State{plan.StateLost, plan.StateAbsent}[dice.IntN(2)])
			next.Plan = made.Plan
			_ = l.Settle(t.Context(), next)
		}
		check()
	}
}
