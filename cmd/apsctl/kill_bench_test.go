package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// crashBinary returns apsctl with the crash points. With -short its tests are left out: it
// is built without the race detector, for which -short is meant.
func crashBinary(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("it runs a binary of its own")
	}
	path, err := buildCrashBinary()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

var buildCrashBinary = sync.OnceValues(func() (string, error) {
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

// wasKilled reports whether a run was ended by SIGKILL.
func (r result) wasKilled() bool { return strings.HasSuffix(r.stderr, syscall.SIGKILL.String()) }

// finish lets further runs, without faults, do what is left of the work.
func (c *killBench) finish() {
	c.Helper()
	if err := c.server.SetFaults(nil); err != nil {
		c.Fatal(err)
	}
	for try := 0; ; try++ {
		again := c.run("")
		if again.code == 0 {
			return
		}
		// A change may bear a date seconds ahead, one for each change of the same second,
		// and what has no answer is waited for until then.
		if again.code == exitLocked || again.wasKilled() || try == 20 {
			c.Fatalf("a run without faults, after %d others: %s", try, again)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// killBench is an emulator in this process, and a folder with a plan.
type killBench struct {
	*testing.T
	binary, dir, ledger string
	address             string
	server              *emulator.Server
	jobs                int
	flags               []string // of every apply, besides the usual ones
	unput               string   // the status of a job that the plan does not start or suspend
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
		T: t, binary: binary, dir: dir, ledger: filepath.Join(dir, "ledger.db"), unput: "NotStarted",
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
		state := ""
		if killStarts(i) {
			state = ", state: running"
		}
		fmt.Fprintf(&b, "  - {name: job-%d, source: {instance: pc-%d}%s}\n", i, i, state)
	}
	return b.String()
}

// killStarts reports whether the plan has job i started.
func killStarts(i int) bool { return i%2 == 0 }

// args are those of every apply of the bench.
func (c *killBench) args() []string {
	return append([]string{
		"apply", "--yes", "-o", "json", "--rate", "0", "--parallel", fmt.Sprint(killWorkers),
		"--settle", "400ms", "--ledger", c.ledger, "--endpoint", "http://" + c.address, "plan.yaml",
	}, c.flags...)
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

// entries is what the ledger has, by job name; nil where there is none yet.
func (c *killBench) entries() map[string]plan.Entry {
	c.Helper()
	ledger, err := store.OpenReadOnly(c.Context(), c.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		c.Fatal(err)
	}
	defer ledger.Close()
	entries, err := ledger.Entries(c.Context(), store.Filter{})
	if err != nil {
		c.Fatal(err)
	}
	byName := map[string]plan.Entry{}
	for _, e := range entries {
		byName[e.Name] = e
	}
	return byName
}

// checkAccounted holds the ledger of a killed run against the service.
func (c *killBench) checkAccounted(killed result) {
	c.Helper()
	jobs := c.onService() // first: what comes to be meanwhile is accounted for already
	accounts := c.entries()
	open := map[plan.State]int{}
	for _, e := range accounts {
		open[e.State]++
	}
	for _, job := range jobs {
		e := accounts[job.Name]
		if !e.State.Unresolved() && (e.State != plan.StateCreated || e.JobID != job.ID) {
			c.Fatalf("job %s exists as %s, and the ledger has it as %q %s: %s", job.Name, job.ID, e.State, e.JobID, killed)
		}
	}
	if open[plan.StateIntent] > killWorkers || open[plan.StateUnknown] > killFaults {
		c.Fatalf("%d jobs have no answer after a kill with %d workers, and %d have one that says nothing, after %d spoiled ones",
			open[plan.StateIntent], killWorkers, open[plan.StateUnknown], killFaults)
	}
}

// serviceJob is a job as the service has it.
type serviceJob struct {
	ID, Name, Status, Source string
	DBList                   string `json:"db_list"`
}

func (c *killBench) onService() []serviceJob {
	c.Helper()
	var jobs []serviceJob
	response, err := http.Get("http://" + c.address + "/_emulator/jobs")
	if err == nil {
		defer response.Body.Close()
		err = json.NewDecoder(response.Body).Decode(&jobs)
	}
	if err != nil {
		c.Fatal(err)
	}
	return jobs
}

// checkAgreed holds what the ledger has in the end against the service and the
// plan.
func (c *killBench) checkAgreed() {
	c.Helper()
	accounts := c.entries()
	for _, job := range c.onService() {
		e := accounts[job.Name]
		if e.State != plan.StateCreated || e.JobID != job.ID || e.Pending.IsSet() && !e.Pending.Confirmed {
			c.Errorf("job %s exists as %s, and the ledger has %q %s, pending %+v", job.Name, job.ID, e.State, e.JobID, e.Pending)
		}
		want := c.unput
		if e.Life.State != "" {
			want = map[plan.DesiredState]string{plan.Running: "Running", plan.Suspended: "Suspended"}[e.Life.State]
		}
		if job.Status != want {
			c.Errorf("job %s is %s, want %s", job.Name, job.Status, want)
		}
	}
}

// spoilReserve keeps disk space from being put by: a folder is in its place.
func (c *killBench) spoilReserve() {
	c.Helper()
	if err := os.MkdirAll(filepath.Join(c.ledger+".reserve", "x"), 0o700); err != nil {
		c.Fatal(err)
	}
}
