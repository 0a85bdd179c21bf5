package main

import (
	"bytes"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// everyState is one entry in each state.
func everyState() []seed {
	var seeds []seed
	for _, state := range plan.States {
		s := seed{name: string(state), state: state, candidates: []string{"aps-x"}}
		if state == plan.StateCreated || state == plan.StateLost {
			s.jobID, s.candidates = "aps-"+string(state), nil
		}
		seeds = append(seeds, s)
	}
	return seeds
}

func TestLedgerList(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	b.seed(seed{plan: "second", name: "evil\x1b[2J\nname", state: plan.StateUnknown})
	r := b.want(exitDone, "ledger", "list")
	wantIn(t, r.stdout, "lineage", "serial 20", "schema ", `evil\x1b[2J\nname`, "aps-created", "second")
	if strings.Contains(r.stdout, "\x1b") {
		t.Errorf("text from outside is not encoded: %q", r.stdout)
	}
	var out entriesJSON
	b.decode(b.want(exitDone, "ledger", "list", "bulk", "--state", "lost", "--state", "conflict", "-o", "json"), &out)
	if len(out.Entries) != 2 || out.Entries[1].JobID != "aps-lost" || out.Ledger.Serial != 20 || out.Ledger.Lineage == "" {
		t.Errorf("got %+v", out)
	}
	for _, e := range out.Entries {
		wantIn(t, e.WayOut, "apsctl resolve --plan bulk")
	}
	b.decode(b.want(exitDone, "ledger", "list", "bulk", "--ledger", ledgerDefault, "-o", "json"), &out)
	wantIn(t, out.Entries[1].WayOut, "apsctl resolve --plan bulk --ledger "+ledgerDefault)
	wantIn(t, b.want(exitInvalid, "ledger", "list", "--state", "failed").stderr, "intent, unknown, created")
	wantIn(t, b.want(exitFailure, "ledger", "list", "bulkk").stderr, "bulk, second")
}

func TestLedgerShow(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	b.seed(seed{plan: "second", name: "created", state: plan.StateUnknown})
	for _, state := range plan.States {
		r := b.want(exitDone, "ledger", "show", string(state), "--plan", "bulk")
		wantIn(t, r.stdout, string(state)+" of plan bulk: "+string(state), "attempt 1: ")
		if strings.Contains(r.stdout, "way out") != (state != plan.StateCreated) {
			t.Errorf("the way out: %s", r.stdout)
		}
	}
	wantIn(t, b.want(exitInvalid, "ledger", "show", "created").stderr, "bulk, second", "--plan")
	wantIn(t, b.want(exitFailure, "ledger", "show", "nobody").stderr, "nobody", "ledger list")
	var out showJSON
	b.decode(b.want(exitDone, "ledger", "show", "created", "--plan", "bulk", "-o", "json"), &out)
	if out.Entry.JobID != "aps-created" || out.Entry.Spec.Name != "created" || len(out.Attempts) != 1 || out.Attempts[0].Nonce == "" {
		t.Errorf("got %+v", out)
	}
}

func TestLedgerForgetAndItsTrace(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	b.want(exitInvalid, "ledger", "forget", "created")
	for _, state := range []string{"intent", "unknown"} {
		wantIn(t, b.want(exitLimit, "ledger", "forget", state, "--reason", "x").stderr, "--force")
	}
	for _, state := range plan.States {
		args := []string{"ledger", "forget", string(state), "--reason", "not needed"}
		if state.Unresolved() {
			args = append(args, "--force")
		}
		b.want(exitDone, args...)
		event, proof := b.lastEvent(string(state))
		if event.From != state || event.To != plan.StateNone || proof.Reason != "not needed" || proof.Forced != state.Unresolved() ||
			proof.Forgotten == nil || len(proof.Forgotten.Attempts) != 1 {
			t.Errorf("%s left %+v, %+v", state, event, proof)
		}
	}
	wantIn(t, b.want(exitDone, "ledger", "list").stdout, "No entries.")
	wantIn(t, b.want(exitDone, "ledger", "events", "created").stdout, "forgotten: not needed")
	wantIn(t, b.want(exitDone, "ledger", "events", "--full").stdout, `"kind":"person"`)
	b.want(exitFailure, "ledger", "events", "nobody")
	b.want(exitFailure, "ledger", "forget", "created", "--reason", "again")
	b.want(exitDone, "ledger", "verify")
}

func TestLedgerMove(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("apsctl.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes")
	b.write("apsctl.yaml", strings.ReplaceAll(planOf(2), "job-0001", "renamed"))
	wantIn(t, b.want(exitDone, "plan").stdout, "renamed", "left over")
	wantIn(t, b.want(exitLimit, "ledger", "mv", "job-0001", "job-0000").stderr, "already")
	b.want(exitInvalid, "ledger", "mv", "job-0001", "job-0001")
	for _, never := range []string{"", "a b", "x;y", "-x", "../x"} { // no plan could have it
		wantIn(t, b.want(exitInvalid, "ledger", "mv", "--", "job-0001", never).stderr, "a job's name has")
	}
	b.want(exitFailure, "ledger", "mv", "nobody", "x")
	var out changedJSON
	b.decode(b.want(exitDone, "ledger", "mv", "job-0001", "renamed", "-o", "json"), &out)
	if out.NewName != "renamed" || out.JobID == "" || out.Who == "" {
		t.Errorf("got %+v", out)
	}
	b.want(exitDone, "plan", "--detailed-exitcode")
	b.want(exitDone, "apply", "--yes")
	if n := cloud.creates(); n != 2 {
		t.Errorf("%d creates were sent", n)
	}
	wantIn(t, b.want(exitDone, "ledger", "events", "renamed").stdout, "renamed from job-0001", "intent")
	wantIn(t, b.want(exitDone, "ledger", "show", "renamed").stdout, "on service   job-0001", "attempt 1")
}

func TestLedgerMoveIsRefusedWhileTheNameIsLookedFor(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	for _, state := range []string{"intent", "unknown", "conflict", "duplicate"} {
		wantIn(t, b.want(exitLimit, "ledger", "mv", state, "x").stderr, "looked for by its name", "apsctl resolve --plan bulk settles it")
	}
	for _, state := range []string{"created", "rejected", "not-sent", "absent", "lost"} {
		b.want(exitDone, "ledger", "mv", state, state+"-2", "--reason", "tidier")
	}
	if _, proof := b.lastEvent("lost-2"); proof.RenamedFrom != "lost" || proof.Reason != "tidier" {
		t.Errorf("got %+v", proof)
	}
}

func TestLedgerBackup(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	var out backupJSON
	b.decode(b.want(exitDone, "ledger", "backup", "copy.db", "-o", "json"), &out)
	info, err := os.Stat(filepath.Join(b.dir, "copy.db"))
	if err != nil || info.Mode().Perm() != 0o600 || out.File != "copy.db" || out.Ledger.Serial != 18 {
		t.Errorf("got %+v, %v", out, err)
	}
	wantIn(t, b.want(exitLimit, "ledger", "backup", "copy.db").stderr, "never replaces")
	b.want(exitFailure, "ledger", "backup", "nowhere/copy.db")
	wantIn(t, b.want(exitInvalid, "ledger", "backup", "").stderr, "FILE is empty", "E-USAGE")
	b.want(exitDone, "ledger", "verify", "--ledger", "copy.db")
	same := b.want(exitDone, "ledger", "list", "-o", "json", "--ledger", "copy.db")
	if want := b.want(exitDone, "ledger", "list", "-o", "json", "--ledger", ledgerDefault).stdout; strings.ReplaceAll(same.stdout, "copy.db", ledgerDefault) != want {
		t.Errorf("the copy has %s, the ledger %s", same, want)
	}
}

func TestLedgerVerify(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	wantIn(t, b.want(exitDone, "ledger", "verify").stdout, "serial 18", "It is sound.\n")
	lock, err := store.AcquireLock(b.ledgerPath(), store.Holder{PID: os.Getpid()})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	var out verifyJSON
	b.decode(b.want(exitDone, "ledger", "verify", "-o", "json"), &out)
	if !out.Sound || out.Rules || out.Ledger.Lineage == "" {
		t.Errorf("got %+v", out)
	}
}

func TestLedgerVerifyFindsDamage(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	content, err := os.ReadFile(b.ledgerPath())
	if err != nil {
		t.Fatal(err)
	}
	// A page with jobs in it: a copy has no use for a damaged index, and is sound.
	const pageBytes = 4096
	page := bytes.Index(content, []byte(`"db_list"`)) / pageBytes * pageBytes
	if page <= 0 {
		t.Fatal("no job is in the file")
	}
	for i := page; i < page+1000; i++ {
		content[i] = 0xff
	}
	if err := os.WriteFile(b.ledgerPath(), content, 0o600); err != nil {
		t.Fatal(err)
	}
	wantIn(t, b.want(exitLedger, "ledger", "verify").stderr, "damaged", "leave its .sent file where it is", "backup", "without one, apply --adopt, and once more")
	b.want(exitLedger, "ledger", "backup", "copy.db")
	if left, _ := filepath.Glob(filepath.Join(b.dir, "copy.db*")); len(left) != 0 {
		t.Errorf("a bad copy was left: %v", left)
	}
}

func TestLedgerSQL(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	wantIn(t, b.want(exitDone, "ledger", "sql", "SELECT job, state FROM jobs WHERE state = 'lost'").stdout, "lost")
	var out sqlJSON
	b.decode(b.want(exitDone, "ledger", "sql", "-o", "json", "SELECT 1 AS one, NULL, 'ä', x'00ff', 9e999, 2.5;"), &out)
	if len(out.Rows) != 1 || out.Columns[0] != "one" || out.Rows[0][1] != nil || out.Rows[0][3] != "AP8=" || out.Rows[0][4] != "+Inf" {
		t.Errorf("got %+v", out)
	}
	r := b.want(exitDone, "ledger", "sql", "--rows", "3", "-o", "json", "SELECT * FROM history")
	b.decode(r, &out)
	if len(out.Rows) != 3 || !out.More {
		t.Errorf("got %+v", out)
	}
	wantIn(t, r.stderr, "only the first 3 rows", "--rows 0")
	r = b.want(exitInvalid, "ledger", "sql", "--timeout", "100ms",
		"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")
	wantIn(t, r.stderr, "longer than allowed")
	wantIn(t, b.want(exitInvalid, "ledger", "sql", "SELECT nobody FROM jobs").stderr, "no such column")
	b.want(exitInvalid, "ledger", "sql", "--rows", "-1", "SELECT 1")
}

func TestLedgerSQLCannotWrite(t *testing.T) {
	b := newBench(t)
	b.seed(everyState()...)
	before := b.want(exitDone, "ledger", "list", "-o", "json").stdout
	for _, query := range []string{
		"INSERT INTO runs (id) VALUES ('x')", "UPDATE entries SET state = 'absent'", "DELETE FROM events", "DROP VIEW jobs",
		"PRAGMA writable_schema = 1", "PRAGMA user_version = 9", "PRAGMA journal_mode", "ATTACH 'other.db' AS other",
		"VACUUM INTO 'other.db'", "SELECT 1; DELETE FROM entries", "SELECT load_extension('x')", "EXPLAIN DELETE FROM entries",
		"WITH x AS (SELECT 1) DELETE FROM entries", "SELECT * FROM pragma_user_version", "BEGIN IMMEDIATE", "",
	} {
		wantIn(t, b.want(exitInvalid, "ledger", "sql", query).stderr, "the query cannot be carried out")
	}
	if after := b.want(exitDone, "ledger", "list", "-o", "json").stdout; after != before {
		t.Errorf("it is %s, and was %s", after, before)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "other.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("another file was written: %v", err)
	}
}

// Another file that --ledger names by mistake is called what it is, nobody is told to
// delete it, and nothing is left beside it.
func TestLedgerThatIsSomethingElse(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(1))
	b.write("folder/short.yaml", "name: a\n")
	b.write("folder/long.yaml", planOf(20))
	db, err := sql.Open("sqlite3", filepath.Join(b.dir, "folder/other.db"))
	if err == nil {
		_, err = db.Exec("CREATE TABLE t (a)")
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	names, err := os.ReadDir(filepath.Join(b.dir, "folder"))
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		for _, args := range [][]string{{"apply", "--yes"}, {"plan"}, {"resolve"}, {"ledger", "list"}, {"ledger", "forget", "a", "--reason", "x"}} {
			r := b.want(exitLedger, append(args, "--ledger", "folder/"+name.Name())...)
			if wantIn(t, r.stderr, "E-NOT-A-LEDGER"); strings.Contains(r.stderr, "delete") {
				t.Errorf("%s: it is not ours to delete: %s", name.Name(), r)
			}
			if left, _ := os.ReadDir(filepath.Join(b.dir, "folder")); len(left) != len(names) {
				t.Fatalf("%v leaves %v", args, left)
			}
		}
	}
}

// A ledger that does not exist is not made by looking for it.
func TestLedgerIsNeverMade(t *testing.T) {
	b := newBench(t)
	for _, args := range [][]string{
		{"list"}, {"show", "a"}, {"events"}, {"backup", "copy.db"}, {"verify"}, {"forget", "a", "--reason", "x"}, {"mv", "a", "b"}, {"sql", "SELECT 1"},
	} {
		wantIn(t, b.want(exitLedger, append([]string{"ledger"}, args...)...).stderr, "does not exist")
	}
	if left, _ := os.ReadDir(b.dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
	b.want(exitDone, "ledger")
}
