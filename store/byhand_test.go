package store

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// somebody is who makes the changes by hand in these tests.
func somebody() Person {
	return Person{Who: "user@host", Reason: "a good reason", RunID: "run-9", At: t0.Add(time.Hour)}
}

// evidenceOf reads the evidence of a change by hand.
func evidenceOf(t *testing.T, e Event) (proof PersonEvidence) {
	t.Helper()
	if err := json.Unmarshal([]byte(e.Evidence), &proof); err != nil || proof.Kind != "person" ||
		proof.Who != "user@host" || proof.Reason != "a good reason" || e.Run != "run-9" {
		t.Errorf("got %+v, %v", e, err)
	}
	return proof
}

func TestForget(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	stale := Mark{"p", "a", plan.StateIntent, 1}
	if err := l.Forget(t.Context(), stale, false, somebody()); !errors.Is(err, plan.ErrMovedOn) {
		t.Fatalf("got %v", err)
	}
	nobody := somebody()
	nobody.Reason = ""
	if err := l.Forget(t.Context(), MarkOf(entryOf(t, l, "a")), false, nobody); !errors.Is(err, ErrIllegal) {
		t.Fatalf("got %v", err)
	}
	if err := l.Forget(t.Context(), MarkOf(entryOf(t, l, "a")), true, somebody()); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, l, "a"); e.Name != "" {
		t.Errorf("it is still there: %+v", e)
	}
	events, err := l.History(t.Context(), "p", "a")
	if err != nil || len(events) != 3 {
		t.Fatalf("got %+v, %v", events, err)
	}
	last := events[2]
	if last.From != plan.StateCreated || last.To != plan.StateNone || last.JobID != "aps-a" || last.Serial != 4 {
		t.Errorf("got %+v", last)
	}
	gone := evidenceOf(t, last).Forgotten
	if gone == nil || len(gone.Attempts) != 1 || gone.Attempts[0].Nonce != "nonce-a-1" ||
		!gone.Attempts[0].SignedAt.Equal(t0.Add(time.Second)) || gone.JobID != "aps-a" || len(gone.Spec) == 0 {
		t.Errorf("the event keeps %+v", gone)
	}
	// The name can be used again, from its first attempt.
	again := intentOf("a", plan.StateNone, 1)
	again.Nonce = "another"
	mustIntend(t, l, again)
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRename(t *testing.T) {
	l := openStore(t)
	for _, name := range []string{"a", "b", "open"} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
	}
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	mark := MarkOf(entryOf(t, l, "a"))
	nobody := somebody()
	nobody.Who = ""
	for name, c := range map[string]struct {
		mark Mark
		to   string
		by   Person
		want error
	}{
		"taken":     {mark, "b", somebody(), ErrNameTaken},
		"moved on":  {Mark{"p", "a", plan.StateLost, 1}, "c", somebody(), plan.ErrMovedOn},
		"the same":  {mark, "a", somebody(), ErrIllegal},
		"no name":   {mark, "", somebody(), ErrIllegal},
		"nobody":    {mark, "c", nobody, ErrIllegal},
		"open":      {MarkOf(entryOf(t, l, "open")), "c", somebody(), ErrIllegal},
		"conflict":  {Mark{"p", "a", plan.StateConflict, 1}, "c", somebody(), ErrIllegal},
		"duplicate": {Mark{"p", "a", plan.StateDuplicate, 1}, "c", somebody(), ErrIllegal},
	} {
		if err := l.Rename(t.Context(), c.mark, c.to, c.by); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if m, _ := l.Meta(t.Context()); m.Serial != 4 {
		t.Errorf("a refused rename wrote something: serial %d", m.Serial)
	}
	for _, to := range []string{"c", "d"} {
		if err := l.Rename(t.Context(), mark, to, somebody()); err != nil {
			t.Fatal(err)
		}
		mark.Name = to
	}
	want := entryOf(t, l, "d")
	if want.JobID != "aps-a" || want.State != plan.StateCreated || want.Spec.Name != "a" || entryOf(t, l, "a").Name != "" {
		t.Errorf("got %+v", want)
	}
	if attempts, err := l.Attempts(t.Context(), "p", "d"); err != nil || len(attempts) != 1 {
		t.Errorf("got %+v, %v", attempts, err)
	}
	// The history goes back through both names, and stops where the name was
	// another job's.
	mustIntend(t, l, intentOf("c", plan.StateNone, 1))
	events, err := l.History(t.Context(), "p", "d")
	if err != nil || len(events) != 6 {
		t.Fatalf("got %+v, %v", events, err)
	}
	if e := events[5]; e.From != plan.StateNone || e.To != plan.StateCreated || evidenceOf(t, e).RenamedFrom != "c" {
		t.Errorf("got %+v", e)
	}
	if left, err := l.Events(t.Context(), "p", "a"); err != nil || len(left) != 3 || evidenceOf(t, left[2]).RenamedTo != "c" {
		t.Errorf("got %+v, %v", left, err)
	}
	if plans, err := l.Plans(t.Context()); err != nil || len(plans) != 1 || plans[0] != "p" {
		t.Errorf("got %v, %v", plans, err)
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
