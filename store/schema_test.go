package store

import (
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

func TestSchema_states_are_those_of_plan(t *testing.T) {
	l := openStore(t)
	for table, column := range map[string]string{"entries": "state", "attempts": "outcome"} {
		var text string
		if err := l.read.QueryRow("SELECT sql FROM sqlite_schema WHERE name = ?", table).Scan(&text); err != nil {
			t.Fatal(err)
		}
		_, list, _ := strings.Cut(text, column+" ")
		list, _, _ = strings.Cut(list, "),")
		var got []plan.State
		for _, state := range regexp.MustCompile(column+` = '(.*?)'`).FindAllStringSubmatch(list, -1) {
			got = append(got, plan.State(state[1]))
		}
		want := slices.Clone(plan.States)
		if column == "outcome" { // a lost job's attempt did succeed
			want = slices.DeleteFunc(want, func(s plan.State) bool { return s == plan.StateLost })
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", column, got, want)
		}
	}
	for _, state := range append([]plan.State{plan.StateNone}, plan.States...) {
		if len(next[state]) == 0 {
			t.Errorf("no step leads on from %q", state)
		}
	}
}

func TestSchema_events_are_append_only(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	for _, query := range []string{
		"UPDATE events SET reason = 'x'", "DELETE FROM events",
		"INSERT OR REPLACE INTO events SELECT id, 99, at_ms, run_id, plan, name, attempt, from_state, to_state," +
			" aps_job_id, request_id, code, reason, evidence FROM events",
	} {
		if err := l.exec(t, query); err == nil {
			t.Errorf("%.20s: got no error", query)
		}
	}
	if events, err := l.Events(t.Context(), "p", "a"); err != nil || len(events) != 1 || events[0].Serial != 1 {
		t.Errorf("got %+v, %v", events, err)
	}
}

func TestSchema_rules(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	for _, query := range []string{
		"UPDATE entries SET state = 'failed'", "UPDATE entries SET state = 'created'",
		"UPDATE entries SET aps_job_id = 'x'", "UPDATE entries SET spec = '{'", "UPDATE entries SET attempt = -1",
		"UPDATE entries SET attempt = 'x'", "UPDATE attempts SET outcome = 'lost'", "UPDATE attempts SET entry_id = 99",
		"DELETE FROM entries", "INSERT INTO meta (id, lineage, created_at_ms) VALUES (2, 'x', 0)",
	} {
		if err := l.exec(t, query); err == nil {
			t.Errorf("%s: got no error", query)
		}
	}
}

// The indexes serve the queries that run for every apply.
func TestSchema_indexes_are_used(t *testing.T) {
	l := openStore(t)
	for query, want := range map[string]string{
		"SELECT " + entryColumns + " FROM entries WHERE plan = 'p' ORDER BY plan, name":                                       "sqlite_autoindex_entries",
		"SELECT " + entryColumns + " FROM entries WHERE " + strings.Replace(liveRule, "?", "'r'", 1) + " ORDER BY plan, name": "entries_live",
		strings.NewReplacer("?1", "'p'", "?2", "'r'", "?3", "'n'").Replace(openElsewhere):                                     "entries_open (plan>?)",
		"SELECT " + entryColumns + " FROM entries WHERE " + openRule + " AND plan <> 'p' ORDER BY plan, name":                 "entries_open",
		strings.ReplaceAll(countOthers, "?1", "'p'"):                                                                          "COVERING INDEX entries_other",
		"SELECT " + entryColumns + " FROM entries WHERE state IN ('rejected') AND " + otherRule + " AND plan = 'p'":           "entries_other",
		countAll: "COVERING INDEX",
		"SELECT id FROM events WHERE plan = 'p' AND name = 'a' ORDER BY id":                                        "events_by_job",
		"SELECT e.plan FROM attempts a JOIN entries e ON e.id = a.entry_id WHERE a.nonce = 'n' ORDER BY a.attempt": "sqlite_autoindex_attempts",
	} {
		var steps []string
		err := each(t.Context(), l.read, "EXPLAIN QUERY PLAN "+query, nil, func(rows *sql.Rows) error {
			var id, parent, unused int
			var detail string
			err := rows.Scan(&id, &parent, &unused, &detail)
			steps = append(steps, detail)
			return err
		})
		if got := strings.Join(steps, "; "); err != nil || !strings.Contains(got, want) {
			t.Errorf("%.60s…: got %s, %v, want %s", query, got, err, want)
		}
	}
}
