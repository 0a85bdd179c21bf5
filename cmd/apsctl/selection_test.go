package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// selectedPlan has six jobs, two of each team.
const selectedPlan = `version: 1
name: chosen
region: cn-hangzhou
defaults:
  destination: {instance: amv-1}
  db_list: {EntireInstance: true}
generate:
  - matrix: {team: [a, b, c], n: [1, 2]}
    job:
      name: ${matrix.team}-${matrix.n}
      source: {instance: "pc-${matrix.team}${matrix.n}"}
      labels: {team: "${matrix.team}"}
`

func (b *bench) jobsInLedger() string {
	b.Helper()
	var status statusJSON
	if err := json.Unmarshal([]byte(b.want(0, "status", "--emulator", "-o", "json").stdout), &status); err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, job := range status.Jobs {
		names = append(names, job.Name)
	}
	return strings.Join(names, " ")
}

func TestTargetAndExcludeNarrowPlanAndApply(t *testing.T) {
	b := newBench(t)
	b.write("apsctl.yaml", selectedPlan)
	b.write("first.txt", "# the careful ones\na-1\nteam=b # both\n")

	text := b.want(2, "plan", "--emulator", "--detailed-exitcode", "--target-file", "first.txt", "--exclude", "b-2").stdout
	wantIn(t, text, "6 jobs, 2 of them chosen: 2 to create")
	wantIn(t, text, "b-1")
	if strings.Contains(text, "b-2") || strings.Contains(text, "c-1") {
		t.Errorf("the plan shows jobs that are not meant:\n%s", text)
	}

	applied := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", "--target-file", "first.txt", "--exclude", "b-2"))
	if applied.Counts.Planned != 2 || applied.Counts.Created != 2 || applied.Requests != 2 {
		t.Errorf("got %+v, want two jobs", applied)
	}
	if got := b.jobsInLedger(); got != "a-1 b-1" {
		t.Errorf("the ledger has %s", got)
	}
	b.want(0, "apply", "--emulator", "--yes", "--target", "state=new,team=c")
	if got := b.jobsInLedger(); got != "a-1 b-1 c-1 c-2" {
		t.Errorf("the ledger has %s", got)
	}
	wantIn(t, b.want(0, "plan", "--emulator").stdout, "2 to create, 4 to keep")
}

func TestTargetByTheStatusAtTheService(t *testing.T) {
	b := newBench(t)
	b.write("apsctl.yaml", selectedPlan)
	b.want(0, "apply", "--emulator", "--yes", "--wait", "running")
	b.write("apsctl.yaml", strings.Replace(selectedPlan, "      name:", "      state: suspended\n      name:", 1))
	b.want(0, "apply", "--emulator", "--yes", "--target", "team=a")
	wantIn(t, b.want(exitInvalid, "plan", "--emulator", "--target", "state=running").stderr, "need the service")

	applied := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", "--exclude", "state=running"))
	if applied.Counts.Planned != 2 || applied.Counts.Kept != 2 {
		t.Errorf("got %+v, want the two that are suspended", applied.Counts)
	}
	applied = b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", "--target", "state=running"))
	if applied.Counts.Planned != 4 || applied.Counts.Suspended != 4 {
		t.Errorf("got %+v, want the four that were running suspended", applied.Counts)
	}
}

func TestSelectorsThatCannotBeMeant(t *testing.T) {
	b := newBench(t)
	b.write("apsctl.yaml", selectedPlan)
	b.write("empty.txt", "# nothing\n")
	for want, args := range map[string][]string{
		"no job is called a-3; did you mean a-1": {"--target", "a-3"},
		"no job is called a3":                    {"--exclude", "a3"},
		"state is one of":                        {"--target", "state=craeted"},
		"empty.txt has nothing in it":            {"--target-file", "empty.txt"},
		"no such file":                           {"--target-file", "missing.txt"},
		"is no file":                             {"--target-file", "."},
	} {
		for _, command := range [][]string{{"plan"}, {"apply", "--yes"}} {
			r := b.want(exitInvalid, append(append(command, "--emulator"), args...)...)
			wantIn(t, r.stderr, want)
		}
	}
	if got := b.jobsInLedger(); got != "" {
		t.Errorf("a refused apply created %s", got)
	}
}
