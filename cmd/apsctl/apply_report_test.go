package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
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

// TestUnknownPastItsSettleTimeIsToldWithItsWayOut: it was said to settle by a time gone
// by, and that there is nothing to do, at every run.
func TestUnknownPastItsSettleTimeIsToldWithItsWayOut(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(
		seed{name: "job-0000", state: plan.StateUnknown, sent: longAgo},
		seed{name: "job-0001", state: plan.StateLost, jobID: "aps-1", sent: longAgo}, // of the same source, and not listed
	)
	b.write("plan.yaml", planOf(1))
	apply := []string{"apply", "--yes", "--max-elapsed", "1s", "plan.yaml"}
	r := b.want(exitUnknown, apply...)
	wantIn(t, r.stdout, "1 job with an unknown outcome that could be settled by now", "hides jobs that are known to exist")
	if wrong := regexp.MustCompile("settles by|[Tt]here is nothing to do").FindString(r.stdout); wrong != "" {
		t.Errorf("it says %q: %s", wrong, r)
	}
	if a := b.applied(b.want(exitUnknown, append(apply, "-o", "json")...)); len(a.Jobs) == 0 || !a.Jobs[0].Due {
		t.Errorf("got %+v", a.Jobs)
	}
	b.shell(exitUnknown, b.printed(r, "apsctl resolve plan.yaml", "\n")) // for the other one
	if e := b.entry("job-0000"); e.State != plan.StateAbsent {
		t.Errorf("the entry is %+v", e)
	}
}
