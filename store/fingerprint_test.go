package store

import (
	"context"
	"database/sql"
	"fmt"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// TestFingerprint changes one column of one entry at a time.
func TestFingerprint(t *testing.T) {
	path := newPath(t)
	l := reopen(t, path)
	const entries = fingerprintRows + 3
	for i := range entries {
		mustSettle(t, l, step(fmt.Sprintf("job-%04d", i), plan.StateNone, 0, plan.StateCreated))
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // for the temporary table
	fingerprint := func() string {
		t.Helper()
		got, err := l.Fingerprint(t.Context(), "p")
		if err != nil {
			t.Fatal(err)
		}
		_, marked, err := l.MarkedSnapshot(t.Context(), "p")
		if err != nil || marked != got {
			t.Fatalf("the snapshot's is %s, %v, and not %s", marked, err, got)
		}
		return got
	}
	exec := func(query string) {
		t.Helper()
		if _, err := db.ExecContext(context.Background(), query); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
	}
	exec("CREATE TEMP TABLE kept AS SELECT * FROM entries")
	seen := map[string]string{fingerprint(): "nothing"}
	last := fingerprint()
	for _, edit := range []string{
		"name = 'job-0000x'", "name = 'job-9999'", "state = 'rejected', aps_job_id = NULL", "state = 'lost'", "digest = 'sha256:other'",
		"life = '{\"protect\":true}'", "labels = '{\"team\":\"b\"}'", "labels = '{}'", "doing = 'running'", "pending = 'DeleteApsJob'",
		// The same letters, one column further on.
		"name = 'job-0000sha', digest = '256:other'", "digest = 'sha256:othercreated'", "doing = 'run', pending = 'ning'", "doing = '0:', pending = ''",
	} {
		for _, which := range []string{"job-0000", fmt.Sprintf("job-%04d", entries-1)} {
			exec("UPDATE entries SET " + edit + " WHERE name = '" + which + "'")
			got := fingerprint()
			if of, twice := seen[got]; twice {
				t.Errorf("%s of %s has the fingerprint of %s", edit, which, of)
			}
			seen[got] = edit + " of " + which
			exec("DELETE FROM entries; INSERT INTO entries SELECT * FROM kept")
			if got := fingerprint(); got != last {
				t.Fatalf("it is not restored after %s of %s", edit, which)
			}
		}
	}
	exec("DELETE FROM entries WHERE name = 'job-0001'")
	if of, twice := seen[fingerprint()]; twice {
		t.Errorf("without a job it has the fingerprint of %s", of)
	}
	last = fingerprint()
	exec("UPDATE entries SET updated_at_ms = 1, compared_at_ms = 2, differed = 'db_list', reason = 'x', request_id = 'y'")
	other := step("other", plan.StateNone, 0, plan.StateCreated)
	other.Plan = "q"
	mustSettle(t, l, other)
	if got := fingerprint(); got != last {
		t.Error("what decides nothing changed the fingerprint")
	}
	if none, err := l.Fingerprint(t.Context(), "nobody"); err != nil || none == "" || none == last {
		t.Errorf("a plan without entries: %q, %v", none, err)
	}
}
