package main

import (
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// namedPlan is a plan of one job, with more lines at its end.
func namedPlan(name string, more ...string) string {
	return strings.Replace(planOf(1), "job-0000", name, 1) + strings.Join(more, "")
}

// renamedAndLost applies a plan whose job is renamed twice, and loses its ledger.
func (b *bench) renamedAndLost(cloud *cloud) {
	b.Helper()
	for _, text := range []string{namedPlan("a"), namedPlan("b", "moved: {a: b}\n"), namedPlan("c", "moved: {b: c}\n")} {
		b.write("p.yaml", text)
		b.want(exitDone, sentRun("p.yaml")...)
	}
	if s := cloud.stats(); s.Jobs != 1 {
		b.Fatalf("there are %d jobs", s.Jobs)
	}
	b.removeLedger("", "-wal", "-shm", ".sent")
}

// A lost ledger knows no name that a job had before: the service has it by its first.
func TestRenamedJobIsNotMadeAgainWhenTheLedgerIsLost(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.renamedAndLost(cloud)
	wantIn(t, b.want(exitUnknown, sentRun("p.yaml")...).stdout, "exists under the name a, for the same source, destination and objects", "apply --adopt takes it over")
	b.want(exitDone, "plan", "--refresh", "changed", "--adopt", "--out", "p.saved", "p.yaml")
	a := b.applied(b.want(exitDone, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Adopted != 1 || a.Counts.Created != 0 || cloud.stats().Jobs != 1 {
		t.Errorf("it did %+v, and there are %d jobs", a.Counts, cloud.stats().Jobs)
	}
	if e := b.entry("c"); e.State != plan.StateCreated || e.Spec.Name != "a" {
		t.Errorf("the ledger has %+v", e)
	}
	b.want(exitDone, sentRun("p.yaml")...)
	b.want(exitDone, "drift", "p.yaml")
	b.want(exitDone, "delete", "--yes", "c")
	if s := cloud.stats(); s.Jobs != 0 {
		t.Errorf("there are %d jobs", s.Jobs)
	}
}

// Who wants the other job as well has it taken into the ledger, by the command that is
// printed, also in a plan of the name that import gives.
func TestImportLetsAJobBeMadeBesideOneOfAnotherName(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.renamedAndLost(cloud)
	b.setenv(endpointVariable, "http://127.0.0.1:1")
	at := []string{"--endpoint", cloud.address}
	b.write("p.yaml", strings.Replace(namedPlan("c"), "name: bulk", "name: imported", 1))
	blocked := b.want(exitUnknown, sentRun(append(at, "p.yaml")...)...)
	b.shell(exitDone, b.printed(blocked, "apsctl import --region cn-hangzhou --name a", " has it left alone")+" --yes")
	b.want(exitDone, sentRun(append(at, "--adopt", "p.yaml")...)...)
	if s := cloud.stats(); s.Jobs != 2 {
		t.Errorf("there are %d jobs", s.Jobs)
	}
}

// A backup of before the rename has the job by its old name.
func TestRenamedJobIsNotMadeAgainByAnOlderLedger(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("p.yaml", namedPlan("a"))
	b.want(exitDone, sentRun("p.yaml")...)
	b.want(exitDone, "ledger", "backup", "older.db")
	b.want(exitDone, "ledger", "mv", "a", "c", "--plan", "bulk", "--reason", "it is called so")
	b.write("p.yaml", namedPlan("c"))
	b.want(exitDone, sentRun("p.yaml")...)
	for _, args := range [][]string{{"plan", "--ledger", "older.db", "p.yaml"}, sentRun("--ledger", "older.db", "--adopt", "p.yaml")} {
		r := b.apsctl(args...)
		wantIn(t, r.stdout, "as a, which left the plan: moved: {a: c} in the plan makes it the same job")
	}
	b.write("p.yaml", namedPlan("c", "moved: {a: c}\n"))
	b.want(exitDone, sentRun("--ledger", "older.db", "p.yaml")...)
	if s := cloud.stats(); s.Jobs != 1 || cloud.creates() != 1 {
		t.Errorf("there are %d jobs", s.Jobs)
	}

	b.write("p.yaml", namedPlan("d")) // which is another one
	blocked := b.want(exitUnknown, sentRun("p.yaml")...)
	b.shell(exitDone, b.printed(blocked, "apsctl delete id=", " deletes it")+" --yes")
	b.want(exitDone, sentRun("p.yaml")...)
	if s := cloud.stats(); s.Jobs != 1 || cloud.creates() != 2 {
		t.Errorf("there are %d jobs", s.Jobs)
	}
}
