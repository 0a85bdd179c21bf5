package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func promiseOf(name, id string) plan.Promise {
	return plan.Promise{
		Plan: "p", Name: name, Attempt: 1, JobID: id, Reason: "ModifyApsJob is sent", RunID: "run", At: time.UnixMilli(9000).UTC(),
		Pending: plan.Pending{Operation: plan.OperationModify, Digest: "sha256:new", SignedAt: time.UnixMilli(8000).UTC()},
	}
}

// mustCreate has job a created, as aps-1, and returns when.
func mustCreate(t *testing.T, l *Ledger) time.Time {
	t.Helper()
	at := time.UnixMilli(7000).UTC()
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustSettle(t, l, plan.Transition{Plan: "p", Name: "a", From: plan.StateIntent, Attempt: 1, To: plan.StateCreated, JobID: "aps-1", At: at})
	return at
}

func TestPromise_stays_until_a_new_spec_comes(t *testing.T) {
	l := openStore(t)
	mustCreate(t, l)
	p := promiseOf("a", "aps-1")
	if err := l.Promise(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, l, "a"); e.Pending != p.Pending || e.State != plan.StateCreated || e.Digest == p.Pending.Digest {
		t.Fatalf("got %+v", e)
	}
	lost := plan.Transition{Plan: "p", Name: "a", From: plan.StateCreated, Attempt: 1, To: plan.StateLost, Reason: "gone", At: p.At}
	back := plan.Transition{Plan: "p", Name: "a", From: plan.StateLost, Attempt: 1, To: plan.StateCreated, JobID: "aps-1", At: p.At}
	for _, transition := range []plan.Transition{lost, back} {
		if err := l.Settle(t.Context(), transition); err != nil {
			t.Fatal(err)
		}
	}
	if e := entryOf(t, l, "a"); e.Pending != p.Pending {
		t.Fatalf("got %+v", e.Pending)
	}
	done := back
	done.Before = p.Pending
	done.From, done.Digest, done.Spec, done.Compared = plan.StateCreated, "sha256:new", entryOf(t, l, "a").Spec, true
	if err := l.Settle(t.Context(), done); err != nil {
		t.Fatal(err)
	}
	if e := entryOf(t, l, "a"); e.Pending.IsSet() || e.Digest != "sha256:new" {
		t.Errorf("got %+v", e)
	}
	events, err := l.Events(t.Context(), "p", "a")
	if err != nil || !strings.Contains(events[2].Evidence, `"operation":"ModifyApsJob"`) || events[2].JobID != "aps-1" {
		t.Errorf("got %+v, %v", events, err)
	}
}

// Two processes may be at work on one ledger where its lock does not hold.
func TestSettle_of_what_stays_created_keeps_what_another_process_recorded(t *testing.T) {
	l := openStore(t)
	at := mustCreate(t, l)
	was := entryOf(t, l, "a")
	put := plan.Transition{Plan: "p", Name: "a", From: plan.StateCreated, Attempt: 1, To: plan.StateCreated, JobID: "aps-1", At: at,
		Spec: was.Spec, Digest: was.Digest, Doing: plan.Paused}
	mustSettle(t, l, put)
	update := put
	update.Doing, update.Digest, update.Compared = "", "sha256:new", true
	mustSettle(t, l, update)
	if e := entryOf(t, l, "a"); e.Doing != plan.Paused || e.Digest != "sha256:new" {
		t.Errorf("the one that suspended it is forgotten, or the update: %q, %q", e.Doing, e.Digest)
	}
	put.Doing = plan.Running // by one that read the entry before the update
	if err := l.Settle(t.Context(), put); !errors.Is(err, plan.ErrMovedOn) {
		t.Errorf("got %v", err)
	}
	other := update
	other.JobID = "aps-2"
	mustSettle(t, l, other)
	if e := entryOf(t, l, "a"); e.Doing != "" || e.JobID != "aps-2" {
		t.Errorf("another job is %q", e.Doing)
	}
}

func TestSettle_does_not_lose_what_another_process_is_deleting(t *testing.T) {
	l := openStore(t)
	at := mustCreate(t, l)
	p := promiseOf("a", "aps-1")
	p.Pending = plan.Pending{Operation: plan.OperationDelete, SignedAt: at}
	if err := l.Promise(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	lost := plan.Transition{Plan: "p", Name: "a", From: plan.StateCreated, Attempt: 1, To: plan.StateLost, Reason: "gone", At: at}
	if err := l.Settle(t.Context(), lost); !errors.Is(err, plan.ErrMovedOn) || entryOf(t, l, "a").State != plan.StateCreated {
		t.Errorf("got %v, and it is %s", err, entryOf(t, l, "a").State)
	}
}

func TestPromise_guards(t *testing.T) {
	l := openStore(t)
	mustCreate(t, l)
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
	for name, edit := range map[string]func(*plan.Promise){
		"another id": func(p *plan.Promise) { p.JobID = "aps-2" }, "another attempt": func(p *plan.Promise) { p.Attempt = 2 },
		"not created": func(p *plan.Promise) { p.Name = "b" }, "no entry": func(p *plan.Promise) { p.Name = "c" },
	} {
		p := promiseOf("a", "aps-1")
		if edit(&p); !errors.Is(l.Promise(t.Context(), p), plan.ErrMovedOn) {
			t.Errorf("%s: it is not refused as moved on", name)
		}
	}
	for name, edit := range map[string]func(*plan.Promise){
		"no date":         func(p *plan.Promise) { p.Pending.SignedAt = time.Time{} },
		"no digest":       func(p *plan.Promise) { p.Pending.Digest = "" },
		"half taken back": func(p *plan.Promise) { p.Pending.Operation = plan.OperationNone },
		"no reason":       func(p *plan.Promise) { p.Reason = "" },
	} {
		p := promiseOf("a", "aps-1")
		if edit(&p); !errors.Is(l.Promise(t.Context(), p), ErrIllegal) {
			t.Errorf("%s: it is not refused as illegal", name)
		}
	}
	if e := entryOf(t, l, "a"); e.Pending.IsSet() {
		t.Errorf("got %+v", e.Pending)
	}
}
