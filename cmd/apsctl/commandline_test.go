package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// printed is the one command that text has between two others, as a person copies it,
// with a reason.
func (b *bench) printed(r result, command, after string) string {
	b.Helper()
	found := regexp.MustCompile(regexp.QuoteMeta(command) + `[^\n]*?` + `(` + regexp.QuoteMeta(after) + `)`).FindString(r.stdout + r.stderr)
	if found == "" {
		b.Fatalf("it prints no %q before %q: %s", command, after, r)
	}
	return strings.ReplaceAll(strings.TrimSuffix(found, after), "WHY", "looked")
}

// Two ledgers have the same job: the command that is printed about one of them works on
// that one.
func TestPrintedCommandsWorkOnTheLedgerAtHand(t *testing.T) {
	b := newBench(t)
	b.write("p1.yaml", planOf(1))
	b.write("p2.yaml", strings.Replace(planOf(1), "name: bulk", "name: second", 1))
	b.want(exitDone, "apply", "--emulator", "--yes", "p1.yaml")
	b.seed(seed{name: "job-0000", state: plan.StateCreated, jobID: "aps-other"})
	blocked := b.want(exitUnknown, "apply", "--emulator", "--yes", "p2.yaml")
	b.shell(exitDone, b.printed(blocked, "apsctl ledger forget job-0000 --plan bulk", ", and then"))
	if e := b.entry("job-0000"); e.JobID != "aps-other" {
		t.Errorf("the entry of the other ledger is %+v", e)
	}
	b.want(exitDone, "apply", "--emulator", "--yes", "--adopt", "p2.yaml")
}

// The ledger and the service are known by flags alone.
func TestPrintedCommandsAskTheServiceAtHand(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.setenv(endpointVariable, "http://127.0.0.1:1")
	b.setenv(ledgerVariable, "none.db")
	const ledger = "./" + ledgerDefault
	at := []string{"--endpoint", cloud.address, "--ledger", ledger}
	run := func(code int, args ...string) result {
		t.Helper()
		return b.want(code, append(args, at...)...)
	}
	b.seed(seed{name: "job-0000", state: plan.StateUnknown})
	b.write("p2.yaml", strings.Replace(planOf(1), "name: bulk", "name: second", 1))
	const resolve = "apsctl resolve --plan bulk"
	want := b.printed(run(exitUnknown, "apply", "--yes", "p2.yaml"), resolve, " settles it")
	for _, args := range [][]string{{"plan", "--refresh", "changed", "p2.yaml"}, {"start", "--yes", "job-0000"}, {"suspend", "--yes", "job-0000"}, {"delete", "--yes", "job-0000"}} {
		if got := b.printed(b.apsctl(append(args, at...)...), resolve, " settles it"); got != want {
			t.Errorf("%s prints %q, and apply %q", args[0], got, want)
		}
	}
	wantIn(t, b.apsctl("plan", "--ledger", ledger, "p2.yaml").stdout, resolve+" --ledger "+ledger+" settles it")
	b.shell(exitUnknown, want)
	id := cloud.jobs(1)["job-0000"]
	b.shell(exitDone, want)
	refused := run(exitLimit, "resolve", "p2.yaml", "--adopt", "job-0000="+id, "--reason", "because")
	b.shell(exitDone, b.printed(refused, "apsctl ledger forget job-0000 --plan bulk", ", and then"))
}

// A saved plan has the variables in it, and is applied without them.
func TestSavedPlanIsAppliedByThePrintedCommand(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", "vars: {target: {}}\n"+strings.Replace(planOf(1), "instance: amv-1", "instance: \"${var.target}\"", 1))
	saved := b.want(exitDone, "plan", "--emulator", "--var", "target=amv-1", "--out", "p.saved", "plan.yaml")
	b.shell(exitDone, b.printed(saved, "apsctl apply --saved p.saved", " does exactly")+" --yes")
}
