package main

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

const lifePlan = `version: 1
name: life
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
  db_list: {EntireInstance: true}
jobs:
  - {name: a-0, source: {instance: pc-1}, labels: {team: a}}
  - {name: a-1, source: {instance: pc-1}, labels: {team: a}}
  - {name: b-0, source: {instance: pc-2}, labels: {team: b}, protect: true}
  - {name: b-1, source: {instance: pc-3}, labels: {team: b}, state: running}
`

// life runs one of start, suspend and delete and returns what it says in JSON.
func (b *bench) life(code int, args ...string) lifeJSON {
	b.Helper()
	r := b.want(code, append(args, "--yes", "-o", "json", "--rate", "0", "--settle", "100ms", "--max-elapsed", "20s")...)
	var out lifeJSON
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
	return out
}

// TestLifeCycleByHand starts, suspends and deletes under each answer that the
// documentation leaves open.
func TestLifeCycleByHand(t *testing.T) {
	t.Parallel()
	for name, switches := range map[string][]string{
		"strict":                 nil,
		"starts by hand":         {"--needs-start"},
		"repeats are allowed":    {"--repeat-allowed"},
		"suspended before":       {"--delete-needs-suspended", "--business-errors", "http200"},
		"unknown ids are empty":  {"--unknown-detail", "empty", "--detail-form", "string"},
		"refusals with HTTP 200": {"--business-errors", "http200"},
		"initialising for long":  {"--initializing", "1h"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			c := b.emulator(append([]string{"--initializing", "1ms"}, switches...)...)
			b.write("apsctl.yaml", lifePlan)
			apply := []string{"apply", "--yes", "--settle", "100ms", "--rate", "0"}
			b.want(0, apply...)
			b.life(0, "start", "team=a", "b-0") // some run already, some do not
			if got := b.life(0, "suspend", "*-0", "b-1"); got.Counts.Suspended != 3 {
				t.Errorf("suspend: %+v", got.Counts)
			}
			if got := b.life(0, "suspend", "*-0"); got.Counts.Kept != 2 {
				t.Errorf("suspend again: %+v", got.Counts)
			}
			if got := b.life(0, "start", "a-0"); got.Counts.Started != 1 {
				t.Errorf("start: %+v", got.Counts)
			}
			got := b.life(exitLimit, "delete", "a-*", "b-0")
			if got.Counts.Deleted != 2 || got.Counts.Blocked != 1 || !strings.Contains(got.Jobs[2].Error, "protected") {
				t.Errorf("delete: %+v", got)
			}
			if jobs := c.stats().Jobs; jobs != 2 {
				t.Errorf("%d jobs are left, want the protected one and the one that was not named", jobs)
			}
			if got := b.life(0, "delete", "team=a"); len(got.Jobs) != 0 { // what is deleted is chosen by name only
				t.Errorf("delete again: %+v", got)
			}
			if got := b.life(0, "delete", "a-0", "a-1"); got.Counts.Kept != 2 || got.Jobs[0].State != plan.StateAbsent {
				t.Errorf("delete again by name: %+v", got)
			}
			r := b.want(0, apply...)
			if !strings.Contains(r.stdout, "2 created, 1 started, 1 kept of 4 jobs") {
				t.Errorf("the next apply: %s", r)
			}
			if s := c.stats(); s.Jobs != 4 || s.Duplicates != 0 {
				t.Errorf("the service has %+v", s)
			}
		})
	}
}

func TestLifeCyclePreviewSaysWhatTheNextApplyMakesOfIt(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms")
	b.write("apsctl.yaml", lifePlan)
	b.want(0, "apply", "--yes")
	r := b.want(0, "suspend", "--yes", "team=b")
	for _, text := range []string{
		"2 jobs: 2 to suspend.\n", "  | b-0  pc-2 → amv-1  (plan life, cn-hangzhou, aps-",
		"The plan says state: running of 1 job (life): the next apply undoes this.", "2 suspended of 2 jobs in ",
	} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("suspend does not say %q: %s", text, r)
		}
	}
	r = b.want(exitLimit, "delete", "--yes", "*", "--exclude", "a-1")
	for _, text := range []string{
		"3 jobs: 2 to delete, 1 left alone.\n\n  ! b-0", "it is protected: its plan says protect: true",
		"The next apply of a plan that still lists one of these creates it again.", "2 deleted, 1 left alone of 3 jobs in ",
	} {
		if !strings.Contains(r.stdout, text) {
			t.Errorf("delete does not say %q: %s", text, r)
		}
	}
	if r = b.want(0, "delete", "--yes", "nothing-*"); r.stdout != "Nothing to do: no job of the ledger fits.\n" {
		t.Errorf("a pattern that fits nothing: %s", r)
	}
	r = b.want(exitFailed, "start", "--yes", "a-0")
	if !strings.Contains(r.stdout, "a-0: there is no job: it was deleted") {
		t.Errorf("starting what was deleted: %s", r)
	}
}

func TestLifeCycleRefusals(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "1ms")
	b.write("apsctl.yaml", lifePlan)
	b.want(0, "apply", "--yes")
	for _, one := range []struct {
		code int
		says string
		args []string
	}{
		{exitInvalid, "needs to know which jobs", []string{"delete", "--yes"}},
		{exitInvalid, "add --yes", []string{"delete", "a-0"}},
		{exitInvalid, "did you mean a-0", []string{"suspend", "--yes", "a-00", "a-1"}},
		{exitInvalid, "that is a plan: --plan life", []string{"suspend", "--yes", "life"}},
		{exitFailure, `knows no plan "lief"`, []string{"suspend", "--yes", "--plan", "lief", "*"}},
		{exitLimit, "2 jobs would be deleted, and the limit is 1; nothing was sent: --max-delete 2 allows it", []string{"delete", "--yes", "--max-delete", "1", "a-*"}},
		{exitLimit, "3 jobs would be suspended, and the limit is 50%; nothing was sent: --max-suspend 3 allows it", []string{"suspend", "--yes", "--max-suspend", "50%", "*", "--exclude", "a-0"}},
		{exitInvalid, "too short", []string{"delete", "--yes", "--settle", "1s", "--endpoint", "https://adb.example.com", "a-0"}},
	} {
		if r := b.want(one.code, one.args...); !strings.Contains(r.stderr, one.says) {
			t.Errorf("apsctl %v does not say %q: %s", one.args, one.says, r)
		}
	}
	if s := c.stats(); s.Jobs != 4 || s.Actions["SuspendApsJob"].Calls+s.Actions["DeleteApsJob"].Calls != 0 {
		t.Errorf("something was sent: %+v", s)
	}
}

// TestStateSelectorAsksTheService suspends by what the service says.
func TestStateSelectorAsksTheService(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms")
	b.write("apsctl.yaml", lifePlan)
	b.want(0, "apply", "--yes")
	b.life(0, "suspend", "a-0")
	if got := b.life(0, "start", "state=suspended"); len(got.Jobs) != 1 || got.Counts.Started != 1 {
		t.Errorf("%+v", got)
	}
	if got := b.life(0, "start", "state=suspended"); len(got.Jobs) != 0 {
		t.Errorf("again: %+v", got)
	}
}

// TestFailedJobsAreStartedByHand: an apply leaves them as they are.
func TestFailedJobsAreStartedByHand(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms", "--fail-share", "1")
	b.write("apsctl.yaml", strings.ReplaceAll(lifePlan, ", state: running", ""))
	b.want(0, "apply", "--yes")
	if got := b.life(0, "start", "state=failed"); got.Counts.Started != 4 {
		t.Errorf("%+v", got)
	}
	if got := b.life(0, "start", "*"); got.Counts.Kept != 4 {
		t.Errorf("again: %+v", got)
	}
}
