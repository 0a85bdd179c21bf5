package main

import (
	"strings"
	"testing"
)

// TestReportTellsJobsThatLeftThePlanApart: they are none of the plan's jobs, and
// were counted as if they were.
func TestReportTellsJobsThatLeftThePlanApart(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", planOf(9))
	b.want(0, "apply", "--yes", "plan.yaml")
	b.write("plan.yaml", planOf(7))
	allowed := []string{"apply", "--yes", "--allow", "delete", "--max-delete", "2", "plan.yaml"}
	r := b.want(0, append(allowed, "--target", "job-0008")...)
	wantIn(t, r.stdout, "\n1 deleted of the jobs that left the plan, in ")
	if strings.Contains(r.stdout, "0 jobs") {
		t.Errorf("no job of the plan was chosen: %s", r)
	}
	wantIn(t, b.want(0, "apply", "--yes", "plan.yaml", "--target", "job-0007").stdout, "Nothing to do: the plan has no job, or none of them was chosen.")
	wantIn(t, b.want(0, allowed...).stdout, "\n7 kept of 7 jobs, and 1 deleted of those that left the plan, in ")
	wantIn(t, b.want(0, allowed...).stdout, "Nothing to do: the ledger has all 7 jobs as created.")
}
