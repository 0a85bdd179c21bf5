package store

import (
	"errors"
	"os"
	"slices"
	"strings"
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
