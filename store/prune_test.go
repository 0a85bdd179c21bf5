package store

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// prunedLedger has one job in each state, each with the events that led there,
// and one that was forgotten; all of run old-1, which is 100 days old.
func prunedLedger(t *testing.T) *Ledger {
	t.Helper()
	l := openStore(t)
	for _, run := range []string{"old-1", "old-2", "old-3"} {
		r := plan.RunRecord{ID: run, Command: "apply", Plan: "p", StartedAt: t0}
		if err := l.BeginRun(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, state := range plan.States {
		mustIntend(t, l, intentOf(string(state), plan.StateNone, 1))
		for from := plan.StateIntent; from != state; {
			to := state
			if state == plan.StateLost && from == plan.StateIntent {
				to = plan.StateCreated
			}
			step := plan.Transition{Plan: "p", Name: string(state), From: from, Attempt: 1, To: to, RunID: "old-1", At: t0}
			switch to {
			case plan.StateCreated, plan.StateLost:
				step.JobID = "aps-" + string(state)
			case plan.StateConflict, plan.StateDuplicate:
				step.Candidates = []string{"aps-x"}
			case plan.StateAbsent:
				step.Evidence = "{}"
			}
			mustSettle(t, l, step)
			from = to
		}
	}
	return l
}

// TestPrune_keeps_what_is_needed: no entry and no attempt goes, and of a job
// whose outcome is open, or is proven only, no event.
func TestPrune_keeps_what_is_needed(t *testing.T) {
	l := prunedLedger(t)
	all, err := l.Events(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	now := t0.Add(100 * 24 * time.Hour)
	by := Person{Who: "ops@host", At: now}
	want, err := l.Prune(t.Context(), t0.Add(time.Hour), Person{}, true)
	if err != nil || want.Events != 3 || want.Runs != 1 || want.KeptLatest != 3 || want.KeptOpen != len(all)-6 {
		t.Fatalf("a dry run counts %+v of %d events, %v", want, len(all), err)
	}
	if after, err := l.Events(t.Context(), "", ""); err != nil || len(after) != len(all) {
		t.Fatalf("a dry run left %d of %d events, %v", len(after), len(all), err)
	}
	got, err := l.Prune(t.Context(), t0.Add(time.Hour), by, false)
	if err != nil || got != want {
		t.Fatalf("pruned %+v, %v; want %+v", got, err, want)
	}
	for _, state := range plan.States {
		events, err := l.Events(t.Context(), "p", string(state))
		if err != nil || len(events) == 0 || events[len(events)-1].To != state {
			t.Errorf("%s has %+v left, %v", state, events, err)
		}
		settled := state == plan.StateCreated || state == plan.StateRejected || state == plan.StateNotSent
		if whole := len(events) > 1 || state == plan.StateIntent; whole == settled {
			t.Errorf("%s has %d events left", state, len(events))
		}
		if attempts, err := l.Attempts(t.Context(), "p", string(state)); err != nil || len(attempts) != 1 {
			t.Errorf("%s has attempts %+v, %v", state, attempts, err)
		}
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	if again, err := l.Prune(t.Context(), t0.Add(time.Hour), by, false); err != nil || again.Events+again.Runs != 0 {
		t.Errorf("a second prune deletes %+v, %v", again, err)
	}
	table, err := l.Query(t.Context(), "SELECT who, events, runs FROM prune_log", 0)
	if err != nil || len(table.Rows) != 1 || table.Rows[0][0] != "ops@host" || table.Rows[0][1] != int64(3) {
		t.Errorf("on record is %+v, %v", table, err)
	}
}

// TestPrune_runs: a record goes when nothing tells of its run any more; the last
// one of each plan stays.
func TestPrune_runs(t *testing.T) {
	l := prunedLedger(t)
	if _, err := l.Prune(t.Context(), t0.Add(time.Hour), Person{Who: "w", At: t0}, false); err != nil {
		t.Fatal(err)
	}
	runs, err := l.Runs(t.Context(), 0)
	if err != nil || len(runs) != 2 || runs[0].ID != "old-3" || runs[1].ID != "old-1" {
		t.Errorf("left are %+v, %v", runs, err)
	}
	if p, err := l.Prune(t.Context(), t0.Add(-time.Hour), Person{}, true); err != nil || p != (Pruned{Before: t0.Add(-time.Hour)}) {
		t.Errorf("nothing is older, and it counts %+v, %v", p, err)
	}
}

// TestPrune_only_through_its_record: what came after the last prune cannot be
// deleted by any means.
func TestPrune_only_through_its_record(t *testing.T) {
	l := prunedLedger(t)
	if _, err := l.Prune(t.Context(), t0.Add(time.Hour), Person{Who: "w", At: t0}, false); err != nil {
		t.Fatal(err)
	}
	late := intentOf("late", plan.StateNone, 1)
	late.At = t0.Add(2 * time.Hour)
	mustIntend(t, l, late)
	if err := l.exec(t, "DELETE FROM events WHERE name = 'late'"); err == nil {
		t.Error("an event was deleted without a prune")
	}
}
