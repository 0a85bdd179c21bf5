package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

func TestLedger_round_trip(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	empty, err := l.Snapshot(t.Context(), "p")
	if err != nil || empty.Lineage == "" || empty.Serial != 0 || empty.Entries == nil || len(empty.Entries) > 0 {
		t.Fatalf("a fresh ledger: got %+v, %v", empty, err)
	}
	in := intentOf("a", plan.StateNone, 1)
	mustIntend(t, l, in)
	want := plan.Entry{Plan: "p", Name: "a", State: plan.StateIntent, Attempt: 1, Region: "cn-hangzhou",
		Digest: in.Digest, Spec: in.Spec, Labels: in.Labels, SignedAt: in.SignedAt, Baseline: in.Baseline, UpdatedAt: t0}
	if diff := cmp.Diff(want, entryOf(t, l, "a")); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateUnknown))
	if got := entryOf(t, l, "a").Baseline; !cmp.Equal(got, in.Baseline) {
		t.Errorf("a transition without a baseline left %v", got)
	}
	judged := step("a", plan.StateUnknown, 1, plan.StateAbsent)
	judged.Baseline = []string{"aps-old", "aps-seen"}
	mustSettle(t, l, judged)
	if got := entryOf(t, l, "a").Baseline; !cmp.Equal(got, judged.Baseline) {
		t.Errorf("a transition with a baseline left %v", got)
	}
	in = intentOf("a", plan.StateAbsent, 2)
	in.Baseline, in.Labels = nil, nil
	mustIntend(t, l, in)
	created := step("a", plan.StateIntent, 2, plan.StateCreated)
	created.RequestID = "req-2"
	mustSettle(t, l, created)
	b := step("b", plan.StateNone, 0, plan.StateCreated)
	b.Baseline = []string{"aps-b", "aps-beside"}
	mustSettle(t, l, b)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}

	l = reopen(t, path)
	snap, err := l.Snapshot(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	wantSnap := plan.Snapshot{Lineage: empty.Lineage, Serial: 6, Entries: map[string]plan.Entry{
		"a": {Plan: "p", Name: "a", State: plan.StateCreated, Attempt: 2, Region: "cn-hangzhou", Digest: in.Digest,
			Spec: in.Spec, JobID: "aps-a", Reason: "because", SignedAt: in.SignedAt, RequestID: "req-2", UpdatedAt: created.At},
		"b": {Plan: "p", Name: "b", State: plan.StateCreated, Region: "cn-hangzhou", Digest: b.Digest, Spec: b.Spec,
			JobID: "aps-b", Reason: "because", RequestID: "req-b", UpdatedAt: b.At, Baseline: b.Baseline},
	}}
	if diff := cmp.Diff(wantSnap, snap); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	attempts, err := l.Attempts(t.Context(), "p", "a")
	if err != nil {
		t.Fatal(err)
	}
	first := Attempt{Plan: "p", Name: "a", Number: 1, Nonce: "nonce-a-1", SignedAt: in.SignedAt, ServerOffset: in.ServerOffset,
		Endpoint: in.Endpoint, Region: "cn-hangzhou", Digest: in.Digest, Baseline: []string{"aps-old"}, Run: "run-1",
		Outcome: plan.StateAbsent, RequestID: "req-a", Reason: "because", Evidence: `{"scans":2}`,
		CreatedAt: t0, UpdatedAt: created.At}
	second := first
	second.Number, second.Nonce, second.Outcome, second.RequestID = 2, "nonce-a-2", plan.StateCreated, "req-2"
	second.Evidence, second.Baseline = "", nil
	if diff := cmp.Diff([]Attempt{first, second}, attempts); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, found, err := l.AttemptByNonce(t.Context(), "nonce-a-2"); err != nil || !found || !cmp.Equal(got, second) {
		t.Errorf("got %+v, %v, %v", got, found, err)
	}
	if _, found, err := l.AttemptByNonce(t.Context(), "none"); err != nil || found {
		t.Errorf("got %v, %v", found, err)
	}
	events, err := l.Events(t.Context(), "p", "a")
	if err != nil {
		t.Fatal(err)
	}
	var path2 []string
	for i, e := range events {
		path2 = append(path2, fmt.Sprintf("%d %s>%s", e.Attempt, e.From, e.To))
		if e.Serial != int64(i+1) || e.Run != "run-1" || e.At.IsZero() {
			t.Errorf("got %+v", e)
		}
	}
	if got, want := strings.Join(path2, ", "), "1 >intent, 1 intent>unknown, 1 unknown>absent, 2 absent>intent, 2 intent>created"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if all, err := l.Events(t.Context(), "", ""); err != nil || len(all) != 6 || all[5].JobID != "aps-b" {
		t.Errorf("got %+v, %v", all, err)
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestLedger_compare_and_swap(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateRejected))
	before, err := l.Snapshot(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	late := intentOf("a", plan.StateNone, 1)
	late.Nonce = "another"
	for name, err := range map[string]error{
		"insert what is there":  l.Intend(t.Context(), late),
		"adopt what is there":   l.Settle(t.Context(), step("a", plan.StateNone, 0, plan.StateCreated)),
		"intent, other state":   l.Intend(t.Context(), intentOf("a", plan.StateNotSent, 2)),
		"intent, other attempt": l.Intend(t.Context(), intentOf("a", plan.StateRejected, 3)),
		"intent, no entry":      l.Intend(t.Context(), intentOf("b", plan.StateRejected, 2)),
		"settle, other state":   l.Settle(t.Context(), step("a", plan.StateIntent, 1, plan.StateCreated)),
		"settle, other attempt": l.Settle(t.Context(), step("a", plan.StateRejected, 2, plan.StateCreated)),
		"settle, no entry":      l.Settle(t.Context(), step("b", plan.StateIntent, 1, plan.StateCreated)),
	} {
		if !errors.Is(err, plan.ErrMovedOn) {
			t.Errorf("%s: got %v, want ErrMovedOn", name, err)
		}
	}
	after, err := l.Snapshot(t.Context(), "p")
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Errorf("something was written: %v\n%s", err, diff)
	}
}

// An intent never starts from a state whose last outcome is open, and every pair
// that is not in the tables is refused before it reaches the file.
func TestLedger_only_legal_steps(t *testing.T) {
	l := openStore(t)
	all := append([]plan.State{plan.StateNone, "other"}, plan.States...)
	for _, from := range all {
		for _, to := range all {
			tr := step("a", from, 1, to)
			if from == plan.StateNone {
				tr.Attempt = 0
			}
			legal := slices.Contains(next[from], to)
			if err := checkTransition(tr); (err == nil) != legal {
				t.Errorf("%q to %q: got %v, want legal %v", from, to, err, legal)
			}
			if !legal {
				if err := l.Settle(t.Context(), tr); !errors.Is(err, ErrIllegal) {
					t.Errorf("%q to %q: got %v, want ErrIllegal", from, to, err)
				}
			}
		}
		attempt := 2
		if from == plan.StateNone {
			attempt = 1
		}
		if err := checkIntent(intentOf("a", from, attempt)); (err == nil) != slices.Contains(sendable, from) {
			t.Errorf("intent from %q: got %v", from, err)
		}
	}
	for from, tos := range next {
		if from.Unresolved() || from.NeedsPerson() || from == plan.StateCreated {
			for _, to := range tos {
				if slices.Contains(sendable, to) && to != plan.StateAbsent && from != plan.StateIntent {
					t.Errorf("%s to %s would allow another create without proof", from, to)
				}
			}
		}
	}
	for name, change := range map[string]func(*plan.Transition){
		"created without id":       func(t *plan.Transition) { t.JobID = "" },
		"no plan":                  func(t *plan.Transition) { t.Plan = "" },
		"no name":                  func(t *plan.Transition) { t.Name = "" },
		"no time":                  func(t *plan.Transition) { t.At = time.Time{} },
		"evidence not JSON":        func(t *plan.Transition) { t.Evidence = "{" },
		"absent without evidence":  func(t *plan.Transition) { t.To = plan.StateAbsent },
		"conflict about nothing":   func(t *plan.Transition) { t.To = plan.StateConflict },
		"adopted with an attempt":  func(t *plan.Transition) { t.From = plan.StateNone },
		"adopted without a digest": func(t *plan.Transition) { t.From, t.Attempt = plan.StateNone, 0 },
	} {
		tr := step("a", plan.StateIntent, 1, plan.StateCreated)
		change(&tr)
		if err := l.Settle(t.Context(), tr); !errors.Is(err, ErrIllegal) {
			t.Errorf("%s: got %v, want ErrIllegal", name, err)
		}
	}
	for name, change := range map[string]func(*plan.Intent){
		"no nonce":       func(in *plan.Intent) { in.Nonce = "" },
		"no date":        func(in *plan.Intent) { in.SignedAt = time.Time{} },
		"no name":        func(in *plan.Intent) { in.Name = "" },
		"attempt 0":      func(in *plan.Intent) { in.Attempt = 0 },
		"jump to second": func(in *plan.Intent) { in.Attempt = 2 },
	} {
		in := intentOf("a", plan.StateNone, 1)
		change(&in)
		if err := l.Intend(t.Context(), in); !errors.Is(err, ErrIllegal) {
			t.Errorf("%s: got %v, want ErrIllegal", name, err)
		}
	}
	if m, err := l.Meta(t.Context()); err != nil || m.Serial != 0 {
		t.Errorf("something was written: %+v, %v", m, err)
	}
}

// Every legal step is accepted by the schema too, and leaves a sound ledger.
func TestLedger_every_legal_step(t *testing.T) {
	reach := map[plan.State][]plan.State{ // how to get there from intent
		plan.StateIntent: nil, plan.StateUnknown: {"unknown"}, plan.StateCreated: {"created"},
		plan.StateRejected: {"rejected"}, plan.StateNotSent: {"not-sent"}, plan.StateAbsent: {"absent"},
		plan.StateConflict: {"conflict"}, plan.StateDuplicate: {"duplicate"}, plan.StateLost: {"created", "lost"},
	}
	l := openStore(t)
	for from, tos := range next {
		for _, to := range tos {
			name := string(from) + "-" + string(to)
			attempt := 0
			if from != plan.StateNone {
				attempt = 1
				mustIntend(t, l, intentOf(name, plan.StateNone, 1))
				at := plan.StateIntent
				for _, via := range reach[from] {
					mustSettle(t, l, step(name, at, 1, via))
					at = via
				}
			}
			mustSettle(t, l, step(name, from, attempt, to))
			e := entryOf(t, l, name)
			if e.State != to || (e.JobID != "") != (to == plan.StateCreated || to == plan.StateLost) ||
				(len(e.Candidates) > 0) != (to == plan.StateConflict || to == plan.StateDuplicate) {
				t.Errorf("%s: got %+v", name, e)
			}
		}
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A job that is adopted after its attempt was rejected does not turn the
// rejection into a success, and its spec is that of the adopted job.
func TestLedger_adoption_after_rejection(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateRejected))
	tr := step("a", plan.StateRejected, 1, plan.StateCreated)
	tr.Spec = specOf("a")
	tr.Spec.Region, tr.Digest = "cn-beijing", "sha256:other"
	tr.RequestID = ""
	mustSettle(t, l, tr)
	e := entryOf(t, l, "a")
	if e.Region != "cn-beijing" || e.Digest != "sha256:other" || e.Spec != tr.Spec || e.Labels != nil || e.Code != "" || e.RequestID != "req-a" {
		t.Errorf("got %+v", e)
	}
	if attempts, err := l.Attempts(t.Context(), "p", "a"); err != nil || attempts[0].Outcome != plan.StateRejected {
		t.Errorf("got %+v, %v", attempts, err)
	}
}

func TestLedger_same_id_twice(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	tr := step("b", plan.StateIntent, 1, plan.StateCreated)
	tr.JobID = "aps-a"
	err := l.Settle(t.Context(), tr)
	var same *SameIDError
	if !errors.As(err, &same) || *same != (SameIDError{"aps-a", "p", "b", "p", "a"}) {
		t.Fatalf("got %v", err)
	}
	if got := entryOf(t, l, "b").State; got != plan.StateIntent {
		t.Errorf("got %s, want intent", got)
	}
	// A nonce is never used twice either.
	in := intentOf("c", plan.StateNone, 1)
	in.Nonce = "nonce-a-1"
	if err := l.Intend(t.Context(), in); err == nil {
		t.Error("got no error for a nonce that was used")
	}
	if e := entryOf(t, l, "c"); e.State != plan.StateNone {
		t.Errorf("half an intent was written: %+v", e)
	}
}

func TestLedger_entries_live_counts(t *testing.T) {
	l := openStore(t)
	for _, e := range []struct{ plan, name, region string }{
		{"q", "z", "r1"}, {"p", "b", "r1"}, {"p", "a", "r1"}, {"p", "c", "r2"},
	} {
		tr := step(e.name, plan.StateNone, 0, plan.StateCreated)
		tr.Plan, tr.Spec.Region = e.plan, e.region
		mustSettle(t, l, tr)
	}
	mustSettle(t, l, step("b", plan.StateCreated, 0, plan.StateLost))
	mustIntend(t, l, intentOf("d", plan.StateNone, 1))
	names := func(entries []plan.Entry, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Plan+"/"+e.Name)
		}
		return strings.Join(all, " ")
	}
	for got, want := range map[string]string{
		names(l.Entries(t.Context(), Filter{})):                                                  "p/a p/b p/c p/d q/z",
		names(l.Entries(t.Context(), Filter{Plan: "q"})):                                         "q/z",
		names(l.Entries(t.Context(), Filter{Plan: "p", States: []plan.State{"lost", "intent"}})): "p/b p/d",
		names(l.Live(t.Context(), "r1")):                                                         "p/a p/b q/z",
		names(l.Live(t.Context(), "r3")):                                                         "",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	summary, err := l.Summary(t.Context(), "p", 2)
	if diff := cmp.Diff(map[plan.State]int{"created": 2, "lost": 1, "intent": 1}, summary.States); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if got := names(summary.First, nil); got != "p/a p/b" {
		t.Errorf("the first are %s", got)
	}
	if summary, err := l.Summary(t.Context(), "", 9); err != nil || summary.States["created"] != 3 || len(summary.First) != 5 {
		t.Errorf("got %v, %v", summary, err)
	}
}

// A verdict is recorded although the run was interrupted.
func TestLedger_cancelled_context_still_writes(t *testing.T) {
	l := openStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Intend(ctx, intentOf("a", plan.StateNone, 1)); err != nil {
		t.Error(err)
	}
	if err := l.Settle(ctx, step("a", plan.StateIntent, 1, plan.StateCreated)); err != nil {
		t.Error(err)
	}
	if _, err := l.Snapshot(ctx, "p"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

func TestEvent_has_the_id_that_the_entry_has(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	unknown := step("a", plan.StateIntent, 1, plan.StateUnknown)
	unknown.JobID = "aps-1" // an id does not make it known
	mustSettle(t, l, unknown)
	events, err := l.Events(t.Context(), "p", "a")
	if err != nil || len(events) != 2 || events[1].JobID != entryOf(t, l, "a").JobID {
		t.Errorf("got %+v, %v for %+v", events, err, entryOf(t, l, "a"))
	}
}
