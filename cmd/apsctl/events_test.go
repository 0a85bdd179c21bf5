package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func (b *bench) readEvents(text string) (events []streamEvent, kinds map[string]int) {
	b.Helper()
	kinds = map[string]int{}
	for line := range strings.Lines(text) {
		var e streamEvent
		decoder := json.NewDecoder(strings.NewReader(line))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil || !strings.HasSuffix(line, "\n") {
			b.Fatalf("%v in %q", err, line)
		}
		if _, err := time.Parse("2006-01-02T15:04:05.000Z", e.Time); err != nil || e.Plan != "bulk" && e.Event != "warning" {
			b.Errorf("%v: %s", err, line)
		}
		events = append(events, e)
		kinds[e.Event]++
	}
	return events, kinds
}

func (b *bench) eventFile() string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, "events.ndjson"))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

func TestEventsTellEveryTransition(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "1ms")
	b.write("plan.yaml", planOf(4))
	cloud.setFaults("[{operation: CreateAPSJob, kind: throttle, count: 1}, {operation: CreateAPSJob, kind: drop, when: after, skip: 2, count: 1}]")
	b.want(exitDone, "apply", "--yes", "--parallel", "1", "--wave", "2,rest", "--wait", "created", "--events", "events.ndjson", "plan.yaml")
	events, kinds := b.readEvents(b.eventFile())
	if kinds["run_begin"] != 1 || kinds["run_end"] != 1 || kinds["slowed"] == 0 || kinds["waiting"] < 2 || kinds["wave"] != 2 {
		t.Errorf("kinds are %v", kinds)
	}
	if first, last := events[0], events[len(events)-1]; first.Event != "run_begin" || first.PID == 0 || last.Event != "run_end" || last.Outcome != "done" || *last.ExitCode != 0 || last.Counts.Created != 4 {
		t.Errorf("got %+v ... %+v", first, last)
	}
	// Each job's moves make one chain, and are those of the ledger.
	moves := map[string][]string{}
	for _, e := range events {
		if e.Event == "moved" {
			chain := moves[e.Job]
			if len(chain) > 0 && chain[len(chain)-1] != string(*e.From) {
				t.Errorf("%s went from %q after %q", e.Job, *e.From, chain)
			}
			moves[e.Job] = append(chain, string(e.To))
		}
	}
	var ledger struct {
		Events []struct {
			Job string     `json:"name"`
			To  plan.State `json:"to"`
		} `json:"events"`
	}
	r := b.want(exitDone, "ledger", "events", "-o", "json")
	if err := json.Unmarshal([]byte(r.stdout), &ledger); err != nil {
		t.Fatal(err)
	}
	kept := map[string][]string{}
	for _, e := range ledger.Events {
		kept[e.Job] = append(kept[e.Job], string(e.To))
	}
	if len(moves) != 4 || !reflect.DeepEqual(moves, kept) {
		t.Errorf("the events say %v, the ledger %v", moves, kept)
	}

	// Another run appends; half a line that a crash left is ended.
	path := filepath.Join(b.dir, "events.ndjson")
	before := b.eventFile()
	if err := os.WriteFile(path, []byte(before+`{"time":`), 0o666); err != nil {
		t.Fatal(err)
	}
	_ = os.Chmod(path, 0o666)
	b.want(exitDone, "apply", "--yes", "--events", "events.ndjson", "plan.yaml")
	more, ok := strings.CutPrefix(b.eventFile(), before+"{\"time\":\n")
	if _, kinds := b.readEvents(more); !ok || kinds["run_end"] != 1 {
		t.Errorf("got %q", more)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

func TestProgressAsEvents(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", "version: 1\nname: bulk\nregion: cn-hangzhou\njobs:\n  - {name: a, source: {instance: pc-1}, destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n")
	r := b.want(exitDone, "apply", "--yes", "--progress", "json", "--events", "none/events", "plan.yaml")
	if _, kinds := b.readEvents(r.stderr); kinds["run_begin"] != 1 || kinds["moved"] != 2 || kinds["run_end"] != 1 || kinds["warning"] != 1 {
		t.Errorf("got %v of %s", kinds, r)
	}
	b.want(exitInvalid, "apply", "--yes", "--progress", "xml", "plan.yaml")
}

// TestWarningsOfThePlanAreEvents: with --progress json, nothing that is no event is
// among the lines of a run that ends well.
func TestWarningsOfThePlanAreEvents(t *testing.T) {
	b := newBench(t)
	b.emulator()
	var text strings.Builder
	text.WriteString("version: 1\nname: bulk\nregion: cn-hangzhou\ndefaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}\njobs:\n")
	for i := range 12 { // of one source far more than it takes
		fmt.Fprintf(&text, "  - {name: job-%02d, source: {instance: pc-1}}\n", i)
	}
	b.write("plan.yaml", text.String())
	r := b.want(exitDone, "apply", "--yes", "-o", "json", "--progress", "json", "plan.yaml")
	if _, kinds := b.readEvents(r.stderr); kinds["warning"] == 0 {
		t.Errorf("no warning is told: %s", r.stderr)
	}
}

// TestTextFromOutsideIsEncodedInEvents: in every field that may hold it.
func TestTextFromOutsideIsEncodedInEvents(t *testing.T) {
	var file bytes.Buffer
	s := &eventStream{clean: strings.Clone, file: &file}
	const evil = "R1\u202egnp\u009b31m"
	s.tell(runner.Event{Kind: runner.EventMoved, At: time.Now(), Job: evil, JobID: evil, RequestID: evil, Code: evil, Why: evil, Region: evil, NewName: evil, Plan: evil})
	if line := file.String(); strings.ContainsAny(line, "\u202e\u009b") || strings.Count(line, "gnp") != 8 {
		t.Errorf("got %q", line)
	}
}

func TestEventFileThatCannotBeUsedDecidesNothing(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Log("as root, files of others are ordinary ones")
	}
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", planOf(1))
	for name, make := range map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path, 0o755) },
		"a device": func(path string) error { return os.Symlink("/dev/full", path) },
		"a pipe":   makePipe,
		"a broken link": func(path string) error {
			return os.Symlink(filepath.Join(b.dir, "none", "x"), path)
		},
	} {
		path := filepath.Join(b.dir, strings.ReplaceAll(name, " ", "-"))
		if err := make(path); err != nil {
			t.Fatal(err)
		}
		r := b.want(exitDone, "apply", "--yes", "-q", "--events", path, "plan.yaml")
		if n := strings.Count(r.stderr, "--events"); n != 1 {
			t.Errorf("%s: %d warnings in %s", name, n, r)
		}
	}
	link := filepath.Join(b.dir, "link")
	if err := os.Symlink(filepath.Join(b.dir, "target"), link); err != nil {
		t.Fatal(err)
	}
	b.write("target", "")
	b.want(exitDone, "apply", "--yes", "--events", link, "plan.yaml")
	if text, err := os.ReadFile(filepath.Join(b.dir, "target")); err != nil || len(text) == 0 {
		t.Errorf("one's own link is not followed: %v", err)
	}
}

// fullDisk takes some lines and then no more, the first of those by half.
type fullDisk struct {
	lines []string
	room  int
}

func (d *fullDisk) Write(p []byte) (int, error) {
	if len(d.lines) == d.room {
		return len(p) / 2, errors.New("no space left on device")
	}
	d.lines = append(d.lines, string(p))
	return len(p), nil
}

func TestFullDiskIsOneWarning(t *testing.T) {
	disk, warnings := &fullDisk{room: 3}, 0
	s := &eventStream{clean: strings.Clone, file: disk, warn: func(string) { warnings++ }}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			s.tell(runner.Event{Kind: runner.EventMoved, Job: fmt.Sprint(i), Why: "a\x1b\nb", At: time.Now()})
		})
	}
	all.Wait()
	if warnings != 1 || len(disk.lines) != 3 {
		t.Errorf("%d warnings, %d lines", warnings, len(disk.lines))
	}
	if !strings.Contains(disk.lines[0], `a\\x1b\\nb`) || strings.Count(disk.lines[0], "\n") != 1 {
		t.Errorf("got %q", disk.lines[0])
	}
	var none *eventStream
	none.begin(plan.RunRecord{})
	none.end(&notice.Run{})
}

func TestSeveralProcessesAppendToOneFileOfEvents(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", planOf(8))
	var all []*process
	for i := range 4 {
		cloud := b.emulator()
		_ = cloud
		all = append(all, b.start("apply", "--yes", "--ledger", fmt.Sprintf("l%d.db", i), "--events", "events.ndjson", "plan.yaml"))
	}
	for _, p := range all {
		if r := p.result(); r.code != exitDone {
			t.Fatalf("got %s", r)
		}
	}
	if events, kinds := b.readEvents(b.eventFile()); kinds["run_end"] != 4 || kinds["moved"] != 4*8*2 {
		t.Errorf("%d events: %v", len(events), kinds)
	}
}

// TestEveryFieldOfAnEventIsDescribed holds docs/events.md against the type.
func TestEveryFieldOfAnEventIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []reflect.Type{reflect.TypeFor[streamEvent](), reflect.TypeFor[streamProgress]()} {
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("docs/events.md does not describe %s", name)
			}
		}
	}
	kinds := []string{"run_begin", "run_end", "slowed", "progress", "listing", "warning"}
	for _, kind := range []runner.EventKind{runner.EventMoved, runner.EventPromised, runner.EventRenamed, runner.EventWaiting, runner.EventWave, runner.EventStopping} {
		kinds = append(kinds, string(kind))
	}
	for _, kind := range kinds {
		if !slices.ContainsFunc(strings.Split(string(page), "\n"), func(line string) bool { return strings.HasPrefix(line, "| `"+kind+"`") }) {
			t.Errorf("docs/events.md does not describe the event %s", kind)
		}
	}
}
