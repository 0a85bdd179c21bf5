package store

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

func TestSpendIsDoneOnce(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	if err := l.Spent(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	if err := l.Spend(t.Context(), "a", "run-1", t0); err != nil {
		t.Fatal(err)
	}
	if err := l.Spend(t.Context(), "b", "run-1", t0); err != nil {
		t.Fatal(err)
	}
	if err := l.Spend(t.Context(), "", "run-1", t0); err == nil {
		t.Error("got no error without an id")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = reopen(t, path)
	for _, err := range []error{l.Spent(t.Context(), "a"), l.Spend(t.Context(), "a", "run-2", t0)} {
		var spent *SpentError
		if !errors.As(err, &spent) || spent.Run != "run-1" || !spent.At.Equal(t0) {
			t.Errorf("got %v", err)
		}
	}
	if m, err := l.Meta(t.Context()); err != nil || m.Serial != 0 {
		t.Errorf("a spent plan is no change of an entry: %+v, %v", m, err)
	}
}

func TestSince(t *testing.T) {
	l := openStore(t)
	run := func(id, command, planName string) {
		t.Helper()
		if err := l.BeginRun(t.Context(), plan.RunRecord{ID: id, Command: command, Plan: planName, StartedAt: t0}); err != nil {
			t.Fatal(err)
		}
	}
	intend := func(name, runID string) {
		t.Helper()
		in := intentOf(name, plan.StateNone, 1)
		in.RunID = runID
		mustIntend(t, l, in)
	}
	since := func(mark plan.SavedLedger) Since {
		t.Helper()
		s, err := l.Since(t.Context(), mark, "p", "own")
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	run("before", "apply", "p")
	intend("a", "before")
	mark, err := l.Mark(t.Context())
	if err != nil || mark.Serial != 1 || mark.Run != 1 || mark.Lineage == "" {
		t.Fatalf("got %+v, %v", mark, err)
	}
	if s := since(mark); s.Steps != 0 || s.Run != "" || s.Older || s.Jobs != nil {
		t.Errorf("nothing happened, and it says %+v", s)
	}
	run("try", "own", "p")
	intend("b", "try")
	run("elsewhere", "apply", "q")
	run("other", "resolve", "p")
	if s := since(mark); s.Steps != 0 || s.Run != "" {
		t.Errorf("of its own tries, of another plan and of other commands it says %+v", s)
	}
	run("later", "apply --saved x", "p")
	if s := since(mark); s.Steps != 0 || s.Run != "later" || !s.RunAt.Equal(t0) {
		t.Errorf("of an apply that did nothing it says %+v", s)
	}
	intend("c", "later")
	if s := since(mark); s.Steps != 1 || !slices.Equal(s.Jobs, []string{"c"}) || s.More {
		t.Errorf("of an apply it says %+v", s)
	}
	for i := range 9 {
		intend(fmt.Sprintf("job-%d", i), "later")
	}
	if s := since(mark); s.Steps != 10 || len(s.Jobs) != sinceNamed || !s.More {
		t.Errorf("of many steps it says %+v", s)
	}
	mark.Serial = 100
	if !since(mark).Older {
		t.Error("a ledger from before the mark passes")
	}
}
