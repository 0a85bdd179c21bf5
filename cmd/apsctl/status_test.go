package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

func (b *bench) statusOf(args ...string) (out statusJSON) {
	b.Helper()
	b.decode(b.want(0, append(append([]string{"status"}, args...), "-o", "json")...), &out)
	return out
}

func TestStatusOfSomeJobs(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1ms", "--fail-share", "1")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", state: running", ""))
	b.want(0, "apply", "--yes")
	if got := b.statusOf("team=a"); len(got.Jobs) != 2 || got.Jobs[0].Name != "a-0" || got.Jobs[0].Remote != nil {
		t.Errorf("by label: %+v", got)
	}
	if got := b.statusOf("--plan", "life", "*-0", "--exclude", "b-*"); len(got.Jobs) != 1 {
		t.Errorf("by pattern: %+v", got)
	}
	if n := c.stats().Actions["DescribeApsJobs"].Calls; n > 2 { // of apply
		t.Errorf("the service was asked %d times", n)
	}
	b.life(0, "suspend", "a-1")
	failed := b.statusOf("state=failed")
	if len(failed.Jobs) != 3 || failed.Jobs[0].Remote.Status != "InitializeFailed" || len(failed.Jobs[0].Logs) != 1 {
		t.Errorf("by what the service says: %+v", failed)
	}
	r := b.want(0, "status", "--refresh")
	for _, text := range []string{
		"InitializeFailed: The table orders.items has no primary key", "\nThe last logs of jobs that failed:\n  ",
		"Z ERROR FullDataSync: The table orders.items has no primary key.\n",
	} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("it does not say %q: %s", text, r)
		}
	}
	if r := b.want(0, "status", "x-*"); r.stdout != "No job of the ledger fits.\n" {
		t.Errorf("a pattern that fits nothing: %s", r)
	}
	if r := b.want(exitInvalid, "status", "life"); !strings.Contains(r.stderr, "that is a plan: --plan life") {
		t.Errorf("a plan's name: %s", r)
	}
}

// TestApplyShowsWhyJobsDoNotRun: those that it waits for.
func TestApplyShowsWhyJobsDoNotRun(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1ms", "--fail-share", "1")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", state: running", "")+"run: {wave: [2, rest], wait: running}\n")
	r := b.want(exitLeft, "apply", "--yes", "--wave-failures", "1")
	for _, text := range []string{"not running, though the service took what was sent", "\nThe last logs of jobs that failed:\n  a-0 (aps-", "Z ERROR FullDataSync: The table"} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("it does not say %q: %s", text, r)
		}
	}
	if n := c.stats().Actions["DescribeApsActionLogs"].Calls; n != 2 {
		t.Errorf("%d jobs were asked for their logs, want 2", n)
	}
}

// TestStatusSummaryIsThatOfAllJobs: without a selector most jobs are only counted.
func TestStatusSummaryIsThatOfAllJobs(t *testing.T) {
	b := newBench(t)
	seeds := []seed{
		{name: "job-0900", state: plan.StateIntent}, {name: "job-0901", state: plan.StateUnknown}, {name: "job-0902", state: plan.StateLost, jobID: "aps-902"},
		{plan: "other", name: "job-0903", state: plan.StateCreated, jobID: "aps-903"},
	}
	for i := range statusShown {
		name := fmt.Sprintf("job-%04d", i)
		seeds = append(seeds, seed{name: name, state: plan.StateCreated, jobID: "aps-" + name})
	}
	b.seed(seeds...)
	for _, args := range [][]string{nil, {"--plan", "bulk"}, {"--plan", "other"}} {
		summary := b.want(0, append([]string{"status"}, args...)...)
		if all := b.want(0, append([]string{"status", "*"}, args...)...); summary != all {
			t.Errorf("status %q: %s\nand with a selector for all: %s", args, summary, all)
		}
	}
	wantIn(t, b.want(0, "status").stdout, "104 jobs: 101 created, 1 intent, 1 unknown, 1 lost.", "… and 4 more jobs; --full lists all")
	wantIn(t, b.want(exitFailure, "status", "--plan", "none").stderr, `it knows no plan "none"`)
}
