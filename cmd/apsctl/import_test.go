package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// importsOf is the JSON of one import.
func (b *bench) importsOf(r result) importJSON {
	b.Helper()
	var out importJSON
	b.decode(r, &out)
	return out
}

func (b *bench) read(name string) string {
	b.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return string(text)
}

func (b *bench) files(pattern string) []string {
	b.Helper()
	names, err := filepath.Glob(filepath.Join(b.dir, pattern))
	if err != nil {
		b.Fatal(err)
	}
	return names
}

// noChanges fails the test unless the plan has n jobs and nothing to do, by the
// ledger and when it is applied.
func (b *bench) noChanges(file string, n int) {
	b.Helper()
	r := b.want(exitDone, "plan", "--detailed-exitcode", file)
	wantIn(b, r.stdout, fmt.Sprintf(": %d to keep.", n))
	wantIn(b, b.want(exitDone, "apply", "--yes", file).stdout, "Nothing to do")
}

// handMade are jobs as people make them: two regions, some destinations and
// objects, with and without what a job need not say.
func handMade(n int) []plan.Spec {
	specs := make([]plan.Spec, n)
	for i := range specs {
		specs[i] = specOf(fmt.Sprintf("job-%04d", i))
		s := &specs[i]
		s.Destination.Instance = fmt.Sprintf("amv-%d", i%4)
		s.Source.User, s.Destination.User = "reader", "loader"
		if i%5 == 0 {
			s.DBList = fmt.Sprintf(`{"shop_%d":{"name":"shop","all":true}}`, i%10)
		}
		if i%7 == 0 {
			s.PartitionList = `{"shop":{"by":"day","n":1.50}}`
		}
		if i%11 == 0 {
			s.TargetTableMode = "2"
		}
		if i%3 == 0 {
			s.Region = "cn-shanghai"
		}
	}
	return specs
}

func TestImportOfFiveHundredJobs(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	cloud.make(handMade(500)...)
	made := cloud.creates()
	out := b.importsOf(b.want(exitDone, "import", "--all", "--region", "cn-hangzhou", "--region", "cn-shanghai", "--rate", "0",
		"--generate", "imported.yaml", "--yes", "-o", "json"))
	if out.Counts.Imported != 500 || len(out.Jobs) != 500 || out.File != "imported.yaml" {
		t.Errorf("got %+v", out.Counts)
	}
	calls := cloud.stats().Actions
	if lists, details := calls["DescribeApsJobs"].Calls, calls["DescribeApsJobDetail"].Calls; lists > 500/30+2 || details != 500 {
		t.Errorf("%d calls for listings and %d for details", lists, details)
	}
	text := b.read("imported.yaml")
	_, jobs, _ := strings.Cut(text, "\njobs:\n")
	if lines := strings.Count(jobs, "\n"); lines > 3*500 {
		t.Errorf("%d lines for 500 jobs", lines)
	}
	b.noChanges("imported.yaml", 500)
	last := map[string]int{}
	cloud.calls(last)
	r := b.want(exitDone, "plan", "--detailed-exitcode", "--refresh", "all", "--rate", "0", "imported.yaml")
	wantIn(t, r.stdout, ": 500 to keep.")
	asked := cloud.calls(last)
	if n := asked["DescribeApsJobs"] + asked["DescribeApsJobDetail"]; n > 500/30+2+500 || len(asked) != 2 { // the last page of both regions is not full
		t.Errorf("the plan took %v", asked)
	}
	if n := cloud.creates(); n != made {
		t.Errorf("%d creates were sent", n-made)
	}
}

func TestImportShowsWhatItDoesAndCanBeRunAgain(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	ids := cloud.jobs(3)
	r := b.want(exitDone, "import", "--name", "job-000[01]", "--region", "cn-hangzhou", "--plan-name", "bulk", "--yes")
	wantIn(t, r.stdout, "To import into plan bulk: 2 jobs of cn-hangzhou", ids["job-0000"], "2 jobs imported", "--generate FILE")
	if e := b.entry("job-0001"); e.State != plan.StateCreated || e.JobID != ids["job-0001"] || e.Attempt != 0 {
		t.Errorf("the entry is %+v", e)
	}
	if event, proof := b.lastEvent("job-0001"); event.To != plan.StateCreated || proof.Kind != "imported" {
		t.Errorf("the event is %+v, %+v", event, proof)
	}
	// The regions of the ledger are known by now, and what is there costs no call.
	before := cloud.stats().Actions["DescribeApsJobDetail"].Calls
	r = b.want(exitDone, "import", "--all", "--plan-name", "bulk", "--generate", "bulk.yaml", "--yes")
	wantIn(t, r.stdout, "1 job imported, 2 there already", "bulk.yaml has 3 jobs")
	if n := cloud.stats().Actions["DescribeApsJobDetail"].Calls - before; n != 1 {
		t.Errorf("%d calls for details", n)
	}
	b.noChanges("bulk.yaml", 3)
	wantIn(t, b.want(exitLimit, "import", "--all", "--plan-name", "bulk", "--generate", "bulk.yaml", "--yes").stderr, "exists and is left as it is")
	r = b.want(exitDone, "import", "--all", "--yes")
	wantIn(t, r.stdout, "0 jobs imported", "3 jobs of other plans left with them")
	r = b.want(exitDone, "import", "--name", "job-0002", "--plan-name", "bulk", "--generate", "one.yaml", "--yes")
	wantIn(t, r.stdout, "one.yaml has 1 job", "Not in it: 2 more jobs that the ledger has of plan bulk")
}

func TestImportLeavesOutWhatAPersonMustSettle(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	named := func(name, source string) plan.Spec {
		spec := specOf("job-0000")
		spec.Name, spec.Source.Instance = name, source
		return spec
	}
	beijing := named("Orders", "pc-8")
	beijing.Region = "cn-beijing"
	ids := cloud.make(named("good", "pc-1"), named("twice", "pc-2"), named("twice", "pc-3"), named("with blank", "pc-4"),
		named("orders", "pc-5"), beijing, named("job-0001", "pc-6"), named("job-0002", "pc-7"))
	b.seed(seed{name: "job-0001", state: plan.StateUnknown}, seed{plan: "other", name: "job-0002", state: plan.StateIntent})
	r := b.want(exitUnknown, "import", "--all", "--region", "cn-hangzhou", "--region", "cn-beijing", "--plan-name", "bulk",
		"--generate", "bulk.yaml", "--yes")
	wantIn(t, r.stdout, "1 job imported, 0 there already, 7 refused",
		"twice ("+ids[1]+"): 2 jobs in cn-hangzhou have this name (", "delete the surplus ones",
		`with blank (`+ids[3]+`): its name cannot have " " in it`, "rename it in the console",
		"can take for one another", "Orders", "--plan-name",
		"plan bulk has a job of this name as unknown", "apsctl resolve --plan bulk",
		"plan other has a job of this name as intent", "apsctl resolve --plan other")
	wantIn(t, b.want(exitDone, "plan", "bulk.yaml").stdout, "1 to keep.")
	if text := b.read("bulk.yaml"); strings.Count(text, "name: ") != 2 || !strings.Contains(text, "- {name: good, ") {
		t.Error(text)
	}
	// The way out of names that are alike.
	b.write("ids", "# the other orders\n"+ids[5]+"  # in Beijing\n\n")
	b.want(exitDone, "import", "--ids", "ids", "--region", "cn-beijing", "--plan-name", "beijing", "--yes")
	out := b.importsOf(b.want(exitUnknown, "import", "--ids", "ids", "--region", "cn-hangzhou", "--plan-name", "beijing", "--yes", "-o", "json"))
	if out.Counts.NotListed != 1 || out.NotListed[0] != ids[5] || out.ExitCode != exitUnknown {
		t.Errorf("got %+v", out)
	}
}

func TestImportKilledHalfWayGoesOn(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "10ms")
	cloud.jobs(30)
	args := []string{"import", "--all", "--region", "cn-hangzhou", "--generate", "imported.yaml", "--yes", "--parallel", "1"}
	p := b.start(args...)
	b.eventually("some details", func() bool { return cloud.stats().Actions["DescribeApsJobDetail"].Calls > 3 })
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if p.result(); len(b.files("*.yaml")) != 0 {
		t.Fatal("the plan was written before the ledger had all of it")
	}
	wantIn(t, b.want(exitDone, args...).stdout, "imported.yaml has 30 jobs")
	b.noChanges("imported.yaml", 30)
	if n := cloud.stats().Actions["DescribeApsJobDetail"].Calls; n > 31 {
		t.Errorf("%d calls for details: what was recorded was asked for again", n)
	}
}

// A job that is gone between listing and detail does not keep the others out.
func TestImportGoesOnWhereOneJobFails(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	cloud.jobs(3)
	cloud.setFaults("- {operation: DescribeApsJobDetail, kind: status, status: 400, code: InvalidInput, count: 1}\n")
	r := b.want(exitFailed, "import", "--all", "--region", "cn-hangzhou", "--generate", "first.yaml", "--yes", "--parallel", "1")
	wantIn(t, r.stdout, "2 jobs imported, 0 there already, 0 refused, 1 failed", "InvalidInput", "run it again")
	b.want(exitDone, "import", "--all", "--generate", "imported.yaml", "--yes")
	b.noChanges("imported.yaml", 3)
}

func TestImportListShowsWhatNoPlanKnowsAndWhatIsTwice(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	ids := cloud.jobs(2)
	b.want(exitDone, "import", "--name", "job-0000", "--region", "cn-hangzhou", "--plan-name", "bulk", "--yes")
	other := specOf("job-0001")
	other.Name, other.DBList = "other-objects", `{"shop":{"all":true}}`
	alone := specOf("job-0009")
	cloud.make(other, alone)
	before := cloud.stats().Actions["DescribeApsJobDetail"].Calls
	r := b.want(exitDone, "import", "--list")
	wantIn(t, r.stdout, "4 jobs in cn-hangzhou; no plan has 3 of them", "other-objects",
		"These 2 jobs load the same objects from pc-000 to amv-1", ids["job-0000"], ids["job-0001"])
	// Of the four, three have source and destination in common.
	if n := cloud.stats().Actions["DescribeApsJobDetail"].Calls - before; n != 3 {
		t.Errorf("%d calls for details", n)
	}
	var out foundJSON
	b.decode(b.want(exitDone, "import", "--list", "--region", "cn-hangzhou", "-o", "json"), &out)
	if out.Listed != 4 || len(out.Unplanned) != 3 || len(out.Same) != 1 || len(out.Same[0]) != 2 || out.Same[0][0].Plan+out.Same[0][1].Plan != "bulk" {
		t.Errorf("got %+v", out)
	}
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	b.want(exitDenied, "import", "--list")
}

func TestImportMistakesAreToldBeforeAnythingHappens(t *testing.T) {
	b := newBench(t)
	b.setenv(endpointVariable, "http://127.0.0.1:1")
	b.write("empty", "# nothing\n")
	for _, args := range [][]string{
		{}, {"--all", "--name", "x"}, {"--list", "--all"}, {"--list", "--generate", "x.yaml"}, {"--all"}, {"--all", "--yes"},
		{"--name", "[", "--yes"}, {"--ids", "gone", "--yes"}, {"--ids", "empty", "--yes"}, {"--all", "--yes", "--plan-name", "Big"},
		{"--all", "--yes", "--parallel", "0"}, {"--list", "--region", "x y"}, {"--all", "--yes", "--generate", "no/folder.yaml"}, {"--all", "--yes", "--generate", "-"}, {"file.yaml"},
	} {
		b.want(exitInvalid, append([]string{"import"}, args...)...)
	}
	wantIn(t, b.want(exitInvalid, "import", "--all", "--yes").stderr, "add --region")
	if left, _ := os.ReadDir(b.dir); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
}
