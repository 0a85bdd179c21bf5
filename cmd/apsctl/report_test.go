package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/report"
	"github.com/apsctl/apsctl/plan"
)

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
	var m report.Report
	b.decode(b.want(exitDone, "report", "-o", "json"), &m)
	if m.Total != 30 || m.Exist() != 27 || len(m.Asked) != 0 || m.Sync != nil || counted(m) != [3]int{27, 3, 3} {
		t.Errorf("of %d %d exist; timeline %v", m.Total, m.Exist(), counted(m))
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
	wantIn(t, string(page), "cn-hangzhou listed", "failed on the service", "30 jobs", "Running jobs")
	for _, args := range [][]string{{"--html", "a", "-o", "csv"}, {"--html", ""}, {"-o", "pdf"}, {"--since", "x"}} {
		b.want(exitInvalid, append([]string{"report"}, args...)...)
	}
	b.want(exitFailure, "report", "nobody")
	b.want(exitLedger, "report", "--ledger", "none.db")
}

// counted adds up what the timeline has: created, throttled, other.
func counted(r report.Report) [3]int {
	var n [3]int
	for _, b := range r.Timeline.Buckets {
		n[0], n[1], n[2] = n[0]+b.Created, n[1]+b.Throttled, n[2]+b.Other
	}
	return n
}

// TestReportTellsOfJobsThatFailedBeforeTheLedgerKnewThem: a password that cannot be
// read leaves no entry, and the report says all the same that somebody is needed,
// until an apply got it done.
func TestReportTellsOfJobsThatFailedBeforeTheLedgerKnewThem(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", strings.Replace(planOf(4), "{instance: pc-000}", "{instance: pc-000, user: u, password: {file: password}}", 1))
	b.want(exitLeft, "apply", "--yes", "--parallel", "1", "--max-failures", "0")
	text := b.want(exitDone, "report").stdout
	wantIn(t, text, "**1 job failed in the last apply** `could not be prepared`", "`job-0000`", "mend that",
		"**3 jobs not tried by the last apply** `the failure cap was passed`", "run apply again", "**4 jobs to look at:**")
	if strings.Contains(text, "Nothing needs you") {
		t.Errorf("nobody is needed in\n%s", text)
	}
	wantIn(t, b.want(exitDone, "report", "-o", "html").stdout, "<strong>4 jobs</strong> need somebody")
	var r report.Report
	b.decode(b.want(exitDone, "report", "-o", "json"), &r)
	if len(r.Failures) != 2 || r.Failures[1].Names[0] != "job-0000" || r.Failures[1].Words == "" {
		t.Errorf("failures are %+v", r.Failures)
	}
	b.write("password", "hunter2")
	b.want(exitDone, "apply", "--yes")
	wantIn(t, b.want(exitDone, "report").stdout, "**4 of 4 jobs**", "Nothing needs you.")
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

// TestReportAdvice: each next step that the report takes from the table of errors is
// there.
func TestReportAdvice(t *testing.T) {
	a := reportAdvice()
	steps := append(slices.Collect(maps.Values(a.Refused)), a.Unhealthy, a.NotTried, a.Person, a.NotSent)
	if len(a.Refused) != 5 || slices.Contains(steps, "") {
		t.Errorf("got %+v", a)
	}
}
