package store

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"

	"github.com/apsctl/apsctl/plan"
)

// When the disk is full, no change is half written. What was sent is recorded again
// once there is room, and nothing more is promised.
func TestTrouble_full(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("first", plan.StateNone, 1))
	if err := l.exec(t, "PRAGMA max_page_count = 1"); err != nil { // as it is now
		t.Fatal(err)
	}
	var full, done int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			in := intentOf(fmt.Sprint(i), plan.StateNone, 1)
			in.Labels = map[string]string{"long": strings.Repeat("x", 5000)}
			err := l.Intend(t.Context(), in)
			mu.Lock()
			defer mu.Unlock()
			var trouble *Error
			switch {
			case err == nil:
				done++
			case errors.Is(err, ErrFull) && errors.As(err, &trouble) && strings.Contains(err.Error(), "free some"):
				full++
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if full == 0 {
		t.Error("the disk was never full")
	}
	checkSerial(t, l, 1+done)
	if err := l.exec(t, "PRAGMA max_page_count = 1000000"); err != nil {
		t.Fatal(err)
	}
	mustSettle(t, l, step("first", plan.StateIntent, 1, plan.StateCreated))
	checkSerial(t, l, 2+done)
	if err := l.Intend(t.Context(), intentOf("more", plan.StateNone, 1)); !errors.Is(err, ErrFull) {
		t.Errorf("after a full disk, a promise ends as %v", err)
	}
	mustIntend(t, reopen(t, l.path), intentOf("more", plan.StateNone, 1))
}

func TestTrouble_busy(t *testing.T) {
	path := newPath(t)
	l, other := reopen(t, path), reopen(t, path)
	if err := other.exec(t, "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := l.exec(t, "PRAGMA busy_timeout = 50"); err != nil {
		t.Fatal(err)
	}
	if err := l.Intend(t.Context(), intentOf("a", plan.StateNone, 1)); !errors.Is(err, ErrBusy) {
		t.Errorf("got %v, want ErrBusy", err)
	}
	// Readers do not mind.
	if e := entryOf(t, l, "a"); e.State != plan.StateNone {
		t.Errorf("got %+v", e)
	}
	if err := other.exec(t, "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
}

func TestTrouble_kinds(t *testing.T) {
	for cause, want := range map[error]error{
		sqlite3.Error{Code: sqlite3.ErrFull}:                               ErrFull,
		sqlite3.Error{Code: sqlite3.ErrIoErr}:                              ErrIO,
		sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.ENOSPC}: ErrFull,
		sqlite3.Error{Code: sqlite3.ErrCorrupt}:                            ErrDamaged,
		sqlite3.Error{Code: sqlite3.ErrNotADB}:                             ErrNotLedger,
		sqlite3.Error{Code: sqlite3.ErrBusy}:                               ErrBusy,
		sqlite3.Error{Code: sqlite3.ErrReadonly}:                           ErrPermission,
		sqlite3.Error{Code: sqlite3.ErrCantOpen}:                           ErrPermission,
		&os.PathError{Op: "open", Path: "x", Err: syscall.EACCES}:          ErrPermission,
		&os.PathError{Op: "mkdir", Path: "x", Err: syscall.ENOSPC}:         ErrFull,
		&os.PathError{Op: "open", Path: "x", Err: syscall.EROFS}:           ErrPermission,
	} {
		err := trouble("x.db", "do it", fmt.Errorf("wrapped: %w", cause))
		if !errors.Is(err, want) || !errors.Is(err, cause) || !strings.Contains(err.Error(), "x.db") {
			t.Errorf("%v: got %v, want %v", cause, err, want)
		}
		if text := strings.ToLower(err.Error()); strings.Contains(text, "--create") || strings.Contains(text, "new ledger") {
			t.Errorf("it suggests to start over: %v", err)
		}
	}
	if err := trouble("x", "y", nil); err != nil {
		t.Error(err)
	}
}

func TestVerify_finds_damage(t *testing.T) {
	for query, want := range map[string]string{
		"UPDATE entries SET attempt = 2":                                           "lacks the record",
		"UPDATE meta SET serial = 0":                                               "behind the events",
		"PRAGMA foreign_keys = 0; UPDATE attempts SET entry_id = 99":               "refers to nothing",
		"PRAGMA ignore_check_constraints = 1; UPDATE entries SET state = 'failed'": "CHECK constraint",
	} {
		l := openStore(t)
		mustIntend(t, l, intentOf("a", plan.StateNone, 1))
		if err := l.exec(t, query); err != nil {
			t.Fatal(err)
		}
		if err := l.Verify(t.Context()); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", query, err, want)
		}
	}
}
