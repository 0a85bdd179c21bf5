package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

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
