package store

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func TestRunsBefore(t *testing.T) {
	l := openStore(t)
	begin := func(id, planName, command string) {
		t.Helper()
		if err := l.BeginRun(t.Context(), plan.RunRecord{ID: id, Plan: planName, Command: command, StartedAt: t0}); err != nil {
			t.Fatal(err)
		}
	}
	end := func(id string, code int, at time.Time) {
		t.Helper()
		if err := l.FinishRun(t.Context(), id, RunEnd{FinishedAt: at, ExitCode: code}); err != nil {
			t.Fatal(err)
		}
	}
	begin("a", "p", "apply")
	end("a", 0, t0.Add(time.Minute))
	begin("b", "other", "apply")
	begin("c", "p", "resolve")
	begin("d", "p", "apply --saved x")
	begin("e", "p", "apply")
	end("e", 3, t0.Add(2*time.Minute))
	ids := func(id string, limit int) (all string) {
		t.Helper()
		runs, err := l.RunsBefore(t.Context(), id, "p", "apply", limit)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			all += r.ID
		}
		return all
	}
	if ids("e", 9) != "da" || ids("", 9) != "eda" || ids("", 1) != "e" || ids("a", 9) != "" {
		t.Errorf("got %q, %q, %q, %q", ids("e", 9), ids("", 9), ids("", 1), ids("a", 9))
	}
	if runs, _ := l.RunsBefore(t.Context(), "", "p", "apply", 2); runs[0].ExitCode != 3 || !runs[1].FinishedAt.IsZero() {
		t.Errorf("got %+v", runs)
	}
	if at, err := l.LastDone(t.Context(), "p", "apply"); err != nil || !at.Equal(t0.Add(time.Minute)) {
		t.Errorf("got %v, %v", at, err)
	}
	if at, err := l.LastDone(t.Context(), "other", "apply"); err != nil || !at.IsZero() {
		t.Errorf("got %v, %v", at, err)
	}
}
