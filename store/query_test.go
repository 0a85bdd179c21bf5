package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
)

func TestQuery(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
	mustSettle(t, l, step("b", plan.StateIntent, 1, plan.StateCreated))
	for text, want := range map[string]Table{
		"SELECT job, state, attempts, aps_job_id, source, sent_at FROM jobs ORDER BY job": {
			Columns: []string{"job", "state", "attempts", "aps_job_id", "source", "sent_at"},
			Rows: [][]any{
				{"a", "intent", int64(1), nil, "pc-1", "2026-11-23T10:11:13.345Z"},
				{"b", "created", int64(1), "aps-b", "pc-1", "2026-11-23T10:11:13.345Z"},
			},
		},
		" -- a comment; with a semicolon\n select count(*) as n from attempts_log;  /* end; */ ": {
			Columns: []string{"n"}, Rows: [][]any{{int64(2)}}},
		"VALUES (';', x'00', 1.5)": {Columns: []string{"column1", "column2", "column3"}, Rows: [][]any{{";", []byte{0}, 1.5}}},
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT i FROM n": {
			Columns: []string{"i"}, Rows: [][]any{{int64(1)}, {int64(2)}, {int64(3)}}},
		"SELECT to_state, at FROM history WHERE job = 'none'": {Columns: []string{"to_state", "at"}},
		"SELECT value FROM json_each('[7]')":                  {Columns: []string{"value"}, Rows: [][]any{{int64(7)}}},
	} {
		got, err := l.Query(t.Context(), text, 0)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
	if got, err := l.Query(t.Context(), "SELECT * FROM history", 2); err != nil || len(got.Rows) != 2 || !got.More {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := l.Query(t.Context(), "SELECT * FROM history", 3); err != nil || len(got.Rows) != 3 || got.More {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := l.Query(t.Context(), "EXPLAIN QUERY PLAN SELECT * FROM jobs", 0); err != nil || len(got.Rows) == 0 {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Nothing that a query may say changes the ledger or reaches another file.
func TestQuery_only_reads(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	other := filepath.Join(t.TempDir(), "other.db")
	before, _ := l.Meta(t.Context())
	for _, text := range []string{
		"", " ; ", "-- nothing", "/* open", "\x00SELECT 1",
		"INSERT INTO runs (id) VALUES ('x')", "UPDATE entries SET state = 'absent'", "DELETE FROM entries", "DROP TABLE events",
		"WITH x AS (SELECT 1) DELETE FROM entries", "WITH x AS (SELECT 1) INSERT INTO meta (id) SELECT 2",
		"EXPLAIN DELETE FROM entries", "EXPLAIN PRAGMA journal_mode = DELETE",
		"PRAGMA query_only = 0", "PRAGMA writable_schema = 1", "pragma user_version",
		"SELECT * FROM pragma_user_version", "SELECT * FROM pragma_table_info('entries')",
		"ATTACH '" + other + "' AS other", "VACUUM INTO '" + other + "'", "DETACH main", "REINDEX", "ANALYZE",
		"SELECT load_extension('x')", "SELECT load_extension('x', 'y')",
		"SELECT 1; SELECT 2", "SELECT 1;; DELETE FROM entries", "SELECT ';' ; DELETE FROM entries",
		"SELECT '''; ' ; DELETE FROM entries", "SELECT 1 /* ; */ ; -- \n DELETE FROM entries", "SELECT [;] ; DELETE FROM entries",
		"CREATE TEMP TABLE x (y)", "CREATE VIEW x AS SELECT 1", "BEGIN", "COMMIT", "SAVEPOINT x", "ROLLBACK",
		"SELECT nothing FROM nowhere", "SELECT zeroblob(100000000)", "SELEKT 1", "SELECT writefile('" + other + "', 'x')",
	} {
		_, err := l.Query(t.Context(), text, 0)
		if query := (*QueryError)(nil); !errors.As(err, &query) {
			t.Errorf("%q: got %v", text, err)
		}
	}
	if after, _ := l.Meta(t.Context()); after != before {
		t.Errorf("got %+v, want %+v", after, before)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("another file was written")
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// Each layer holds by itself: here the text is not looked at first.
func TestQuery_is_denied_by_the_connection(t *testing.T) {
	path := newPath(t)
	_ = reopen(t, path).Close()
	name, err := readerDSN(path)
	if err != nil {
		t.Fatal(err)
	}
	c, err := (&queryConnector{newConnector(name, readerSettings)}).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, text := range []string{
		"PRAGMA query_only = 0", "PRAGMA writable_schema = 1", "ATTACH ':memory:' AS other", "INSERT INTO runs (id) VALUES ('x')",
		"BEGIN IMMEDIATE", "CREATE TEMP TABLE x (y)", "SELECT load_extension('x')", "SELECT 1; DELETE FROM entries",
	} {
		rows, err := c.(driver.QueryerContext).QueryContext(t.Context(), text, nil)
		if err == nil {
			err = rows.Next(make([]driver.Value, len(rows.Columns())))
			_ = rows.Close()
		}
		if err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: it was carried out", text)
		}
	}
}

func TestQuery_takes_no_longer_than_allowed(t *testing.T) {
	l := openStore(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := l.Query(ctx, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", 0)
	if query := (*QueryError)(nil); !errors.As(err, &query) || !strings.Contains(err.Error(), "longer") {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("it took %s", took)
	}
}

// The columns of the views are documented, in their order.
func TestViews_are_documented(t *testing.T) {
	l := openStore(t)
	text, err := os.ReadFile("../docs/ledger.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, view := range []string{"jobs", "attempts_log", "history", "run_log"} {
		got, err := l.Query(t.Context(), "SELECT * FROM "+view, 0)
		if err != nil {
			t.Fatal(err)
		}
		row := regexp.MustCompile(fmt.Sprintf("(?m)^\\| `%s` \\|.*$", view)).FindString(string(text))
		var documented []string
		for _, name := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row, -1) {
			documented = append(documented, name[1])
		}
		if want := append([]string{view}, got.Columns...); !cmp.Equal(documented, want) {
			t.Errorf("documented is %q, want %q", documented, want)
		}
	}
}
