package store

import (
	"fmt"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// TestCompared_is_no_step: noting what was compared moves nothing that a run
// beside it guards by, and passes over what moved on.
func TestCompared_is_no_step(t *testing.T) {
	path := newPath(t)
	run := reopen(t, path)
	for _, name := range []string{"a", "b"} {
		mustIntend(t, run, intentOf(name, plan.StateNone, 1))
		mustSettle(t, run, step(name, plan.StateIntent, 1, plan.StateCreated))
	}
	before := entryOf(t, run, "a")
	meta, err := run.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	beside := reopen(t, path)
	at := t0.Add(time.Hour)
	comparison := func(e plan.Entry) plan.Comparison {
		return plan.Comparison{JobID: e.JobID, Digest: e.Digest, Differed: "db_list", At: at}
	}
	stale := comparison(entryOf(t, run, "b"))
	stale.Digest = "sha256:other"
	if err := beside.Compared(t.Context(), "p", []plan.Comparison{comparison(before), stale, {JobID: "aps-none", At: at}}); err != nil {
		t.Fatal(err)
	}
	after := entryOf(t, run, "a")
	if !after.ComparedAt.Equal(at) || after.Differed != "db_list" || !after.UpdatedAt.Equal(before.UpdatedAt) {
		t.Errorf("the entry is %+v", after)
	}
	if b := entryOf(t, run, "b"); !b.ComparedAt.IsZero() || b.Differed != "" {
		t.Errorf("an entry that moved on is noted as %+v", b)
	}
	if now, err := run.Meta(t.Context()); err != nil || now.Serial != meta.Serial {
		t.Errorf("the serial went from %d to %d (%v)", meta.Serial, now.Serial, err)
	}

	// The run goes on as if nothing had been written.
	promise := plan.Promise{Plan: "p", Name: "a", Attempt: 1, JobID: before.JobID, At: t0, Reason: "ModifyApsJob is sent",
		Pending: plan.Pending{Operation: plan.OperationModify, Digest: "sha256:new", SignedAt: t0}}
	if err := run.Promise(t.Context(), promise); err != nil {
		t.Fatal(err)
	}
	if err := beside.Compared(t.Context(), "p", []plan.Comparison{comparison(after)}); err != nil {
		t.Fatal(err)
	}
	updated := step("a", plan.StateCreated, 1, plan.StateCreated)
	updated.JobID, updated.Spec, updated.Digest, updated.Before, updated.Compared = before.JobID, before.Spec, before.Digest, promise.Pending, true
	mustSettle(t, run, updated)
	if e := entryOf(t, run, "a"); e.Differed != "" || !e.ComparedAt.Equal(updated.At) {
		t.Errorf("after an update that was read again the entry is %+v", e)
	}
}

func TestCompared_of_many_jobs(t *testing.T) {
	l := reopen(t, newPath(t))
	var all []plan.Comparison
	for i := range 2*comparedBatch + 1 {
		s := step(fmt.Sprintf("job-%04d", i), plan.StateNone, 0, plan.StateCreated)
		s.JobID = fmt.Sprintf("aps-%04d", i)
		mustSettle(t, l, s)
		all = append(all, plan.Comparison{JobID: s.JobID, Digest: s.Digest, At: t0})
	}
	if err := l.Compared(t.Context(), "p", all); err != nil {
		t.Fatal(err)
	}
	snap, err := l.Snapshot(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range snap.Entries {
		if !e.ComparedAt.Equal(t0) {
			t.Fatalf("%s was not noted", name)
		}
	}
}
