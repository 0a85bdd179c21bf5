package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// notedBench has plans of any size noted, and a plan of several files.
func notedBench(t *testing.T) *bench {
	b := newBench(t)
	b.setenv(testNotedJobs, "1")
	for name, text := range notedFiles() {
		b.write(name, text)
	}
	return b
}

func notedFiles() map[string]string {
	return map[string]string{
		"plan.yaml": `version: 1
name: bulk
region: cn-hangzhou
vars: {team: blue}
run: {parallel: 4}
include: more/*.yaml
defaults: {labels: {team: "${var.team}"}}
generate:
  - csv: rows.csv
    job:
      name: row-${row.n}
      source: {instance: "pc-${row.n}"}
      destination: {instance: amv-1}
      db_list: {EntireInstance: true}
`,
		"rows.csv":    "n\n1\n2\n3\n4\n",
		"more/a.yaml": "jobs:\n  - {name: part, source: {instance: pc-9}, destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n",
	}
}

func (b *bench) notes() []string {
	b.Helper()
	notes, err := filepath.Glob(b.ledgerPath() + ".unchanged-*")
	if err != nil {
		b.Fatal(err)
	}
	return notes
}

func (b *bench) dropNotes() {
	b.Helper()
	for _, note := range b.notes() {
		if err := os.Remove(note); err != nil {
			b.Fatal(err)
		}
	}
}

// doctored changes what a note says, with or without its digest.
func (b *bench) doctored(note string, sealed bool, old, new string) {
	b.Helper()
	text, err := os.ReadFile(note)
	if err != nil || !bytes.Contains(text, []byte(old)) {
		b.Fatalf("%v; no %q in %s", err, old, text)
	}
	head, content, _ := bytes.Cut(bytes.ReplaceAll(text, []byte(old), []byte(new)), []byte("\n"))
	content = bytes.TrimSuffix(content, []byte("\n"))
	if sealed {
		sum := sha256.Sum256(content)
		head = []byte(noteHead + hex.EncodeToString(sum[:]))
	}
	if err := os.WriteFile(note, fmt.Appendf(nil, "%s\n%s\n", head, content), 0o600); err != nil {
		b.Fatal(err)
	}
}

// TestNoteIsUsed has a note say what nobody would find out otherwise.
func TestNoteIsUsed(t *testing.T) {
	b := notedBench(t)
	b.emulator()
	b.want(0, "apply", "--yes", "plan.yaml")
	if notes := b.notes(); len(notes) > 0 {
		t.Errorf("a run that created jobs left %q", notes)
	}
	page := b.want(0, "plan", "plan.yaml").stdout
	nothing := b.want(0, "apply", "--yes", "plan.yaml").stdout
	wantIn(t, nothing, page, "Nothing to do: the ledger has all 5 jobs as created.")
	notes := b.notes()
	if len(notes) != 1 {
		t.Fatalf("got %q", notes)
	}
	if info, err := os.Stat(notes[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the note is %v, %v", info.Mode(), err)
	}
	original, err := os.ReadFile(notes[0])
	if err != nil {
		t.Fatal(err)
	}
	b.doctored(notes[0], true, `"jobs":5`, `"jobs":55555`)
	wantIn(t, b.want(0, "plan", "plan.yaml").stdout, "55555 jobs: 55555 to keep")
	wantIn(t, b.want(0, "apply", "--yes", "plan.yaml").stdout, "55555 jobs: 55555 to keep", "all 55555 jobs as created")
	for _, args := range [][]string{
		{"-o", "json"}, {"-o", "markdown"}, {"-o", "ndjson"}, {"--full"}, {"--op", "keep"}, {"--target", "row-1"}, {"--exclude", "row-1"}, {"--refresh", "all"}, {"--out", "saved"},
	} {
		if out := b.want(0, append([]string{"plan", "plan.yaml"}, args...)...).stdout; strings.Contains(out, "55555") {
			t.Errorf("%q goes by the note: %s", args, out)
		}
	}
	for _, args := range [][]string{{"-o", "json"}, {"--full"}, {"--target", "row-1"}, {"--refresh", "changed"}} {
		if out := b.want(0, append([]string{"apply", "--yes", "plan.yaml"}, args...)...).stdout; strings.Contains(out, "55555") {
			t.Errorf("apply %q goes by the note: %s", args, out)
		}
	}
	for name, spoil := range map[string]func(){
		"changed":            func() { b.doctored(notes[0], false, `"jobs":5`, `"jobs":66`) },
		"of another program": func() { b.doctored(notes[0], true, `{"program":"`, `{"jobs":66,"program":"x`) },
		"of another ledger":  func() { b.doctored(notes[0], true, `"lineage":"`, `"lineage":"x`) },
		"cut":                func() { b.cut(notes[0], len(original)/2) },
		"empty":              func() { b.cut(notes[0], 0) },
		"a folder":           func() { b.dropNotes(); must(t, os.Mkdir(notes[0], 0o700)) },
		"a link": func() {
			must(t, os.Rename(notes[0], notes[0]+"-elsewhere"))
			must(t, os.Symlink(notes[0]+"-elsewhere", notes[0]))
		},
	} {
		b.dropNotes()
		must(t, os.WriteFile(notes[0], original, 0o600))
		spoil()
		if got := b.want(0, "plan", "plan.yaml"); got.stdout != page || got.stderr != "" {
			t.Errorf("with a note that is %s: %s", name, got)
		}
	}
}

func (b *bench) cut(path string, size int) { b.Helper(); must(b, os.Truncate(path, int64(size))) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoteOfAnotherTime: what changed after the note is found, and done.
func TestNoteOfAnotherTime(t *testing.T) {
	b := notedBench(t)
	cloud := b.emulator()
	b.want(0, "apply", "--yes", "plan.yaml")
	b.want(0, "apply", "--yes", "plan.yaml")
	if len(b.notes()) != 1 {
		t.Fatal("there is no note")
	}
	b.inLedger("UPDATE entries SET state = 'rejected', aps_job_id = NULL, name = 'row-0' WHERE name = 'row-1'")
	// The job is on the service, and the ledger does not know it any more.
	wantIn(t, b.want(exitUnknown, "apply", "--yes", "plan.yaml").stdout, "4 kept, 1 blocked of 5 jobs")
	wantIn(t, b.want(0, "apply", "--yes", "--adopt", "plan.yaml").stdout, "1 adopted, 4 kept of 5 jobs")
	if n := cloud.creates(); n != 5 {
		t.Errorf("%d creates", n)
	}
}

func (b *bench) inLedger(query string) {
	b.Helper()
	db, err := sql.Open("sqlite3", b.ledgerPath())
	must(b, err)
	_, err = db.ExecContext(b.Context(), query)
	must(b, err)
	must(b, db.Close())
}

// TestNotesChangeNothing edits plan and ledger at random. Whatever notes of earlier
// times are there, plan and apply say the same as without any.
func TestNotesChangeNothing(t *testing.T) {
	b := notedBench(t)
	b.emulator()
	b.want(0, "apply", "--yes", "plan.yaml")
	b.inLedger("CREATE TABLE kept AS SELECT * FROM entries")
	dice := rand.New(rand.NewPCG(2, 7))
	var old [][]byte // notes of earlier times
	path, used := "", 0
	flags := [][]string{nil, {"--adopt"}, {"--allow", "delete"}, {"--detailed-exitcode"}, {"--var", "team=red"}}
	for range rounds() {
		edited := b.editAtRandom(dice)
		args := append([]string{"plan", "plan.yaml"}, flags[dice.IntN(len(flags))]...)
		if len(old) > 0 && dice.IntN(2) == 0 {
			must(t, os.WriteFile(path, old[dice.IntN(len(old))], 0o600))
		}
		with := b.apsctl(args...)
		b.dropNotes()
		without := b.apsctl(args...)
		if with != without {
			t.Fatalf("after %s, %q with a note:\n%s\nand without:\n%s", edited, args, with, without)
		}
		notes := b.notes()
		if len(notes) == 0 {
			continue
		}
		path = notes[0]
		text, err := os.ReadFile(path)
		must(t, err)
		if !slices.ContainsFunc(old, func(other []byte) bool { return bytes.Equal(other, text) }) {
			old = append(old, text)
		}
		if dice.IntN(3) == 0 {
			used++
			b.applyBothWays(args[2:])
		}
	}
	if !testing.Short() && (len(old) < 3 || used < 3) {
		t.Errorf("only %d notes and %d runs were tried", len(old), used)
	}
}

// rounds is how many edits are tried.
func rounds() int {
	if testing.Short() {
		return 20
	}
	return 60
}

// applyBothWays runs apply with the note that is there, and without one.
func (b *bench) applyBothWays(flags []string) {
	b.Helper()
	args := append([]string{"apply", "--yes", "plan.yaml"}, slices.DeleteFunc(slices.Clone(flags), func(f string) bool { return f == "--detailed-exitcode" })...)
	with := b.apsctl(args...)
	b.dropNotes()
	without := b.apsctl(args...)
	if with != without || with.code != 0 {
		b.Fatalf("%q with a note:\n%s\nand without:\n%s", args, with, without)
	}
	var runs struct {
		Runs []map[string]any `json:"runs"`
	}
	b.decode(b.want(0, "runs", "-o", "json"), &runs)
	var last [2]string
	for i, run := range runs.Runs[:2] {
		for _, key := range []string{"id", "run", "pid", "started_at", "finished_at", "elapsed_ms", "took_ms"} {
			delete(run, key)
		}
		text, err := json.Marshal(run)
		must(b, err)
		last[i] = string(text)
	}
	if last[0] != last[1] {
		b.Fatalf("the ledger has of the runs\n%s\n%s", last[0], last[1])
	}
}

// editAtRandom changes one thing, or puts all back as it was.
func (b *bench) editAtRandom(dice *rand.Rand) string {
	b.Helper()
	files := notedFiles()
	replace := func(name, old, new string) func() {
		return func() { b.write(name, strings.Replace(files[name], old, new, 1)) }
	}
	inLedger := func(set string) func() {
		return func() { b.inLedger(fmt.Sprintf("UPDATE entries SET %s WHERE name = 'row-%d'", set, 1+dice.IntN(4))) }
	}
	edits := []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"putting all back", func() {
			for name, text := range files {
				b.write(name, text)
			}
			_ = os.Remove(filepath.Join(b.dir, "more/b.yaml"))
			b.inLedger("DELETE FROM attempts; DELETE FROM entries; INSERT INTO entries SELECT * FROM kept")
		}},
		{"a comment", replace("plan.yaml", "version", "# hello\nversion")},
		{"another team", replace("plan.yaml", "blue", "green")},
		{"an error", replace("plan.yaml", "amv-1", "amv-${var.team}")},
		{"a warning", replace("plan.yaml", "generate:\n", "generate:\n  - csv: {file: rows.csv, where: {n: none}}\n"+
			"    job: {name: \"none-${row.n}\", source: {instance: pc-1}, destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n")},
		{"another pace", replace("plan.yaml", "parallel: 4", "parallel: 5")},
		{"suspended", replace("plan.yaml", "defaults: {", "defaults: {state: suspended, ")},
		{"a row more", replace("rows.csv", "4\n", "4\n5\n")},
		{"a row less", replace("rows.csv", "4\n", "")},
		{"another source", replace("more/a.yaml", "pc-9", "pc-8")},
		{"an empty file more", func() { b.write("more/b.yaml", "jobs: []\n") }},
		{"a digest", inLedger("digest = 'sha256:other'")},
		{"labels", inLedger(`labels = '{"team":"red"}'`)},
		{"a life", inLedger(`life = '{"protect":true}'`)},
		{"what it does", inLedger("doing = 'suspended'")},
		{"what is pending", inLedger("pending = 'ModifyApsJob', pending_signed_at_ms = 1")},
		{"lost", inLedger("state = 'lost'")},
		{"a name", inLedger("name = 'row-x'")},
		{"when it was compared", inLedger("compared_at_ms = 7")},
		{"an entry less", func() { b.inLedger("DELETE FROM attempts; DELETE FROM entries WHERE name = 'row-2'") }},
		{"another plan", func() {
			b.inLedger("UPDATE entries SET plan = 'other', name = 'x' WHERE name = 'row-3'")
		}},
	}
	edit := edits[dice.IntN(len(edits))]
	if dice.IntN(2) == 0 {
		edit = edits[1]
	}
	edit.do()
	return edit.name
}

// TestNothingIsNotedOfALedgerThatChangedMeanwhile: the lock keeps others out, but a
// note must be right even without it. It was one of entries that nobody compared.
func TestNothingIsNotedOfALedgerThatChangedMeanwhile(t *testing.T) {
	b := newBench(t)
	b.seed(seed{name: "job-0000", state: plan.StateCreated, jobID: "aps-1"})
	ledger, closeIt := b.openLedger()
	defer closeIt()
	snapshot, err := ledger.Snapshot(t.Context(), "bulk")
	must(t, err)
	entry := snapshot.Entries["job-0000"]
	wanted := &plan.Plan{Name: "bulk", Jobs: slices.Repeat([]plan.Job{{Digest: entry.Digest}}, notedJobsMin)}
	changes := make([]plan.Change, notedJobsMin)
	for i := range changes {
		changes[i] = plan.Change{Kind: plan.KindKeep, Name: entry.Name, Job: &wanted.Jobs[i], Entry: &entry}
	}
	c := &applyCommand{target: target{ledger: b.ledgerPath()}}
	c.files.inputs = &plan.Inputs{Roots: []string{"plan.yaml"}}
	for _, meanwhile := range []string{"UPDATE entries SET state = 'lost'", "UPDATE entries SET updated_at_ms = 7"} {
		b.dropNotes()
		got, err := c.noting(t.Context(), wanted, ledger, func(context.Context) ([]plan.Change, error) {
			b.inLedger(meanwhile)
			return changes, nil
		})
		if err != nil || len(got) != len(changes) {
			t.Errorf("%s: %d changes, %v", meanwhile, len(got), err)
		}
		note := readUnchanged(b.ledgerPath(), nil)
		if matters := strings.Contains(meanwhile, "state"); matters != (note == nil) || note != nil && !note.still(t.Context(), ledger) {
			t.Errorf("%s: noted %+v", meanwhile, note)
		}
	}
}

// TestDraftOfANoteIsReplaced: a process that was killed before its note was in place
// leaves a draft, which was there for ever.
func TestDraftOfANoteIsReplaced(t *testing.T) {
	b := newBench(t)
	u := &unchanged{Inputs: &plan.Inputs{}, Plan: unchangedOf{Name: "bulk"}}
	var err error
	u.Program, err = programID()
	must(t, err)
	ledger := filepath.Join(b.dir, "ledger.db")
	draft := notePath(ledger, nil) + ".new"
	other := filepath.Join(b.dir, "other")
	for name, leave := range map[string]func(){
		"half of it": func() { must(t, os.WriteFile(draft, []byte(noteHead), 0o600)) },
		"a link":     func() { must(t, os.WriteFile(other, []byte("mine"), 0o600)); must(t, os.Symlink(other, draft)) },
	} {
		leave()
		must(t, u.write(ledger))
		if got := readUnchanged(ledger, nil); got == nil || got.Plan.Name != "bulk" {
			t.Errorf("%s: got %+v", name, got)
		}
		if left, err := filepath.Glob(ledger + ".unchanged-*"); err != nil || len(left) != 1 {
			t.Errorf("%s: left %q, %v", name, left, err)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "mine" {
		t.Errorf("written through a link: %q, %v", text, err)
	}
}

// TestNotesWrittenAtOnce: whatever of two drafts gets in place, a note that is read is
// a whole one.
func TestNotesWrittenAtOnce(t *testing.T) {
	program, err := programID()
	must(t, err)
	ledger := filepath.Join(t.TempDir(), "ledger.db")
	var writers sync.WaitGroup
	for i := range 4 {
		name := strings.Repeat(fmt.Sprint(i), 1+i*50_000)
		writers.Go(func() {
			for range 50 { // errors are those of a draft that another one took away
				_ = (&unchanged{Program: program, Inputs: &plan.Inputs{}, Plan: unchangedOf{Name: name}}).write(ledger)
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for open := true; open; {
		select {
		case <-done:
			open = false
		default:
		}
		u := readUnchanged(ledger, nil)
		if u == nil {
			continue
		}
		if n := len(u.Plan.Name); n%50_000 != 1 || strings.Trim(u.Plan.Name, u.Plan.Name[:1]) != "" {
			t.Fatalf("a note of %d characters", n)
		}
	}
}
