package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

const quickstart = "../../examples/quickstart.yaml"

// copyExample puts an example into the bench's folder.
func (b *bench) copyExample(path string) string {
	b.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	b.write(filepath.Base(path), string(text))
	return filepath.Base(path)
}

func TestQuickstartCreatesEveryJobThenHasNothingToDo(t *testing.T) {
	b := newBench(t)
	file := b.copyExample(quickstart)
	first := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", file))
	if first.Counts.Planned < 10 || first.Counts.Created != first.Counts.Planned || first.Requests != first.Counts.Planned {
		t.Errorf("the first apply did %+v with %d requests", first.Counts, first.Requests)
	}
	second := b.want(0, "apply", "--emulator", "--yes", file)
	if !strings.Contains(second.stdout, "Nothing to do: the ledger has all ") {
		t.Errorf("the second apply says %s", second)
	}
	third := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", file))
	if third.Requests != 0 || third.Counts.Kept != first.Counts.Planned {
		t.Errorf("the third apply did %+v with %d requests", third.Counts, third.Requests)
	}
}

func TestPlanLeavesNothingBehindAndTellsChangesByItsExitCode(t *testing.T) {
	b := newBench(t)
	file := b.copyExample(quickstart)
	b.want(2, "plan", "--emulator", "--detailed-exitcode", file)
	b.want(0, "plan", "--emulator", file)
	wantIn(t, b.want(0, "plan", file).stderr, "no ledger at "+ledgerDefault+" yet: everything counts as not created")
	wantIn(t, b.want(0, "status").stderr, "no ledger at "+ledgerDefault+" yet")
	wantIn(t, b.want(exitLedger, "status", "--ledger", "missing.db").stderr, "does not exist")
	if left, _ := os.ReadDir(b.dir); len(left) != 1 {
		t.Errorf("plan left %v", left)
	}
	b.want(0, "apply", "--emulator", "--yes", file)
	if r := b.want(0, "plan", "--emulator", "--detailed-exitcode", file); r.stderr != "" {
		t.Errorf("with a ledger: %s", r)
	}
}

// TestThousandJobsThroughASickService is the whole promise at once: a quota,
// lost answers and server errors, and each job exists exactly once at the end.
func TestThousandJobsThroughASickService(t *testing.T) {
	b := newBench(t)
	b.write("faults.yaml", `
- {operation: CreateAPSJob, kind: drop, when: after, share: 0.05}
- {operation: CreateAPSJob, kind: status, status: 500, when: before, share: 0.025}
- {operation: CreateAPSJob, kind: status, status: 500, when: after, share: 0.025}
`)
	cloud := b.emulator("--quota", "50", "--faults", "faults.yaml")
	b.write("bulk.yaml", planOf(1000))
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--rate", "0", "--settle", "2s", "bulk.yaml"))
	if a.Counts.Created != 1000 || a.Counts.Unknown != 0 {
		t.Errorf("counts are %+v", a.Counts)
	}
	s := cloud.stats()
	if s.Jobs != 1000 || s.Duplicates != 0 {
		t.Errorf("the service has %d jobs, %d duplicates", s.Jobs, s.Duplicates)
	}
	calls, throttled := 0, 0
	for _, action := range s.Actions {
		calls += action.Calls
		throttled += action.Throttled
	}
	if throttled*20 >= calls && !raceEnabled { // which makes answers late, and what is learnt of them
		t.Errorf("%d of %d calls were throttled", throttled, calls)
	}
	t.Logf("%d creates for 1,000 jobs, %d of %d calls throttled, %d ms", a.Requests, throttled, calls, a.ElapsedMs)
}

func TestKilledTenTimesEveryJobExistsOnce(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "20ms")
	b.write("bulk.yaml", planOf(400))
	args := []string{"apply", "--yes", "-o", "json", "--rate", "0", "--parallel", "4", "--settle", "1s", "bulk.yaml"}
	random := rand.New(rand.NewPCG(7, 7))
	var before []string
	for kill := range 10 {
		p := b.start(args...)
		jobs := cloud.stats().Jobs
		b.eventually("progress before the kill", func() bool { return cloud.stats().Jobs > jobs })
		time.Sleep(time.Duration(random.IntN(100)) * time.Millisecond)
		_ = p.Process.Kill()
		_ = p.Wait()
		// Some of an earlier kill may still wait for the proof of their absence.
		now := b.unresolved()
		added := slices.DeleteFunc(slices.Clone(now), func(attempt string) bool { return slices.Contains(before, attempt) })
		if len(added) > 4 {
			t.Errorf("kill %d added %d unknown jobs, with 4 workers: %v", kill, len(added), added)
		}
		before = now
	}
	time.Sleep(time.Second) // what the last kill left is settled by now
	a := b.applied(b.want(0, args...))
	if s := cloud.stats(); a.Counts.Created+a.Counts.Kept != 400 || s.Jobs != 400 || s.Duplicates != 0 {
		t.Errorf("counts are %+v, and the service has %d jobs, %d duplicates", a.Counts, s.Jobs, s.Duplicates)
	}
}

// unresolved are the attempts whose outcome the ledger does not know.
func (b *bench) unresolved() (attempts []string) {
	b.Helper()
	var status statusJSON
	if err := json.Unmarshal([]byte(b.want(0, "status", "-o", "json").stdout), &status); err != nil {
		b.Fatal(err)
	}
	for _, job := range status.Jobs {
		if job.State.Unresolved() {
			attempts = append(attempts, fmt.Sprintf("%s, attempt %d", job.Name, job.Attempts))
		}
	}
	return attempts
}

func TestSecondApplyIsTurnedAwayAndToldWhoIsAtWork(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(1))
	cloud.setFaults("[{operation: CreateAPSJob, kind: hang, hold: 1h}]") // the first is at work for as long as the test needs
	first := b.start("apply", "--yes", "bulk.yaml")
	b.eventually("the first apply to create", func() bool { return cloud.creates() > 0 })
	start := time.Now()
	b.want(exitDone, "version")
	usual := time.Since(start)
	start = time.Now()
	second := b.want(exitLocked, "apply", "--yes", "bulk.yaml")
	// A second is promised on a quiet machine; this one runs other tests too, and what
	// any process takes on it says how slow it is.
	if took := time.Since(start); took > 4*time.Second+10*usual {
		t.Errorf("it took %s to say so, and to say the version %s", took, usual)
	}
	if !strings.Contains(second.stderr, fmt.Sprint(first.Process.Pid)) {
		t.Errorf("it does not name the holder: %s", second)
	}
	_ = first.Process.Kill()
}

func TestWrongSecretStopsAtOnce(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "not-the-secret")
	b.write("bulk.yaml", planOf(50))
	r := b.want(exitDenied, "apply", "--yes", "bulk.yaml")
	if n := cloud.creates(); n != 0 {
		t.Errorf("%d creates got through", n)
	}
	if strings.Contains(r.stdout+r.stderr, "not-the-secret") {
		t.Errorf("the secret is shown: %s", r)
	}
}

func TestAnotherAccountIsRefused(t *testing.T) {
	b := newBench(t)
	b.emulator("--key", "other:othersecret:1234567890123456")
	b.write("bulk.yaml", planOf(3))
	b.want(0, "apply", "--yes", "bulk.yaml")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "other")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "othersecret")
	b.want(exitLedger, "apply", "--yes", "bulk.yaml")
	b.want(exitLedger, "status", "--refresh")
}

func TestSIGTERMDrains(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "200ms")
	b.write("bulk.yaml", planOf(100))
	p := b.start("apply", "--yes", "-o", "json", "--rate", "0", "--parallel", "4", "bulk.yaml")
	b.eventually("some creates", func() bool { return cloud.creates() > 4 })
	_ = p.Process.Signal(syscall.SIGTERM)
	r := p.result()
	a := b.applied(r)
	if r.code != exitInterrupted || a.Counts.Unknown != 0 || a.Counts.Created != cloud.stats().Jobs || a.Counts.NotTried != 100-a.Counts.Created {
		t.Errorf("after SIGTERM: %s", r)
	}
	b.want(0, "apply", "--yes", "bulk.yaml")
	if s := cloud.stats(); s.Jobs != 100 || s.Duplicates != 0 {
		t.Errorf("the service has %d jobs, %d duplicates", s.Jobs, s.Duplicates)
	}
}

// A signal before anything was sent is an interrupt and no trouble of the network,
// whatever call it cuts off.
func TestSIGTERMBeforeTheFirstCreate(t *testing.T) {
	for _, command := range [][]string{{"apply", "--yes"}, {"resolve"}} {
		for _, operation := range []string{"GetCallerIdentity", "DescribeApsJobs"} {
			t.Run(command[0]+"/"+operation, func(t *testing.T) {
				b := newBench(t)
				cloud := b.emulator()
				b.seed(seed{name: "job-0000", state: plan.StateUnknown})
				b.write("bulk.yaml", planOf(2))
				cloud.setFaults(fmt.Sprintf("[{operation: %s, kind: hang, when: before}]", operation))
				p := b.start(append(command, "bulk.yaml")...)
				b.eventually("the call", func() bool { return cloud.stats().Actions[operation].Calls > 0 })
				_ = p.Process.Signal(syscall.SIGTERM)
				r := p.result()
				if r.code != exitInterrupted || strings.Contains(r.stderr, "network") {
					t.Errorf("after SIGTERM: %s", r)
				}
				wantIn(t, r.stderr, "interrupted before anything was changed")
			})
		}
	}
}

func TestHangupDrainsAndALostReaderDoesNotEndTheRun(t *testing.T) {
	b := newBench(t)
	gate := b.emulator().gate(4)
	b.write("bulk.yaml", planOf(40))
	p := b.start("apply", "--yes", "-o", "json", "--rate", "0", "--parallel", "4", "--events", "events.ndjson", "bulk.yaml")
	b.eventually("creates on the wire", func() bool { return gate.held.Load() == 4 })
	_ = p.Process.Signal(syscall.SIGPIPE)
	_ = p.Process.Signal(syscall.SIGHUP)
	b.eventually("the run to drain", func() bool { return b.stopping("events.ndjson") })
	gate.open()
	r := p.result()
	if a := b.applied(r); r.code != exitInterrupted || a.Counts.Unknown != 0 || a.Counts.Created != 8 {
		t.Errorf("after SIGPIPE and SIGHUP: %s", r)
	}
}

func TestMistakesOnTheCommandLineExitTen(t *testing.T) {
	b := newBench(t)
	b.write("bulk.yaml", planOf(1))
	for _, args := range [][]string{
		{"aply"}, {"apply", "--nope"}, {"apply", "--yes", "a", "b"}, {"apply", "--yes", "missing.yaml"},
		{"apply", "--yes", "--parallel", "0", "bulk.yaml"}, {"apply", "--yes", "--endpoint", "http://example.com", "bulk.yaml"},
		{"apply", "--yes", "--emulator", "--endpoint", "http://127.0.0.1:1", "bulk.yaml"},
		{"apply", "--yes", "--settle", "1s", "--endpoint", "https://adb.example.com", "bulk.yaml"},
		{"emulator", "--quota", "-3"}, {"emulator", "--name-filter", "foo"}, {"emulator", "--listen", "0.0.0.0:0"}, {"plan", "-o", "xml"},
	} {
		if r := b.want(exitInvalid, args...); r.stderr == "" || r.stdout != "" {
			t.Errorf("%v: %s", args, r)
		}
	}
}

func TestSecondSignalLeavesAtOnce(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(20))
	cloud.setFaults(`[{operation: CreateAPSJob, kind: hang, when: after}]`)
	p := b.start("apply", "--yes", "-o", "json", "--parallel", "4", "bulk.yaml")
	b.eventually("hanging creates", func() bool { return cloud.stats().Jobs == 4 })
	_ = p.Process.Signal(syscall.SIGINT)
	time.Sleep(50 * time.Millisecond)
	_ = p.Process.Signal(syscall.SIGINT)
	r := p.result()
	if a := b.applied(r); r.code != exitInterrupted || a.Counts.Unknown != 4 {
		t.Errorf("after the second signal: %s", r)
	}
	cloud.setFaults("")
	b.want(0, "apply", "--yes", "bulk.yaml")
	if s := cloud.stats(); s.Jobs != 20 || s.Duplicates != 0 {
		t.Errorf("the service has %d jobs, %d duplicates", s.Jobs, s.Duplicates)
	}
}

func TestWithoutATerminalYesIsRequired(t *testing.T) {
	b := newBench(t)
	b.write("bulk.yaml", planOf(1))
	r := b.want(exitInvalid, "apply", "--emulator", "bulk.yaml")
	if !strings.Contains(r.stderr, "--yes") {
		t.Errorf("it does not say what to do: %s", r)
	}
}

func TestMaxCreateRefusesBeforeAnythingIsSent(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(12))
	r := b.want(exitLimit, "apply", "--yes", "--max-create", "10", "bulk.yaml")
	if !strings.Contains(r.stderr, "--max-create 12") || cloud.creates() != 0 {
		t.Errorf("%d creates were sent; %s", cloud.creates(), r)
	}
}

func TestEmulatedTrialLeavesTheRealLedgerAlone(t *testing.T) {
	b := newBench(t)
	b.setenv(ledgerVariable, filepath.Join(b.dir, "real.db"))
	b.write("bulk.yaml", planOf(2))
	b.want(0, "apply", "--emulator", "--yes", "bulk.yaml")
	if _, err := os.Stat(filepath.Join(b.dir, "real.db")); err == nil {
		t.Error("the trial made the real ledger")
	}
}

func TestStatusShowsWhatTheServiceTells(t *testing.T) {
	b := newBench(t)
	b.write("bulk.yaml", planOf(2))
	b.want(0, "apply", "--emulator", "--yes", "bulk.yaml")
	var status statusJSON
	r := b.want(0, "status", "--emulator", "--refresh", "-o", "json")
	if err := json.Unmarshal([]byte(r.stdout), &status); err != nil || len(status.Jobs) != 2 {
		t.Fatalf("%v: %s", err, r)
	}
	if job := status.Jobs[0]; job.State != plan.StateCreated || job.Remote == nil || !job.Remote.Listed || job.Remote.Status == "" {
		t.Errorf("the first job is %+v", job)
	}
}

// TestPlanFileCutInTheMiddleIsRefused: a file that lost its end is still a valid
// plan, and must not be taken for the wish to have fewer jobs.
func TestPlanFileCutInTheMiddleIsRefused(t *testing.T) {
	b := newBench(t)
	c := b.emulator()
	text := planOf(40)
	b.write("plan.yaml", text)
	b.want(0, "apply", "--yes", "plan.yaml")
	before := c.stats()
	// After a whole job: nothing else tells that the file was cut.
	cut := strings.Index(text, "  - name: job-0020\n")
	b.write("plan.yaml", text[:cut])
	for _, allow := range [][]string{nil, {"--allow", "delete", "--max-delete", "none"}} {
		r := b.want(exitLimit, append([]string{"apply", "--yes", "plan.yaml"}, allow...)...)
		wantIn(t, r.stderr, "20 of the 40 jobs that exist left the plan")
		wantIn(t, r.stderr, "--max-removed 20 allows it")
	}
	b.write("plan.yaml", text[:strings.Index(text, "  - name: job-0000\n")]+"  []\n")
	wantIn(t, b.want(exitLimit, "apply", "--yes", "plan.yaml").stderr, "40 of the 40 jobs")
	after := c.stats()
	for action, n := range after.Actions {
		changes := !strings.HasPrefix(action, "Describe") && action != "GetCallerIdentity"
		if changes && n.Calls != before.Actions[action].Calls {
			t.Errorf("%s was sent", action)
		}
	}
	b.want(0, "apply", "--yes", "--max-removed", "20", "plan.yaml", "--max-removed", "40")
}
