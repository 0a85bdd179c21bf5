package store

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

func TestBackup(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	// A name that is no SQL and no URL.
	to := filepath.Join(t.TempDir(), "it's a copy?mode=rw&x=%41.db")
	copied, err := l.Backup(t.Context(), to)
	want, _ := l.Meta(t.Context())
	if diff := cmp.Diff(want, copied); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("got %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(filepath.Dir(to)); len(files) != 1 {
		t.Errorf("something was left: %v", files)
	}
	// The ledger goes on, its lock on the file unharmed; the copy stays.
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	if _, err := l.Backup(t.Context(), to); !errors.Is(err, ErrBackupExists) {
		t.Errorf("got %v", err)
	}
	if _, err := l.Backup(t.Context(), path); !errors.Is(err, ErrBackupExists) {
		t.Errorf("onto itself: got %v", err)
	}
	if _, err := l.Backup(t.Context(), filepath.Join(to+"-none", "x")); err == nil {
		t.Error("got no error for a folder that does not exist")
	}
	restored := reopen(t, to)
	if e := entryOf(t, restored, "a"); e.State != plan.StateIntent {
		t.Errorf("got %+v", e)
	}
	if err := restored.Verify(t.Context()); err != nil {
		t.Error(err)
	}
	mustSettle(t, restored, step("a", plan.StateIntent, 1, plan.StateUnknown))
}

func TestBackup_of_a_ledger_opened_for_reading(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	reader, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	to := filepath.Join(t.TempDir(), "copy.db")
	if _, err := reader.Backup(t.Context(), to); err != nil {
		t.Fatal(err)
	}
	copied, err := OpenReadOnly(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	defer copied.Close()
	if e := entryOf(t, copied, "a"); e.State != plan.StateIntent {
		t.Errorf("got %+v", e)
	}
}
