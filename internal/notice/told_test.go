package notice

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// TestRunsSinceTold: news are the runs above the one that was told of.
func TestRunsSinceTold(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	runsAt := func(minutes ...int) (runs []store.Run) {
		for _, m := range minutes {
			at := noon.Add(time.Duration(m) * time.Minute)
			runs = append(runs, store.Run{RunRecord: plan.RunRecord{ID: at.Format("20060102T150405Z") + "-ABCDEFGH", StartedAt: at}})
		}
		return runs
	}
	at := func(minute int) *told {
		return &told{Run: runsAt(minute)[0].ID, At: noon.Add(time.Duration(minute) * time.Minute)}
	}
	for name, test := range map[string]struct {
		told *told
		runs []store.Run
		want int
	}{
		"nobody was told":              {nil, runsAt(3, 2, 1), 0},
		"no run":                       {at(1), nil, 0},
		"the last one":                 {at(3), runsAt(3, 2, 1), 0},
		"the first one":                {at(1), runsAt(3, 2, 1), 2},
		"pruned":                       {at(2), runsAt(4, 3, 1), 2},
		"pruned, and all are older":    {at(5), runsAt(4, 3, 1), 0},
		"further back":                 {at(0), runsAt(3, 2, 1), 3},
		"the clock was put back":       {at(60), runsAt(3, 2, 60, 1), 2},
		"not on record":                {&told{At: noon.Add(2 * time.Minute)}, runsAt(3, 2, 1), 1},
		"not on record, and all newer": {&told{At: noon}, runsAt(3, 2, 1), 3},
	} {
		if got := test.told.since(test.runs); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

func TestToldIsThatOfThePlanAndSkipsHalfALine(t *testing.T) {
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(ledger, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	one := &Run{Ledger: ledger, Record: plan.RunRecord{Plan: "one", Command: "apply"}, Outcome: OutcomeFailed}
	two := &Run{Ledger: ledger, Record: plan.RunRecord{Plan: "two", Command: "apply"}, Outcome: OutcomeInvalid}
	for _, at := range []*Run{one, two} {
		if got, err := toldOf(at); got != nil || err != nil {
			t.Errorf("before: %v, %v", got, err)
		}
	}
	path := ledger + ToldSuffix
	for _, at := range []*Run{one, two} {
		if err := keepTold(at); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, append(text, `{"plan":"one","com`...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[*Run]Outcome{one: "failed", two: "invalid"} {
		if got, err := toldOf(at); err != nil || got == nil || got.Outcome != want {
			t.Errorf("%s: got %v, %v", at.Record.Plan, got, err)
		}
	}
	nobody := &Run{Ledger: ledger + "-none", Record: one.Record}
	if err := keepTold(nobody); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(nobody.Ledger + ToldSuffix); err == nil {
		t.Error("something is made beside a ledger that is not there")
	}
}
