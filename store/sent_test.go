package store

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// sentOf is what is noted of jobs of plan p, as another plan is told: for that one, what
// p has as open or created counts.
func sentOf(t *testing.T, l *Ledger, names ...string) map[string]plan.Sent {
	t.Helper()
	return sentTo(t, l, "q", func(s plan.Sent) bool {
		return slices.Contains(names, s.Name) && s.Region == specOf(s.Name).Region
	})
}

// sentTo is, by name, what is noted of jobs, as a plan is told.
func sentTo(t *testing.T, l *Ledger, planName string, asks func(plan.Sent) bool) map[string]plan.Sent {
	t.Helper()
	all, err := l.Sent(t.Context(), planName, asks)
	if err != nil {
		t.Fatal(err)
	}
	sent := map[string]plan.Sent{}
	for _, s := range all {
		sent[s.Name] = s
	}
	if len(sent) != len(all) {
		t.Errorf("a name twice: %+v", all)
	}
	return sent
}

func all(plan.Sent) bool { return true }

// Only what was committed is noted, also where one of a transaction fails.
func TestSentNotesWhatWasCommitted(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	batch := []*item{}
	for _, in := range []plan.Intent{intentOf("a", plan.StateNone, 1), intentOf("b", plan.StateNone, 1)} {
		batch = append(batch, &item{sends: true, sent: lineOf(in), do: func(w *writer) error {
			if in.Name == "a" {
				return plan.ErrMovedOn
			}
			return nil
		}})
	}
	l.commit(batch)
	text, err := os.ReadFile(l.path + sentSuffix)
	if err != nil || strings.Count(string(text), `"name":"a"`) != 1 || strings.Count(string(text), `"name":"b"`) != 1 {
		t.Errorf("got %q, %v", text, err)
	}
	if info, err := os.Stat(l.path + sentSuffix); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
}

func TestSentOutlivesTheLedger(t *testing.T) {
	l := openStore(t)
	hostile := "a\n{\"name\":\"b\"}\u2028\"\\"
	for _, name := range []string{"a", hostile} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
		mustSettle(t, l, step(name, plan.StateIntent, 1, plan.StateRejected))
		again := intentOf(name, plan.StateRejected, 2)
		again.SignedAt, again.Settle = t0.Add(time.Minute), 4*time.Hour
		mustIntend(t, l, again)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		_ = os.Remove(l.path + suffix)
	}
	l = reopen(t, l.path)
	sent := sentOf(t, l, "a", "b", hostile)
	want := func(name string) plan.Sent {
		return plan.Sent{Plan: "p", Name: name, Region: specOf(name).Region, Data: new(specOf(name)).DataKey(), Attempt: 2,
			SignedAt: t0.Add(time.Minute), Settle: 4 * time.Hour}
	}
	if len(sent) != 2 || sent["a"] != want("a") || sent[hostile] != want(hostile) {
		t.Errorf("got %+v", sent)
	}
	if own := sentTo(t, l, "p", all); len(own) != 2 || own["a"] != want("a") {
		t.Errorf("for the plan itself: %v", own)
	}
	if early := sentTo(t, l, "p", func(s plan.Sent) bool { return s.SignedAt.Before(t0.Add(30 * time.Second)) }); early["a"].Attempt != 1 {
		t.Errorf("of those that are asked for: %v", early)
	}
}

// What is no line of ours counts for nothing, and hides no line after it.
func TestSentPassesOverGarbage(t *testing.T) {
	l := openStore(t)
	path := l.path + sentSuffix
	torn := string(lineOf(intentOf("torn", plan.StateNone, 1)))
	garbage := strings.Repeat("x", 3*sentLineMax) + "\n\x00\xff\n[]\nnull\n{}\n" + torn[:len(torn)-5]
	if err := os.WriteFile(path, []byte(garbage), 0o644); err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	if sent := sentOf(t, l, "a", "torn"); len(sent) != 1 || sent["a"].Attempt != 1 {
		t.Errorf("got %+v", sent)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("others may read it: %v, %v", info.Mode(), err)
	}
}

// What an editor leaves counts: its mark at the start, and no end of the last line.
func TestSentOfAnEditorCounts(t *testing.T) {
	l := openStore(t)
	text := "\ufeff" + string(lineOf(intentOf("a", plan.StateNone, 1))) + strings.TrimSpace(string(lineOf(intentOf("b", plan.StateNone, 1))))
	if err := os.WriteFile(l.path+sentSuffix, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if sent := sentOf(t, l, "a", "b"); len(sent) != 2 {
		t.Errorf("got %+v", sent)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	file, err := openSent(l.path + sentSuffix)
	if err == nil {
		err = errors.Join(rewriteSent(l.path+sentSuffix, file, func(sentLine) bool { return false }), file.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	l = reopen(t, l.path)
	mustIntend(t, l, intentOf("c", plan.StateNone, 1))
	if sent := sentOf(t, l, "a", "b"); len(sent) != 2 {
		t.Errorf("rewritten, and another noted: %+v", sent)
	}
}

// TestSentAccounts tells which creates an entry accounts for: of its own plan those of
// its attempts, of another plan only those that came to nothing.
func TestSentAccounts(t *testing.T) {
	for name, test := range map[string]struct {
		to       plan.State
		own, any bool // accounted for in its own plan, in any
	}{
		"rejected": {plan.StateRejected, true, true},
		"not sent": {plan.StateNotSent, true, true},
		"unknown":  {plan.StateUnknown, true, false},
		"created":  {plan.StateCreated, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			l := openStore(t)
			mustIntend(t, l, intentOf("a", plan.StateNone, 1))
			s := step("a", plan.StateIntent, 1, test.to)
			if test.to == plan.StateCreated {
				s.JobID = "aps-1"
			}
			mustSettle(t, l, s)
			for planName, want := range map[string]bool{"p": test.own, "q": test.any} {
				if sent := sentTo(t, l, planName, all); (len(sent) == 0) != want {
					t.Errorf("for plan %s: %v", planName, sent)
				}
			}
		})
	}
}

// The entry of another job, which was given this one's name, accounts for nothing.
func TestSentIsNotAccountedForByARenamedEntry(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	forgetAs(t, l, "a", plan.StateIntent)
	late := intentOf("b", plan.StateNone, 1)
	late.SignedAt = t0.Add(time.Minute)
	mustIntend(t, l, late)
	mustSettle(t, l, step("b", plan.StateIntent, 1, plan.StateRejected))
	if err := l.Rename(t.Context(), Mark{Plan: "p", Name: "b", State: plan.StateRejected, Attempt: 1}, "a", Person{Who: "w", Reason: "r", At: t0}); err != nil {
		t.Fatal(err)
	}
	if sent := sentOf(t, l, "a"); len(sent) != 1 {
		t.Errorf("got %+v", sent)
	}
}

// What was promised under a name that its entry has no more is on record, in a ledger that
// is as it was; one that was put back has the name, and not the promise.
func TestSentIsOnRecordUnderAnEarlierName(t *testing.T) {
	l := openStore(t)
	for _, name := range []string{"a", "b"} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
		mustSettle(t, l, step(name, plan.StateIntent, 1, plan.StateRejected))
	}
	if err := l.Rename(t.Context(), Mark{Plan: "p", Name: "a", State: plan.StateRejected, Attempt: 1}, "c", Person{Who: "w", Reason: "r", At: t0}); err != nil {
		t.Fatal(err)
	}
	if sent := sentTo(t, l, "p", all); len(sent) != 1 || !sent["a"].OnRecord {
		t.Errorf("renamed: %+v", sent)
	}
	for _, later := range []plan.Intent{intentOf("a", plan.StateNone, 1), intentOf("b", plan.StateNone, 1), intentOf("d", plan.StateNone, 1)} {
		if later.Name != "d" { // another one sent it in the second of others
			later.SignedAt = t0.Add(time.Hour)
		}
		l.note(t, later)
	}
	sent := sentTo(t, l, "p", all)
	for _, name := range []string{"a", "b", "d"} {
		if s, ok := sent[name]; !ok || s.OnRecord {
			t.Errorf("sent by a later ledger: %s is %+v", name, s)
		}
	}
}

// A history that was pruned proves nothing of a create that the ledger never had; what an
// entry has under another name, it still tells.
func TestSentIsOnRecordInAPrunedHistoryOnlyByItsEntry(t *testing.T) {
	l := openStore(t)
	for _, name := range []string{"a", "gone"} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
		mustSettle(t, l, step(name, plan.StateIntent, 1, plan.StateCreated))
	}
	if err := l.Rename(t.Context(), MarkOf(entryOf(t, l, "a")), "c", somebody()); err != nil {
		t.Fatal(err)
	}
	forgetAs(t, l, "gone", plan.StateCreated)
	l.note(t, intentOf("never", plan.StateNone, 1))
	want := map[string]bool{"a": true, "gone": true, "never": false}
	for _, when := range []string{"before", "after"} {
		sent := sentTo(t, l, "p", all)
		for name, known := range want {
			if s, ok := sent[name]; !ok || s.OnRecord != known {
				t.Errorf("%s: %s is %+v", when, name, s)
			}
		}
		p, err := l.Prune(t.Context(), t0.Add(2*time.Hour), Person{Who: "w", Reason: "r", At: t0.Add(3 * time.Hour)}, false)
		if err != nil || when == "before" && p.Events == 0 {
			t.Fatal(p, err)
		}
		want["gone"] = false // and held back all the same, as forgotten
	}
}

// A create in another region is another one, though the rest be the same.
func TestSentIsOnRecordOnlyInItsRegion(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	there := intentOf("a", plan.StateNone, 1)
	there.Spec.Region = "cn-beijing"
	l.note(t, there)
	later := intentOf("a", plan.StateNone, 1)
	later.Spec.Region, later.SignedAt = "cn-shanghai", later.SignedAt.Add(time.Second)
	l.note(t, later)
	sent, err := l.Sent(t.Context(), "p", all)
	if err != nil || len(sent) != 2 || sent[0].OnRecord || sent[1].OnRecord {
		t.Errorf("got %+v, %v", sent, err)
	}
}

// note notes a create that another ledger sent.
func (l *Ledger) note(t *testing.T, in plan.Intent) {
	t.Helper()
	l.sent.text = append(l.sent.text[:0], lineOf(in)...)
	if err := l.sent.write(l.path); err != nil {
		t.Fatal(err)
	}
}

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

// A file that is none of ours is neither written nor waited for; the promise holds,
// and is told of.
func TestSentTakesOnlyAnOrdinaryFile(t *testing.T) {
	for name, put := range map[string]func(path, other string) error{
		"link":   func(path, other string) error { return os.Symlink(other, path) },
		"pipe":   func(path, _ string) error { return syscall.Mkfifo(path, 0o600) },
		"folder": func(path, _ string) error { return os.Mkdir(path, 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			l := openStore(t)
			other := filepath.Join(t.TempDir(), "other")
			if err := errors.Join(os.WriteFile(other, nil, 0o600), put(l.path+sentSuffix, other)); err != nil {
				t.Fatal(err)
			}
			mustIntend(t, l, intentOf("a", plan.StateNone, 1))
			if l.SentTrouble() == nil {
				t.Error("nothing tells of it")
			}
			if _, err := l.Sent(t.Context(), "p", all); !errors.Is(err, ErrPermission) {
				t.Errorf("got %v", err)
			}
			if text, err := os.ReadFile(other); err != nil || len(text) != 0 {
				t.Errorf("another file has %q, %v", text, err)
			}
		})
	}
}

// What is older than a day and than twice the settle time, of this run and of the one
// that wrote it, is taken out at opening.
func TestSentIsPrunedAtOpening(t *testing.T) {
	path := ledgerWithSent(t, sentAt{"old", 0, 0}, sentAt{"patient", time.Minute, 16 * time.Hour}, sentAt{"young", 30 * time.Hour, 0})
	for _, c := range []struct {
		settle time.Duration
		want   int
	}{{0, 3}, {time.Hour * 24, 3}, {time.Minute, 2}, {time.Minute, 2}} {
		sent := sentWhenOpened(t, path, t0.Add(30*time.Hour), c.settle)
		if len(sent) != c.want || sent["young"].Attempt != 1 {
			t.Errorf("with %s: got %+v", c.settle, sent)
		}
	}
	if left, err := filepath.Glob(path + sentSuffix + "*"); err != nil || len(left) != 1 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// A clock that is ahead takes nothing out that the file itself does not show to be old,
// and one that is behind not even that.
func TestSentIsNotPrunedByAWrongClock(t *testing.T) {
	path := ledgerWithSent(t, sentAt{"first", 0, 0}, sentAt{"last", time.Hour, 0})
	if sent := sentWhenOpened(t, path, t0.Add(27*time.Hour), time.Minute); len(sent) != 2 {
		t.Errorf("ahead: %+v", sent)
	}
	path = ledgerWithSent(t, sentAt{"first", 0, 0}, sentAt{"last", 30 * time.Hour, 0})
	if sent := sentWhenOpened(t, path, t0.Add(time.Hour), time.Minute); len(sent) != 2 {
		t.Errorf("behind: %+v", sent)
	}
	// The last line is one of long ago, written again.
	path = ledgerWithSent(t, sentAt{"first", 0, 0}, sentAt{"last", 30 * time.Hour, 0}, sentAt{"again", 0, 0})
	if sent := sentWhenOpened(t, path, t0.Add(30*time.Hour), time.Minute); len(sent) != 1 || sent["last"].Attempt != 1 {
		t.Errorf("with an old line at the end: %+v", sent)
	}
}

// sentAt is a create that is noted, after t0.
type sentAt struct {
	name          string
	after, settle time.Duration
}

// ledgerWithSent is the path of a ledger, closed, beside which creates are noted.
func ledgerWithSent(t *testing.T, notes ...sentAt) string {
	t.Helper()
	l := openStore(t)
	for _, note := range notes {
		in := intentOf(note.name, plan.StateNone, 1)
		in.SignedAt, in.Settle = t0.Add(note.after), note.settle
		mustIntend(t, l, in)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.path
}

// sentWhenOpened is what is noted once a run with settle has opened the ledger at now.
func sentWhenOpened(t *testing.T, path string, now time.Time, settle time.Duration) map[string]plan.Sent {
	t.Helper()
	l, err := Open(t.Context(), path, Options{Now: func() time.Time { return now }, Settle: settle})
	if err != nil {
		t.Fatal(err)
	}
	sent := sentTo(t, l, "q", all)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return sent
}

// Another ledger may have the name that the notes would have: nothing is appended to it.
func TestSentIsNotWrittenIntoALedger(t *testing.T) {
	l := openStore(t)
	other, err := Open(t.Context(), l.path+sentSuffix, Options{Create: true})
	if err == nil {
		err = other.Close()
	}
	before, err2 := os.ReadFile(l.path + sentSuffix)
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	if l.SentTrouble() == nil {
		t.Error("nothing tells of it")
	}
	if _, err := l.Sent(t.Context(), "p", all); !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "is a ledger") {
		t.Errorf("got %v", err)
	}
	if after, err := os.ReadFile(l.path + sentSuffix); err != nil || string(after) != string(before) {
		t.Errorf("it was written, %v", err)
	}
}
