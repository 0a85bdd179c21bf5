//go:build unix

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// Under two names, two runs would have a lock and a -wal file each.
// A new ledger in the link's place would be elsewhere than the notes of the old one.
func TestOpen_link_to_nothing(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "ledger.db")
	if err := os.Symlink("elsewhere/l.db", link); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), link, Options{Create: true})
	if !errors.Is(err, ErrNotLedger) || !strings.Contains(err.Error(), filepath.Join(dir, "elsewhere/l.db")) {
		t.Errorf("got %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind are %v, %v", left, err)
	}
}

func TestOpen_hard_link(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	second, far := filepath.Join(filepath.Dir(path), "second.db"), filepath.Join(t.TempDir(), "far.db")
	for _, name := range []string{second, far} {
		if err := os.Link(path, name); err != nil {
			t.Fatal(err)
		}
		for _, tried := range []string{path, name} {
			for how, open := range openers(Options{Create: true}) {
				_, err := open(tried)
				if !errors.Is(err, ErrSeveralNames) || !strings.Contains(err.Error(), "remove every other") {
					t.Errorf("%s %s: got %v, want ErrSeveralNames", how, tried, err)
				}
				for _, near := range []string{path, second} {
					if name == second && !strings.Contains(err.Error(), near) {
						t.Errorf("%s %s: the name %s is not told: %v", how, tried, near, err)
					}
				}
			}
		}
		// The run that has it open goes on.
		mustIntend(t, l, intentOf(filepath.Base(name), plan.StateNone, 1))
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if s := entryOf(t, reopen(t, path), "far.db").State; s != plan.StateIntent {
		t.Errorf("got %s", s)
	}
}

// A kill between the two names that a new ledger has for a moment leaves a draft
// that is the same file. A reader lets it be, and a writer removes it.
func TestOpen_draft_of_the_same_file(t *testing.T) {
	path := newPath(t)
	if err := reopen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	draft := path + draftMark + "ABCDEFGH"
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.Link(path, draft), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReadOnly(t.Context(), link)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(draft); err != nil {
		t.Errorf("a reader removed the draft: %v", err)
	}
	other := path + draftMark + "of-another-file"
	if err := os.WriteFile(other, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_ = reopen(t, link).Close()
	if _, err := os.Lstat(draft); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the draft is still there: %v", err)
	}
	if _, err := os.Lstat(other); err != nil {
		t.Errorf("another file was removed: %v", err)
	}
}
