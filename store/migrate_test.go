package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// A future migration, of which every statement could be the last one done.
var second = []string{
	"ALTER TABLE entries ADD COLUMN note TEXT NOT NULL DEFAULT ''",
	"UPDATE entries SET note = 'x'",
	"CREATE TABLE leases (id INTEGER PRIMARY KEY) STRICT",
	"DROP INDEX entries_live",
}

func TestMigrate_forward(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	before, err := l.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	l, err = Open(t.Context(), path, Options{migrations: append(migrations, strings.Join(second, ";"))})
	if err != nil {
		t.Fatal(err)
	}
	after, err := l.Meta(t.Context())
	if before.Schema++; err != nil || after != before {
		t.Errorf("got %+v, %v, want %+v", after, err, before)
	}
	if e := entryOf(t, l, "a"); e.State != plan.StateIntent {
		t.Errorf("got %+v", e)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The program of before refuses it, for reading too.
	for name, open := range openers(Options{Create: true}) {
		if _, err := open(path); !errors.Is(err, ErrNewer) {
			t.Errorf("%s: got %v, want ErrNewer", name, err)
		}
	}
}

// Migration 7 makes the tables anew: what was in them is all there, and the rules
// and indexes are those of a new ledger.
func TestMigrate_lean_tables_keep_their_rows(t *testing.T) {
	path, saved := newPath(t), migrations
	migrations = saved[:6:6]
	defer func() { migrations = saved }()
	old := reopen(t, path)
	// What writes here is the program of today, and wants columns that 7 does not know.
	if err := old.exec(t, saved[8]); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "c"} {
		mustIntend(t, old, intentOf(name, plan.StateNone, 1))
	}
	mustSettle(t, old, step("a", plan.StateIntent, 1, plan.StateCreated))
	mustSettle(t, old, step("b", plan.StateIntent, 1, plan.StateRejected))
	mustIntend(t, old, intentOf("b", plan.StateRejected, 2))
	read := func(l *Ledger) string {
		entries, err := l.Entries(t.Context(), Filter{})
		attempts, err2 := l.AllAttempts(t.Context())
		events, err3 := l.Events(t.Context(), "", "")
		if err := errors.Join(err, err2, err3, l.Verify(t.Context())); err != nil || len(entries) != 3 || len(attempts) != 4 {
			t.Fatalf("got %d entries, %d attempts, %v", len(entries), len(attempts), err)
		}
		return fmt.Sprintf("%+v\n%+v\n%+v", entries, attempts, events)
	}
	before := read(old)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	migrations = saved
	l := reopen(t, path)
	if after := read(l); after != before {
		t.Errorf("got\n%s\nwant\n%s", after, before)
	}
	mustSettle(t, l, step("b", plan.StateIntent, 2, plan.StateUnknown))
	schema := func(l *Ledger) (all []string) {
		err := each(t.Context(), l.read, "SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema ORDER BY 1", nil,
			func(rows *sql.Rows) error {
				var text string
				err := rows.Scan(&text)
				all = append(all, text)
				return err
			})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got, want := schema(l), schema(openStore(t)); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A migration that ends at any statement leaves the old ledger.
func TestMigrate_old_or_new(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	_ = l.Close()
	for n := range len(second) + 1 {
		broken := strings.Join(append(second[:n:n], "INSERT INTO nowhere VALUES (1)"), ";")
		if _, err := Open(t.Context(), path, Options{migrations: append(migrations, broken)}); err == nil {
			t.Fatal("got no error")
		}
		l := reopen(t, path)
		if m, err := l.Meta(t.Context()); err != nil || m.Schema != len(migrations) {
			t.Errorf("after %d statements: got %+v, %v", n, m, err)
		}
		if e := entryOf(t, l, "a"); e.State != plan.StateIntent {
			t.Errorf("after %d statements: got %+v", n, e)
		}
		if err := l.Verify(t.Context()); err != nil {
			t.Error(err)
		}
		_ = l.Close()
	}
}

// migrateForever brings the ledger forward by a migration that never ends.
func migrateForever(path string) int {
	endless := strings.Join(second, ";") + `; INSERT INTO leases
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n`
	_, err := Open(context.Background(), path, Options{migrations: append(migrations, endless)})
	fmt.Println(err)
	return 1
}

// The process is killed in a migration of which much has reached the disk.
func TestMigrate_killed(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	_ = l.Close()
	cmd, _ := spawn(t, "migrate", path)
	for {
		if info, err := os.Stat(path + "-wal"); err == nil && info.Size() > 1<<20 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	l = reopen(t, path)
	if m, err := l.Meta(t.Context()); err != nil || m.Schema != len(migrations) {
		t.Errorf("got %+v, %v", m, err)
	}
	checkSerial(t, l, 1)
}

// A creation that fails leaves nothing that could be taken for a ledger.
func TestMigrate_creation_fails(t *testing.T) {
	path := newPath(t)
	if _, err := Open(t.Context(), path, Options{Create: true, migrations: []string{migrations[0] + "; nonsense"}}); err == nil {
		t.Fatal("got no error")
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 0 {
		t.Errorf("got %v", files)
	}
	if _, err := Open(t.Context(), path, Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func TestOpenReadOnly_older_schema(t *testing.T) {
	path := newPath(t)
	_ = reopen(t, path).Close()
	saved := migrations
	defer func() { migrations = saved }()
	migrations = append(saved[:len(saved):len(saved)], strings.Join(second, ";"))
	if _, err := OpenReadOnly(t.Context(), path); !errors.Is(err, ErrOlder) || !strings.Contains(err.Error(), fmt.Sprintf("schema %d", len(saved))) {
		t.Errorf("got %v", err)
	}
}

// TestMigrations_are_numbered: the version of a file counts them, so that none may
// come between two others later.
func TestMigrations_are_numbered(t *testing.T) {
	names, err := fs.Glob(migrationFiles, "migrations/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range names {
		if want := fmt.Sprintf("migrations/%04d_", i+1); !strings.HasPrefix(name, want) {
			t.Errorf("migration %d is %s", i+1, name)
		}
	}
}
