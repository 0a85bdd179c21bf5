package store

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

func TestRuns(t *testing.T) {
	l := openStore(t)
	record := plan.RunRecord{ID: "run-1", Command: "apply", Plan: "p", PlanDigest: "sha256:1", Host: "h", User: "u",
		PID: 7, Version: "v1", StartedAt: t0}
	if err := l.BeginRun(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	if err := l.BeginRun(t.Context(), record); err == nil {
		t.Error("got no error for the same id again")
	}
	later := record
	later.ID, later.StartedAt = "run-2", t0.Add(-time.Hour) // the clock went back
	if err := l.BeginRun(t.Context(), later); err != nil {
		t.Fatal(err)
	}
	end := t0.Add(time.Minute)
	if err := l.FinishRun(t.Context(), "run-1", RunEnd{end, 4, `{"created":2}`, `{"stop":"x"}`}); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"again":   l.FinishRun(t.Context(), "run-1", RunEnd{FinishedAt: end}),
		"unknown": l.FinishRun(t.Context(), "run-9", RunEnd{FinishedAt: end}),
		"counts":  l.FinishRun(t.Context(), "run-2", RunEnd{FinishedAt: end, Counts: "{"}),
		"detail":  l.FinishRun(t.Context(), "run-2", RunEnd{FinishedAt: end, Detail: "{"}),
		"time":    l.FinishRun(t.Context(), "run-2", RunEnd{}),
		"no id":   l.BeginRun(t.Context(), plan.RunRecord{StartedAt: t0}),
	} {
		if err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	got, err := l.Runs(t.Context(), 0)
	want := []Run{{RunRecord: later}, {record, RunEnd{end, 4, `{"created":2}`, `{"stop":"x"}`}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if got, err := l.Runs(t.Context(), 1); err != nil || len(got) != 1 || got[0].ID != "run-2" {
		t.Errorf("got %+v, %v", got, err)
	}
	if m, err := l.Meta(t.Context()); err != nil || m.Serial != 0 {
		t.Errorf("a run is no change of an entry: %+v, %v", m, err)
	}
}

func TestBind(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	const account, service = "1234567890123456", "adb.aliyuncs.com"
	if err := l.Bind(t.Context(), "", service); err == nil {
		t.Error("got no error for an unknown account")
	}
	for range 2 {
		if err := l.Bind(t.Context(), account, service); err != nil {
			t.Fatal(err)
		}
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l = reopen(t, path)
	for _, other := range [][2]string{{"9934567890123499", service}, {account, "http://127.0.0.1:8080"}} {
		err := l.Bind(t.Context(), other[0], other[1])
		var foreign *ForeignError
		if !errors.As(err, &foreign) || !errors.Is(err, ErrForeign) {
			t.Fatalf("got %v, want *ForeignError", err)
		}
		for _, part := range []string{"1234********3456", service, other[1]} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("got %q, want %q in it", err, part)
			}
		}
		if strings.Contains(err.Error(), account) {
			t.Errorf("the account shows in %q", err)
		}
	}
	if m, err := l.Meta(t.Context()); err != nil || m.Account != account || m.Service != service {
		t.Errorf("got %+v, %v", m, err)
	}
	for account, want := range map[string]string{"": "", "abc": "***", "abcdef": "a****f"} {
		if got := mask(account); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
