package store

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func forgetAs(t *testing.T, l *Ledger, name string, state plan.State) {
	t.Helper()
	if err := l.Forget(t.Context(), Mark{Plan: "p", Name: name, State: state, Attempt: 1}, true, Person{Who: "w", Reason: "r", At: t0}); err != nil {
		t.Fatal(err)
	}
}

// To forget a job that may exist notes once more that it was sent.
func TestForgettingNotesWhatWasSent(t *testing.T) {
	l := openStore(t)
	for name, state := range map[string]plan.State{"a": plan.StateIntent, "b": plan.StateRejected} {
		in := intentOf(name, plan.StateNone, 1)
		in.Settle = time.Hour
		mustIntend(t, l, in)
		if state != plan.StateIntent {
			mustSettle(t, l, step(name, plan.StateIntent, 1, state))
		}
		if err := os.Truncate(l.path+sentSuffix, 0); err != nil {
			t.Fatal(err)
		}
		forgetAs(t, l, name, state)
		if sent := sentOf(t, l, name); (len(sent) == 1) != (state == plan.StateIntent) || len(sent) == 1 && (!sent[name].Forgotten || sent[name].Settle != time.Hour || sent[name].Data != new(specOf(name)).DataKey()) {
			t.Errorf("%s: got %+v", state, sent)
		}
	}
}

// What was sent is noted before its entry goes: where it cannot be, the entry stays.
func TestNothingIsForgottenThatCannotBeNoted(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	l.sent.close()
	l.sent.file = nil
	if err := errors.Join(os.Remove(l.path+sentSuffix), os.Mkdir(l.path+sentSuffix, 0o700)); err != nil {
		t.Fatal(err)
	}
	err := l.Forget(t.Context(), MarkOf(entryOf(t, l, "a")), true, somebody())
	if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "where it is noted what was sent") {
		t.Errorf("got %v", err)
	}
	if e := entryOf(t, l, "a"); e.Name != "a" {
		t.Error("it is forgotten")
	}
}

// A line of a job that was not forgotten in the end says no more than that it was sent,
// whatever its entry is called.
func TestForgettingThatIsNotCommittedLeavesAHarmlessLine(t *testing.T) {
	l := openStore(t)
	for _, name := range []string{"a", "b"} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
		mustSettle(t, l, step(name, plan.StateIntent, 1, plan.StateCreated))
	}
	if err := l.Rename(t.Context(), MarkOf(entryOf(t, l, "b")), "c", somebody()); err != nil {
		t.Fatal(err)
	}
	if err := l.writer.script("CREATE TRIGGER stays BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'it stays'); END"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "c"} {
		if err := l.Forget(t.Context(), MarkOf(entryOf(t, l, name)), true, somebody()); err == nil || !strings.Contains(err.Error(), "it stays") {
			t.Errorf("got %v", err)
		}
	}
	text, err := os.ReadFile(l.path + sentSuffix)
	if err != nil || !strings.Contains(string(text), `"name":"a"`) || !strings.HasSuffix(string(text), `"forgotten":true}`+"\n") {
		t.Errorf("noted is %q, %v", text, err)
	}
	sent := sentTo(t, l, "p", all)
	if _, told := sent["a"]; told || sent["b"].Forgotten || !sent["b"].OnRecord {
		t.Errorf("got %+v", sent)
	}
	if err := l.writer.script("DROP TRIGGER stays"); err != nil {
		t.Fatal(err)
	}
	if err := l.Forget(t.Context(), MarkOf(entryOf(t, l, "c")), true, somebody()); err != nil {
		t.Fatal(err)
	}
	if sent := sentTo(t, l, "p", all); !sent["b"].Forgotten {
		t.Errorf("forgotten in the end: %+v", sent)
	}
}
