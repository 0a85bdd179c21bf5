package main

import (
	"encoding/csv"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// hostileTexts are names and messages that try to be more than text.
var hostileTexts = []string{
	`<script>alert(1)</script>`, `" onmouseover="alert(1)`, "javascript:alert(1)", "\x1b[2J", "a\u202eb", "=cmd|' /C calc'!A0",
	" =1+1", "\u00a0+1", "\n=1", "\t@SUM(1)", "-1", "＝1", "a|b`c`](http://x)", "@everyone #1", "\xff",
}

// TestReportShowsHostileTextAsText: in every form a name is text that can be read.
func TestReportShowsHostileTextAsText(t *testing.T) {
	b := newBench(t)
	var seeds []seed
	for _, text := range hostileTexts {
		seeds = append(seeds, seed{name: text, state: plan.StateRejected, spec: func(s *plan.Spec) { s.Source.Instance = text }})
	}
	b.seed(seeds...)
	page := b.want(exitDone, "report", "-o", "html").stdout
	wantIn(t, page, "&lt;script&gt;alert(1)", "&#34; onmouseover=", `\x1b[2J`, `a\u202eb`, `\xa0`)
	markdown := b.want(exitDone, "report", "-o", "markdown", "--full").stdout
	wantIn(t, markdown, "`<script>alert(1)</script>`", "`a\\x7cb\\x60c\\x60](http://x)`", "`@everyone #1`")
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "| `") && strings.Count(line, " | ") != 4 && strings.Count(line, " | ") != 6 && strings.Count(line, " | ") != 7 {
			t.Errorf("a name ends its cell: %s", line)
		}
	}
	table := b.want(exitDone, "report", "-o", "csv").stdout
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(rows) != len(hostileTexts)+1 || len(rows[0]) != len(csvHeader) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, form := range []string{page, markdown, table} {
		if strings.ContainsAny(form, "\x1b\u202e\u00a0\t") || !utf8.ValidString(form) || strings.Contains(form, "<script>alert") != (form != page) {
			t.Errorf("text from outside is not encoded in\n%.300s", form)
		}
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			checkCell(t, cell)
		}
	}
	var m migration
	b.decode(b.want(exitDone, "report", "-o", "json"), &m)
	if m.Jobs[0].Name != "\n=1" && len(m.Jobs) != len(hostileTexts) {
		t.Errorf("got %+v", m.Jobs)
	}
}

func checkCell(t *testing.T, cell string) {
	t.Helper()
	if first := strings.TrimLeft(cell, " \u3000\""); first != "" && strings.ContainsAny(string([]rune(first)[:1]), csvFormula+"\t\r\n") {
		t.Errorf("the cell %q is a formula", cell)
	}
}

// FuzzCSVCell: a cell is never a formula, comes back as it was written, and loses
// nothing that a person could read.
func FuzzCSVCell(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := csvCell(text)
		checkCell(t, cell)
		if strings.TrimPrefix(cell, "'") != strings.TrimPrefix(printable.Line(text), "'") && cell != "'"+printable.Line(text) {
			t.Errorf("%q became %q", text, cell)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write([]string{cell, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if back, err := csv.NewReader(strings.NewReader(b.String())).Read(); err != nil || back[0] != cell {
			t.Errorf("%q came back as %q, %v", cell, back, err)
		}
	})
}

// TestReportSaysHowFarItIs: the same figures in every form, from the ledger alone
// and from the service.
func TestReportSaysHowFarItIs(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--fail-share", "0.2")
	cloud.setFaults(`
- {operation: CreateAPSJob, kind: throttle, count: 3}
- {operation: CreateAPSJob, kind: status, status: 404, code: InvalidDBClusterId.NotFound, skip: 3, count: 2}
- {operation: CreateAPSJob, kind: drop, when: before, skip: 5, count: 1}
`)
	b.write("apsctl.yaml", planOf(30))
	b.want(exitUnknown, "apply", "--yes", "--parallel", "1", "--max-elapsed", "20s")
	cloud.setFaults("")
	var m migration
	b.decode(b.want(exitDone, "report", "-o", "json"), &m)
	if m.Total != 30 || m.exist() != 27 || len(m.Asked) != 0 || m.Sync != nil || m.Timeline.count() != [3]int{27, 3, 3} {
		t.Errorf("of %d %d exist; timeline %v", m.Total, m.exist(), m.Timeline.count())
	}
	if len(m.Unknown) != 1 || m.Unknown[0].Due || m.Unknown[0].SettlesAt.Sub(*m.Unknown[0].SentAt) != 31*time.Minute {
		t.Errorf("unknown are %+v", m.Unknown)
	}
	if len(m.Failures) != 1 || m.Failures[0].Cause != "InvalidDBClusterId.NotFound" || m.Failures[0].Jobs != 2 || m.Failures[0].Words == "" || m.Failures[0].Next == "" {
		t.Errorf("failures are %+v", m.Failures)
	}
	wantIn(t, b.want(exitDone, "report", "bulk").stdout, "**27 of 30 jobs**", "the service was not asked", "InvalidDBClusterId.NotFound", "settles")

	b.eventually("jobs that failed on the service", func() bool {
		b.decode(b.want(exitDone, "report", "--refresh", "--rate", "0", "-o", "json"), &m)
		return len(m.Asked) == 1 && len(m.Failures) > 1
	})
	if m.Asked[0].Region != "cn-hangzhou" || m.Sync == nil || m.Jobs[0].Service == nil {
		t.Errorf("asked %+v, sync %+v", m.Asked, m.Sync)
	}
	r := b.want(exitDone, "report", "--refresh", "--html", "r.html", "--rate", "0")
	wantIn(t, r.stderr, "r.html is written")
	page, err := os.ReadFile(filepath.Join(b.dir, "r.html"))
	if err != nil {
		t.Fatal(err)
	}
	wantIn(t, string(page), "cn-hangzhou listed", string(standUnhealthy), "30 jobs", "Running jobs")
	for _, args := range [][]string{{"--html", "a", "-o", "csv"}, {"--html", ""}, {"-o", "pdf"}, {"--since", "x"}} {
		b.want(exitInvalid, append([]string{"report"}, args...)...)
	}
	b.want(exitFailure, "report", "nobody")
	b.want(exitLedger, "report", "--ledger", "none.db")
}

func (t timeline) count() [3]int {
	var n [3]int
	for _, b := range t.Buckets {
		n[0], n[1], n[2] = n[0]+b.Created, n[1]+b.Throttled, n[2]+b.Other
	}
	return n
}

// TestReportFile: it is private, replaces an ordinary file and nothing else, and
// follows no link.
func TestReportFile(t *testing.T) {
	b := newBench(t)
	b.seed(seed{name: "a", state: plan.StateRejected})
	path := filepath.Join(b.dir, "r.html")
	for range 2 {
		b.want(exitDone, "report", "--html", "r.html")
		if info, err := os.Lstat(path); err != nil || info.Mode() != 0o600 {
			t.Errorf("got %v, %v", info.Mode(), err)
		}
		if err := os.Chmod(path, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b.write("else.txt", "mine")
	if err := os.Symlink("else.txt", filepath.Join(b.dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{"link", ".", "/dev/null", "home/../link"} {
		_ = os.MkdirAll(filepath.Join(b.dir, "home"), 0o700)
		wantIn(t, b.want(exitFailure, "report", "-o", "csv", "--out", target).stderr, "ordinary file")
	}
	if content, err := os.ReadFile(filepath.Join(b.dir, "else.txt")); err != nil || string(content) != "mine" {
		t.Errorf("behind the link is %q, %v", content, err)
	}
	b.want(exitInvalid, "report", "--html", "nowhere/r.html")
	b.noDrafts(0)
}

func (b *bench) noDrafts(most int) {
	b.Helper()
	if left, _ := filepath.Glob(filepath.Join(b.dir, ".apsctl-report-*")); len(left) > most {
		b.Errorf("drafts are left: %v", left)
	}
}

// TestReportThatIsCutShortLeavesTheOldOne: on a full disk, and killed by a signal in
// the middle of writing. The ledger and the next run have no part in it.
func TestReportThatIsCutShortLeavesTheOldOne(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(400))
	b.want(exitDone, "apply", "--yes", "--rate", "0")
	b.want(exitDone, "report", "--html", "r.html")
	path := filepath.Join(b.dir, "r.html")
	old, err := os.ReadFile(path)
	if err != nil || len(old) < 60<<10 {
		t.Fatalf("%d bytes, %v", len(old), err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	limited := func(trap string) result {
		// 80 blocks of 512 bytes: enough to read the ledger, too little for the page.
		// Past that a write fails, or the signal kills.
		p := &process{Cmd: exec.Command("sh", "-c", trap+`ulimit -f 80; exec "$0" report --html r.html`, exe)}
		p.Dir, p.Env, p.Stdout, p.Stderr = b.dir, b.env, &p.out, &p.err
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		return p.result()
	}
	full := limited("trap '' XFSZ; ")
	if full.code != exitFailure || !strings.Contains(full.stderr, "left as it was") {
		t.Errorf("on a full disk: %s", full)
	}
	b.noDrafts(0)
	if killed := limited(""); killed.code == 0 {
		t.Errorf("nothing killed it: %s", killed)
	}
	b.noDrafts(1)
	if now, err := os.ReadFile(path); err != nil || string(now) != string(old) {
		t.Errorf("the old report is gone: %v", err)
	}
	b.want(exitDone, "ledger", "verify")
	b.want(exitDone, "apply", "--yes")
	b.want(exitDone, "report", "--html", "r.html")
}

// TestReportOfAnEmptyLedger: it is a report, of nothing.
func TestReportOfAnEmptyLedger(t *testing.T) {
	b := newBench(t)
	b.seed()
	wantIn(t, b.want(exitDone, "report").stdout, "0 of 0 jobs")
	wantIn(t, b.want(exitDone, "report", "-o", "html").stdout, "The ledger knows no job yet")
	b.want(exitDone, "report", "-o", "csv")
}

// TestTimeline: never more buckets than fit, none missing, and each attempt in one.
func TestTimeline(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, span := range []time.Duration{0, time.Second, 59 * time.Second, time.Hour, 36 * time.Hour, 400 * 24 * time.Hour, 40 * 365 * 24 * time.Hour} {
		var attempts []store.Attempt
		for i := range 101 {
			attempts = append(attempts, store.Attempt{UpdatedAt: start.Add(span * time.Duration(i) / 100), Outcome: plan.StateCreated})
		}
		attempts = append(attempts, store.Attempt{UpdatedAt: start, Outcome: plan.StateRejected, Code: "Throttling.User"},
			store.Attempt{UpdatedAt: start, Outcome: plan.StateUnknown})
		line := newTimeline(attempts)
		if len(line.Buckets) > bucketsMax || line.count() != [3]int{101, 1, 1} {
			t.Errorf("%s: %d buckets, %v", span, len(line.Buckets), line.count())
		}
		if c := newChart(line); len(c.Ticks) == 0 || c.Ticks[0].X < 0 || len(c.Bars) == 0 || c.Bars[len(c.Bars)-1].X > chartWidth {
			t.Errorf("%s: %+v", span, c)
		}
	}
	if newChart(newTimeline(nil)) != nil {
		t.Error("nothing has a picture")
	}
}

// TestStandsAreComplete: each state of the ledger and each class of the service
// has a stand that the report lists.
func TestStandsAreComplete(t *testing.T) {
	for _, state := range plan.States {
		for _, status := range []string{"", "Running", "Failed", "Suspended", "Initializing"} {
			j := jobStatus{Entry: plan.Entry{State: state}}
			if status != "" {
				j.asked, j.remote = true, &plan.RemoteJob{Status: status}
			}
			m := newMigration(reportFacts{jobs: []jobStatus{j}})
			if len(m.Stands) != 1 || m.Stands[0].Meaning == "" || m.Stands[0].Jobs != 1 {
				t.Errorf("%s, %q: %+v", state, status, m.Stands)
			}
			if bad := m.attention() > 0; bad != (len(m.Failures) == 1) || bad && m.Failures[0].Next == "" {
				t.Errorf("%s, %q: %+v", state, status, m.Failures)
			}
		}
	}
}
