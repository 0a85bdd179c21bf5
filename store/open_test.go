package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func TestOpen_creates_private_files(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "ledger.db")
	l, err := Open(t.Context(), path, Options{Create: true, Now: func() time.Time { return t0 }})
	if err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("a", plan.StateNone, 1)) // so that there is a -wal file
	for name, want := range map[string]fs.FileMode{
		filepath.Dir(path): fs.ModeDir | 0o700, path: 0o600, path + "-wal": 0o600, path + "-shm": 0o600,
	} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", name, info, err, want)
		}
	}
	m, err := l.Meta(t.Context())
	if err != nil || len(m.Lineage) != 36 || m.Schema != len(migrations) || m.Account != "" || !m.CreatedAt.Equal(t0) {
		t.Errorf("got %+v, %v", m, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// Closed, it is one file, beside that of what was sent.
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 2 || files[1].Name() != "ledger.db"+sentSuffix {
		t.Errorf("got %v", files)
	}
}

func TestOpen_missing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no", "ledger.db")
	for name, open := range openers(Options{}) {
		_, err := open(path)
		if !errors.Is(err, fs.ErrNotExist) || !errors.As(err, new(*Error)) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if files, _ := os.ReadDir(filepath.Dir(filepath.Dir(path))); len(files) != 0 {
		t.Errorf("something was made: %v", files)
	}
}

// openers are both ways to open a ledger.
func openers(o Options) map[string]func(string) (*Ledger, error) {
	return map[string]func(string) (*Ledger, error){
		"writing": func(path string) (*Ledger, error) { return Open(context.Background(), path, o) },
		"reading": func(path string) (*Ledger, error) { return OpenReadOnly(context.Background(), path) },
	}
}

func TestOpen_settings_are_read_back(t *testing.T) {
	l := openStore(t)
	for pool, settings := range map[querier][]setting{l.writer.conn: writerSettings, l.read: readerSettings} {
		for _, s := range settings {
			var got string
			if err := pool.QueryRowContext(t.Context(), "PRAGMA "+s.pragma).Scan(&got); err != nil || got != s.want {
				t.Errorf("%s: got %s, %v, want %s", s.pragma, got, err, s.want)
			}
		}
	}
	// An option that is misspelt is ignored by the driver, and noticed by us.
	name, err := writerDSN(l.path)
	if err != nil {
		t.Fatal(err)
	}
	for _, wrong := range []string{
		strings.Replace(name, "_synchronous=FULL", "_sinchronous=FULL", 1),
		strings.Replace(name, "_foreign_keys", "_foreign_kyes", 1),
		strings.Replace(name, "_busy_timeout", "_bussy_timeout", 1),
	} {
		pool := openPool(wrong, writerSettings, 1)
		if err := pool.PingContext(t.Context()); !errors.Is(err, ErrSettings) {
			t.Errorf("%s: got %v, want ErrSettings", wrong, err)
		}
		_ = pool.Close()
	}
	if _, err := l.read.ExecContext(t.Context(), "DELETE FROM entries"); err == nil {
		t.Error("the reader can write")
	}
}

func TestOpen_odd_paths(t *testing.T) {
	for _, name := range []string{"a b", "a?mode=memory", "100%41", "x#y", "ö🙂", "a&_journal_mode=DELETE", "q'\"", "new\nline", "+;=:@", "file:x", ":memory:"} {
		dir := t.TempDir()
		path := filepath.Join(dir, name)
		l := reopen(t, path)
		mustIntend(t, l, intentOf("a", plan.StateNone, 1))
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		files, _ := os.ReadDir(dir)
		if len(files) != 2 || files[0].Name() != name || files[1].Name() != name+sentSuffix {
			t.Errorf("%q: got %v", name, files)
		}
		r, err := OpenReadOnly(t.Context(), path)
		if err != nil {
			t.Errorf("%q: %v", name, err)
			continue
		}
		if e := entryOf(t, r, "a"); e.State != plan.StateIntent {
			t.Errorf("%q: got %+v", name, e)
		}
		_ = r.Close()
	}
	t.Chdir(t.TempDir())
	if l := reopen(t, "relative.db"); l.Path() != "relative.db" {
		t.Errorf("got %q", l.Path())
	}
	if _, err := os.Stat("relative.db"); err != nil {
		t.Error(err)
	}
}

// Whatever is there and is not a sound ledger is named as what it is, and stays
// byte for byte as it was, however it is opened.
func TestOpen_refuses(t *testing.T) {
	pragma := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			change(t, path, text)
		}
	}
	cut := func(size int64) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.Truncate(path, size); err != nil {
				t.Fatal(err)
			}
		}
	}
	overwrite := func(text string) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		spoil func(*testing.T, string)
		kind  error
		says  string
	}{
		"newer":            {pragma("PRAGMA user_version = 99"), ErrNewer, "upgrade apsctl"},
		"foreign":          {pragma("PRAGMA application_id = 252006673"), ErrNotLedger, "another program"},
		"no id":            {pragma("PRAGMA application_id = 0"), ErrNotLedger, "another program"},
		"version 0":        {pragma("PRAGMA user_version = 0"), ErrDamaged, "restore the last backup"},
		"no meta":          {pragma("DELETE FROM meta"), ErrDamaged, "restore the last backup"},
		"no meta table":    {pragma("DROP TABLE meta"), ErrDamaged, "restore the last backup"},
		"zero bytes":       {cut(0), ErrDamaged, "it has 0 bytes"},
		"cut in a page":    {cut(6000), ErrDamaged, "restore the last backup"},
		"cut after a page": {cut(4096), ErrDamaged, "restore the last backup"},
		"cut in header":    {cut(50), ErrDamaged, "it has 50 bytes"},
		"text":             {overwrite(strings.Repeat("jobs:\n", 1000)), ErrNotLedger, "not a ledger"},
		"short text":       {overwrite("S"), ErrDamaged, "it has 1 bytes"},
		"shorter text":     {overwrite("name: orders\n"), ErrNotLedger, "check the path"},
		"zeros":            {overwrite(strings.Repeat("\x00", 8192)), ErrNotLedger, "not a ledger"},
		"folder": {func(t *testing.T, path string) {
			if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
				t.Fatal(err)
			}
		}, ErrNotLedger, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			l := reopen(t, path)
			mustIntend(t, l, intentOf("a", plan.StateNone, 1))
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			test.spoil(t, path)
			before, _ := os.ReadFile(path)
			for how, open := range openers(Options{Create: true}) {
				_, err := open(path)
				var trouble *Error
				if !errors.Is(err, test.kind) || !errors.As(err, &trouble) || trouble.Path != path || !strings.Contains(err.Error(), test.says) {
					t.Errorf("%s: got %v, want %v with %q", how, err, test.kind, test.says)
				}
			}
			if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
				t.Error("the file was changed")
			}
		})
	}
}

// change runs SQL on the file as another program would.
func change(t *testing.T, path, text string) {
	t.Helper()
	pool, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pool.Exec(text); err != nil {
		t.Fatal(err)
	}
	if err := pool.Close(); err != nil {
		t.Fatal(err)
	}
}

// However its bytes are flipped, opening and verifying end with an error, or the ledger
// says of every job what it did: none is taken for one that may be created.
func TestOpen_flipped_bytes(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	for i := range 20 {
		mustIntend(t, l, intentOf(fmt.Sprint(i), plan.StateNone, 1))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	sound, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(sound); at += 211 {
		flipped := bytes.Clone(sound)
		flipped[at] ^= 0xff
		path := newPath(t)
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		l, err := Open(t.Context(), path, Options{Create: true})
		if err == nil {
			snap, readErr := l.Snapshot(t.Context(), "p")
			verifyErr := l.Verify(t.Context())
			intents := 0
			for i := range 20 {
				if e := snap.Entries[fmt.Sprint(i)]; e.State == plan.StateIntent && e.Attempt == 1 {
					intents++
				}
			}
			if readErr == nil && verifyErr == nil && intents != 20 {
				t.Errorf("byte %d: %d of 20 intents, and nothing is said to be wrong", at, intents)
			}
			_ = l.Close()
		}
	}
}

func TestOpen_permissions(t *testing.T) {
	path := newPath(t)
	if err := reopen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o666); err != nil {
		t.Fatal(err)
	}
	if r, err := OpenReadOnly(t.Context(), path); err != nil {
		t.Error(err)
	} else if info, _ := os.Stat(path); info.Mode() != 0o666 {
		t.Errorf("a reader changed the mode to %v", info.Mode())
	} else {
		_ = r.Close()
	}
	_ = reopen(t, path).Close()
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("got %v, %v, want 0600", info.Mode(), err)
	}
	if os.Geteuid() != 0 {
		t.Skip("only root can give files away")
	}
	if err := errors.Join(os.Chmod(path, 0o644), os.Chown(path, 4242, -1)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v, want ErrPermission", err)
	}
}

func TestOpen_shared_file_system(t *testing.T) {
	path := newPath(t)
	if err := reopen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	on := func(name string) Options {
		return Options{Create: true, sharedFS: func(string) (string, error) { return name, nil }}
	}
	fresh := filepath.Join(filepath.Dir(path), "new", "ledger.db")
	for _, path := range []string{path, fresh} {
		if _, err := Open(t.Context(), path, on("NFS")); !errors.Is(err, ErrFileSystem) || !strings.Contains(err.Error(), "NFS") {
			t.Errorf("got %v, want ErrFileSystem", err)
		}
	}
	if _, err := os.Stat(filepath.Dir(fresh)); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a folder was made there")
	}
}

// A ledger may be reached by a link. When its file goes away under a run,
// nothing more is written to where nobody would find it.
func TestOpen_symlink_and_replaced(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	other := reopen(t, link)
	mustSettle(t, other, step("a", plan.StateIntent, 1, plan.StateUnknown))
	if got := entryOf(t, l, "a").State; got != plan.StateUnknown {
		t.Errorf("got %s", got)
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, l := range []*Ledger{l, other} {
			if err := l.Intend(t.Context(), intentOf("b", plan.StateNone, 1)); !errors.Is(err, ErrReplaced) {
				t.Errorf("got %v, want ErrReplaced", err)
			}
		}
		// The second time, another file is there.
		if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(path), os.Rename(path+".away", path)); err != nil {
		t.Fatal(err)
	}
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
}

func TestOpenReadOnly(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	r, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	if e := entryOf(t, r, "a"); e.State != plan.StateIntent {
		t.Errorf("got %+v", e)
	}
	if err := r.Settle(t.Context(), step("a", plan.StateIntent, 1, plan.StateUnknown)); !errors.Is(err, ErrPermission) {
		t.Errorf("got %v, want ErrPermission", err)
	}
	if err := r.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}
