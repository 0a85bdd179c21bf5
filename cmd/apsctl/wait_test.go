package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

func (b *bench) waits(code int, args ...string) waitJSON {
	b.Helper()
	return b.waited(b.want(code, append(append([]string{"wait"}, args...), "-o", "json")...))
}

func (b *bench) waited(r result) waitJSON {
	b.Helper()
	var out waitJSON
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
	return out
}

// waitsInVain runs a wait that is over when it has looked once. How long that takes
// depends on the machine: a wait that saw nothing gets more.
func (b *bench) waitsInVain(args ...string) (r result) {
	b.Helper()
	for timeout := time.Second; timeout < 2*time.Minute; timeout *= 4 {
		r = b.want(exitLeft, append([]string{"wait", "--timeout", timeout.String()}, args...)...)
		if strings.Contains(r.stderr, "Running\n") { // what each look tells
			return r
		}
	}
	b.Fatalf("no wait saw anything: %s", r)
	return r
}

func TestWait(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1500ms")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", protect: true", ""))
	b.want(0, "apply", "--yes")
	r := b.want(0, "wait", "*", "--for", "running")
	if !strings.HasPrefix(r.stdout, "4 jobs running, after ") || !strings.Contains(r.stderr, "4 of 4 jobs running\n") {
		t.Errorf("wait: %s", r)
	}
	if got := b.waits(0, "team=a", "--for", "delay<=10s"); got.Met != 2 || got.Jobs[0].Remote.Status != "Running" {
		t.Errorf("delay: %+v", got)
	}
	b.life(0, "suspend", "a-0")
	if got := b.waits(0, "state=suspended", "--for", "suspended"); got.Met != 1 {
		t.Errorf("suspended: %+v", got)
	}
	b.life(0, "delete", "a-0")
	if got := b.waits(0, "a-0", "--for", "gone"); got.Met != 1 {
		t.Errorf("gone: %+v", got)
	}
	got := b.waited(b.waitsInVain("team=a", "--for", "gone", "-o", "json"))
	if got.Met != 1 || got.Waiting != 1 || got.ExitCode != exitLeft {
		t.Errorf("out of time: %+v", got)
	}
	r = b.waitsInVain("team=b", "--for", "suspended")
	if !strings.Contains(r.stdout, "2 jobs not there yet:\n  b-0  (plan life, aps-") || !strings.Contains(r.stdout, "Running, progress 100, delay ") ||
		!regexp.MustCompile(`waited for \w+: 0 of 2 jobs suspended \[E-WAIT-TIMEOUT\]`).MatchString(r.stderr) {
		t.Errorf("out of time: %s", r)
	}
	if n := c.stats().Actions["DescribeApsJobDetail"].Calls; n > 5 { // of apply, suspend and delete
		t.Errorf("%d details were asked for", n)
	}
}

// TestWaitShowsWhyAJobFailed: at once, with the service's message and the last
// logs of a bounded number of jobs.
func TestWaitShowsWhyAJobFailed(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1ms", "--fail-share", "1")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", state: running", "")+`
generate:
  - range: {from: 0, to: 5}
    job: {name: "c-${item}", source: {instance: "pc-c${item}"}}
`)
	b.want(0, "apply", "--yes")
	r := b.want(exitFailed, "wait", "*", "--for", "running")
	for _, text := range []string{
		"0 of 10 jobs running, after ", "10 jobs failed:\n  a-0  (plan life, aps-",
		"its status is InitializeFailed: The table orders.items has no primary key. [E-JOB-UNHEALTHY]\n      20",
		"Z ERROR FullDataSync: The table orders.items has no primary key.\n",
	} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("it does not say %q: %s", text, r)
		}
	}
	if n := c.stats().Actions["DescribeApsActionLogs"].Calls; n != logsAsked {
		t.Errorf("%d jobs were asked for their logs, want %d", n, logsAsked)
	}
	if got := b.waits(exitFailed, "a-1", "--for", "delay<=1m"); got.Failed != 1 || len(got.Jobs[0].Logs) != 1 || got.Jobs[0].Code != codeJobUnhealthy {
		t.Errorf("%+v", got)
	}
}

func TestWaitIsInterrupted(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1h")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", state: running", ""))
	b.want(0, "apply", "--yes")
	looks := func() int { return c.stats().Actions["DescribeApsJobs"].Calls }
	before := looks()
	p := b.start("wait", "*", "--for", "running")
	b.eventually("a look", func() bool { return looks() > before }) // and a pause follows
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if r := p.result(); r.code != exitInterrupted {
		t.Errorf("%s", r)
	}
}

func TestWaitRefusals(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms")
	b.write("apsctl.yaml", lifePlan)
	b.want(exitLedger, "wait", "*", "--for", "gone")
	b.want(0, "apply", "--yes")
	for _, one := range []struct {
		says string
		args []string
	}{
		{"needs to know which jobs", []string{"--for", "running"}},
		{"needs to know for what", []string{"*"}},
		{`not "healthy"`, []string{"*", "--for", "healthy"}},
		{`not "soon"`, []string{"*", "--for", "delay<=soon"}},
		{"--timeout is more than nothing", []string{"*", "--for", "gone", "--timeout", "0s"}},
		{"there is nothing to wait for", []string{"x-*", "--for", "gone"}},
		{"did you mean a-0", []string{"a-00", "--for", "gone"}},
	} {
		if r := b.want(exitInvalid, append([]string{"wait"}, one.args...)...); !strings.Contains(r.stderr, one.says) {
			t.Errorf("wait %v does not say %q: %s", one.args, one.says, r)
		}
	}
}
