package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

var killSeeds = flag.Int("kill.seeds", 5, "kills at each point for each outcome")

// crashBinary builds apsctl with the crash points, once for all tests.
var crashBinary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "apsctl-kill-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "apsctl")
	out, err := exec.Command("go", "build", "-tags", "crashpoints", "-o", path, ".").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

// outcomes are what may have become of the requests of the run that is killed.
var outcomes = map[string]emulator.Options{
	// Answered with a server error, and nothing was done.
	"absent": {Faults: []emulator.Fault{{Operation: "CreateAPSJob", Kind: emulator.FaultStatus, When: emulator.Before, Count: 2}}},
	// Done; half of the answers are spoiled all the same.
	"present": {Faults: []emulator.Fault{{Operation: "CreateAPSJob", Kind: emulator.FaultStatus, When: emulator.After, Share: 0.5, Count: 2}}},
	// Done a while after the process died.
	"late": {Latency: 60 * time.Millisecond, ListLag: 100 * time.Millisecond},
}

// TestKilledAtEachPoint kills the real program with SIGKILL at each named point,
// with the job absent, present or late, and runs it again: every job exists
// exactly once at the end, no more jobs are unknown after the kill than there
// are workers, and none exists that the ledger does not account for.
func TestKilledAtEachPoint(t *testing.T) {
	if raceEnabled {
		*killSeeds = min(*killSeeds, 1)
	}
	binary, err := crashBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, point := range crashpoint.Points {
		if point == crashpoint.CreatedUnsaved {
			continue // no kill: see TestFullDiskAtTheCommitOfACreatedJob
		}
		for outcome := range outcomes {
			t.Run(fmt.Sprintf("%s/%s", point, outcome), func(t *testing.T) {
				t.Parallel()
				var struck atomic.Int64
				t.Run("seeds", func(t *testing.T) {
					for seed := range *killSeeds {
						t.Run(fmt.Sprint(seed), func(t *testing.T) {
							t.Parallel()
							if killOnce(t, binary, point, outcome, seed) {
								struck.Add(1)
							}
						})
					}
				})
				if struck.Load() == 0 && !unreachable[string(point)+"/"+outcome] {
					t.Errorf("no run reached this point")
				}
			})
		}
	}
}

// unreachable are the points that a run with that outcome does not come to.
var unreachable = map[string]bool{
	// Nothing is left without an answer.
	"20-look-begun/late": true, "04-unknown-settled/late": true,
}

const (
	killWorkers = 2
	killFaults  = 2 // answers that are spoiled besides
)

// nth is the occurrence of point that a seed kills at: those that come once in a
// run have one.
func nth(point crashpoint.Point, seed int) int {
	if point >= crashpoint.SecretRead && point <= crashpoint.VerdictDone {
		return 1 + seed%3
	}
	return 1
}

// killOnce kills one run and lets others finish its work. It reports whether the
// run came to the point.
func killOnce(t *testing.T, binary string, point crashpoint.Point, outcome string, seed int) bool {
	t.Helper()
	options := outcomes[outcome]
	options.Seed = uint64(seed + 1)
	c := newKillBench(t, binary, options)
	defer c.close()
	killed := c.run(fmt.Sprintf("%s=%s:%d", crashpoint.Variable, point, nth(point, seed)))
	c.checkAccounted(killed)
	if err := c.server.SetFaults(nil); err != nil {
		t.Fatal(err)
	}
	for try := 0; ; try++ {
		again := c.run("")
		if again.code == exitLocked || strings.Contains(again.stderr, "SIGKILL") {
			t.Fatalf("seed %d: the next run: %s", seed, again)
		}
		if again.code == 0 {
			break
		}
		if try == 4 {
			t.Fatalf("seed %d: it does not come to an end: %s", seed, again)
		}
		time.Sleep(200 * time.Millisecond)
	}
	if s := c.server.Stats(); s.Jobs != c.jobs || s.Duplicates != 0 || s.Creates != c.jobs {
		t.Fatalf("seed %d: the service made %d jobs for %d, %d duplicates", seed, s.Creates, c.jobs, s.Duplicates)
	}
	return strings.Contains(killed.stderr, "killed")
}

// killBench is an emulator in this process, and a folder with a plan.
type killBench struct {
	*testing.T
	binary, dir, ledger string
	address             string
	server              *emulator.Server
	jobs                int
	close               func()
}

func newKillBench(t *testing.T, binary string, options emulator.Options) *killBench {
	t.Helper()
	server, err := emulator.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(ctx, listener)
	}()
	dir := t.TempDir()
	c := &killBench{
		T: t, binary: binary, dir: dir, ledger: filepath.Join(dir, "ledger.db"),
		address: listener.Addr().String(), server: server, jobs: 5,
		close: func() { cancel(); <-done; _ = server.Close() },
	}
	if err := os.WriteFile(filepath.Join(dir, "plan.yaml"), []byte(killPlan(c.jobs)), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// killPlan has jobs with a password, and with objects that fill more than one
// write of the connection.
func killPlan(n int) string {
	var b strings.Builder
	b.WriteString("version: 1\nname: kill\nregion: cn-hangzhou\ndefaults:\n  source: {user: u, password: {env: KILL_PASSWORD}}\n" +
		"  destination: {instance: amv-1}\n  db_list:\n")
	for i := range 300 {
		fmt.Fprintf(&b, "    table_%03d: {name: table_%03d, all: true}\n", i, i)
	}
	b.WriteString("jobs:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {name: job-%d, source: {instance: pc-%d}}\n", i, i)
	}
	return b.String()
}

// args are those of every apply of the bench.
func (c *killBench) args() []string {
	return []string{
		"apply", "--yes", "-o", "json", "--rate", "0", "--parallel", fmt.Sprint(killWorkers),
		"--settle", "400ms", "--ledger", c.ledger, "--endpoint", "http://" + c.address, "plan.yaml",
	}
}

// run runs apply once, with one more variable in its environment.
func (c *killBench) run(variable string) result {
	c.Helper()
	return c.execute(exec.Command(c.binary, c.args()...), variable)
}

func (c *killBench) execute(cmd *exec.Cmd, variable string) result {
	c.Helper()
	return c.begin(cmd, variable)()
}

// begin starts cmd and returns a function that waits for its end.
func (c *killBench) begin(cmd *exec.Cmd, variable string) (wait func() result) {
	c.Helper()
	cmd.Dir = c.dir
	cmd.Env = []string{
		"HOME=" + c.dir, "PATH=" + os.Getenv("PATH"), "KILL_PASSWORD=kill-password", variable,
		"ALIBABA_CLOUD_ECS_METADATA_DISABLED=true", "ALIBABA_CLOUD_CLI_PROFILE_DISABLED=true",
		"ALIBABA_CLOUD_ACCESS_KEY_ID=emulator", "ALIBABA_CLOUD_ACCESS_KEY_SECRET=emulator",
	}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	return func() result {
		err := cmd.Wait()
		r := result{0, stdout.String(), stderr.String()}
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			r.code = exit.ExitCode()
			if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
				r.stderr += status.Signal().String()
			}
		} else if err != nil {
			c.Fatal(err)
		}
		return r
	}
}

// checkAccounted holds the ledger of a killed run against the service.
func (c *killBench) checkAccounted(killed result) {
	c.Helper()
	ledger, err := store.OpenReadOnly(c.Context(), c.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		if n := c.server.Stats().Creates; n != 0 {
			c.Fatalf("%d jobs exist and there is no ledger", n)
		}
		return
	}
	if err != nil {
		c.Fatalf("after %s: %v", killed, err)
	}
	defer ledger.Close()
	entries, err := ledger.Entries(c.Context(), store.Filter{})
	if err != nil {
		c.Fatal(err)
	}
	covered, unresolved := 0, 0
	for _, e := range entries {
		if e.State.Unresolved() {
			unresolved++
		}
		if e.State.Unresolved() || e.State == plan.StateCreated {
			covered++
		}
	}
	if n := c.server.Stats().Creates; n > covered {
		c.Fatalf("%d jobs exist and the ledger accounts for %d: %s", n, covered, killed)
	}
	if strings.Contains(killed.stderr, "killed") && unresolved > killWorkers+killFaults {
		c.Fatalf("%d jobs are unknown after a kill with %d workers and %d spoiled answers", unresolved, killWorkers, killFaults)
	}
}

// TestFullDiskAtTheCommitOfACreatedJob: nothing more is sent, the job is saved
// with the room that was put by or else named in the emergency line, and the
// next run ends clean.
func TestFullDiskAtTheCommitOfACreatedJob(t *testing.T) {
	t.Parallel()
	binary, err := crashBinary()
	if err != nil {
		t.Fatal(err)
	}
	for _, reserve := range []bool{true, false} {
		t.Run(fmt.Sprintf("reserve=%v", reserve), func(t *testing.T) {
			c := newKillBench(t, binary, emulator.Options{})
			defer c.close()
			if !reserve { // a folder in its place cannot be given back
				if err := os.MkdirAll(filepath.Join(c.ledger+".reserve", "x"), 0o700); err != nil {
					t.Fatal(err)
				}
			}
			full := c.run(crashpoint.Variable + "=" + string(crashpoint.CreatedUnsaved))
			sent := c.server.Stats().Creates
			if full.code != exitLedger || sent > killWorkers {
				t.Fatalf("%d jobs were created: %s", sent, full)
			}
			line, err := os.ReadFile(c.ledger + ".emergency")
			if said := strings.Contains(string(line), "aps_job_id") && strings.Contains(full.stderr, "run apply again"); said == reserve {
				t.Errorf("with reserve %v the emergency line is %q (%v): %s", reserve, line, err, full)
			}
			if next := c.run(""); next.code != 0 {
				t.Errorf("the next run: %s", next)
			}
			if s := c.server.Stats(); s.Creates != c.jobs {
				t.Errorf("%d jobs were created for %d", s.Creates, c.jobs)
			}
		})
	}
}

// TestCrashPointsLeaveNoTraceInANormalBuild looks for them in the binary.
func TestCrashPointsLeaveNoTraceInANormalBuild(t *testing.T) {
	t.Parallel()
	binary, err := crashBinary()
	if err != nil {
		t.Fatal(err)
	}
	normal := filepath.Join(t.TempDir(), "apsctl")
	if out, err := exec.Command("go", "build", "-o", normal, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path, want := range map[string]bool{binary: true, normal: false} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sign := range []string{crashpoint.Variable, string(crashpoint.IntentCommitted), "internal/crashpoint"} {
			if strings.Contains(string(content), sign) != want {
				t.Errorf("%s: %q is in the binary: %v", filepath.Base(path), sign, !want)
			}
		}
	}
}
