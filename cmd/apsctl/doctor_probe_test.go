package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// probeArgs measure with waits that suit a test.
var probeArgs = []string{"doctor", "--probe", "--region", "cn-hangzhou", "--source", "pc-1", "--destination", "amv-1", "--wait", "5s"}

func TestProbeWritesATable(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--name-filter", "exact", "--initializing", "100ms")
	r := b.want(exitDone, append(probeArgs, "--yes", "-o", "json", "--out", "measured.md")...)
	var out probeJSON
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out.Region != "cn-hangzhou" || out.Creates != 3 || len(out.Left) > 0 || out.MeasuredAt.IsZero() {
		t.Errorf("%v in %s", err, r)
	}
	page, err := os.ReadFile(filepath.Join(b.dir, "measured.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| How does ApsJobName narrow a listing? | `exact` |", "| Does a new job start by itself? | `yes` |",
		"Measured on " + out.MeasuredAt.UTC().Format("2006-01-02 15:04"),
	} {
		if !strings.Contains(string(page), want) {
			t.Errorf("no %q in\n%s", want, page)
		}
	}
	if s := cloud.stats(); s.Jobs != 0 {
		t.Errorf("%d jobs are left", s.Jobs)
	}
	if !strings.Contains(r.stderr, "They cost") {
		t.Errorf("no warning: %s", r)
	}
	if r := b.want(exitLimit, append(probeArgs, "--yes", "--out", "measured.md")...); cloud.creates() != 3 {
		t.Errorf("a table was to be replaced: %s", r)
	}
}

func TestProbeAsksFirst(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	for _, args := range [][]string{
		probeArgs, append(probeArgs, "--yes", "plan.yaml"), {"doctor", "--probe", "--yes"}, append(probeArgs, "--yes", "--db-list", "x"),
		append(probeArgs, "--yes", "--region", "cn-shanghai"), {"doctor", "--source", "pc-1"}, append(probeArgs, "--yes", "--wait", "0s"),
	} {
		b.want(exitInvalid, args...)
	}
	if n := cloud.creates(); n > 0 {
		t.Errorf("%d creates without a yes", n)
	}
}

// TestProbeThatIsInterruptedCleansUp before it ends.
func TestProbeThatIsInterruptedCleansUp(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--needs-start")
	p := b.start(append(probeArgs, "--yes", "--wait", "1m")...)
	b.eventually("the jobs", func() bool { return cloud.creates() >= 2 })
	_ = p.Process.Signal(syscall.SIGINT)
	r := p.result()
	if r.code != exitInterrupted || cloud.stats().Jobs != 0 {
		t.Errorf("%d jobs are left: %s", cloud.stats().Jobs, r)
	}
	b.want(exitDone, append(probeArgs, "--yes")...)
}

// TestProbeThatIsKilledIsCleanedUpLater, and no other begins before that.
func TestProbeThatIsKilledIsCleanedUpLater(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--needs-start")
	p := b.start(append(probeArgs, "--yes", "--wait", "1m")...)
	b.eventually("the jobs", func() bool { return cloud.creates() >= 2 })
	if r := b.want(exitLocked, "doctor", "--probe", "--clean"); cloud.stats().Jobs == 0 {
		t.Errorf("the jobs of a live probe were deleted: %s", r)
	}
	_ = p.Process.Kill()
	_ = p.result()
	jobs := cloud.stats().Jobs
	r := b.want(exitUnknown, append(probeArgs, "--yes")...)
	line := regexp.MustCompile(`apsctl doctor --probe --clean[^\[]*`).FindString(r.stderr)
	if !strings.Contains(r.stderr, string(codeProbeLeft)) || line == "" || cloud.stats().Jobs != jobs || jobs == 0 {
		t.Fatalf("%d jobs, then %d: %s", jobs, cloud.stats().Jobs, r)
	}
	b.emulatorKey("other")
	if r := b.want(exitDenied, "doctor", "--probe", "--clean"); cloud.stats().Jobs != jobs {
		t.Errorf("cleaned with another key: %s", r)
	}
	b.emulatorKey("emulator")
	if r := b.shell(exitDone, line); cloud.stats().Jobs != 0 {
		t.Errorf("%d jobs are left: %s", cloud.stats().Jobs, r)
	}
	if r := b.shell(exitDone, line+" -o json"); !strings.Contains(r.stdout, `"looked_for": 0`) {
		t.Error(r)
	}
}

func (b *bench) emulatorKey(secret string) { b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", secret) }

// TestProbeTellsWhatItLeaves by name and id, with the command that deletes it.
func TestProbeTellsWhatItLeaves(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "100ms")
	cloud.setFaults("- {operation: DeleteApsJob, kind: status, status: 400, code: IncorrectDBInstanceState}\n")
	r := b.want(exitUnknown, append(probeArgs, "--yes", "--endpoint", cloud.address)...)
	if named := regexp.MustCompile(`left: apsctl-probe-[a-z0-9]+-ab? \(aps-[a-z0-9]+\)`).FindAllString(r.stderr, -1); len(named) != 3 {
		t.Errorf("%d are named: %s", len(named), r)
	}
	cloud.setFaults("")
	line := regexp.MustCompile(`apsctl doctor --probe --clean[^\[]*`).FindString(r.stderr)
	if b.shell(exitDone, line); cloud.stats().Jobs != 0 {
		t.Errorf("%s left %d jobs", line, cloud.stats().Jobs)
	}
}

func TestProbeOfARefusedKey(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	cloud.setFaults("- {operation: CreateAPSJob, kind: status, status: 403, code: Forbidden.RAM}\n")
	r := b.want(exitDenied, append(probeArgs, "--yes")...)
	if !strings.Contains(r.stdout, "| How does ApsJobName narrow a listing? | `not measured` |") || !strings.Contains(r.stdout, "`15m0s`") {
		t.Error(r)
	}
	if left, _ := filepath.Glob(filepath.Join(b.dir, ".apsctl", "probe.ndjson")); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}
