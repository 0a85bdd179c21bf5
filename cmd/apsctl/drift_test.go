package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
)

// behindUs is somebody at the console who changes a job of cn-hangzhou.
func (c *cloud) behindUs(operation plan.Operation, id, dbList string) {
	c.Helper()
	client, err := aps.New(aps.Options{Endpoint: c.address, Credentials: aps.StaticCredentials("emulator", "emulator", "")})
	if err == nil {
		err = client.Change(context.Background(), plan.ChangeRequest{
			Operation: operation, Region: "cn-hangzhou", JobID: id, SignedAt: time.Now(), DBList: dbList,
		})
		client.CloseIdleConnections()
	}
	if err != nil {
		c.Fatal(err)
	}
}

// calls are those since the last time, by action; those that ask who one is aside.
func (c *cloud) calls(last map[string]int) map[string]int {
	c.Helper()
	since := map[string]int{}
	for action, a := range c.stats().Actions {
		if n := a.Calls - last[action]; n > 0 && action != "GetCallerIdentity" {
			since[action] = n
		}
		last[action] = a.Calls
	}
	return since
}

func (b *bench) drift(code int, args ...string) driftJSON {
	b.Helper()
	var d driftJSON
	r := b.want(code, append([]string{"drift", "-o", "json", "plan.yaml"}, args...)...)
	if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
		b.Fatalf("%v in %s", err, r)
	}
	return d
}

// kinds lists what was found as "kind name", in the order of the report.
func (d driftJSON) kinds() string {
	var kinds []string
	for _, one := range d.Drift {
		kinds = append(kinds, fmt.Sprintf("%s %s", one.Kind, one.Name))
	}
	return strings.Join(kinds, ", ")
}

// ids are those of the ledger's jobs, by name.
func (b *bench) ids() map[string]string {
	b.Helper()
	var status statusJSON
	if r := b.want(exitDone, "status", "-o", "json"); json.Unmarshal([]byte(r.stdout), &status) != nil {
		b.Fatal(r)
	}
	ids := map[string]string{}
	for _, job := range status.Jobs {
		ids[job.Name] = job.JobID
	}
	return ids
}

// TestDriftUnderEverySwitch: whatever the documentation leaves open about listings,
// details and states, an untouched plan shows no drift, a touched one shows that,
// and apply --refresh puts back what goes in place. Looks send reads only, and no
// more than promised.
func TestDriftUnderEverySwitch(t *testing.T) {
	t.Parallel()
	for _, flags := range []string{
		"", "--detail-form string", "--detail-keys as-sent", "--detail-mode string", "--detail-form string --detail-keys as-sent --detail-mode string",
		"--list-order oldest", "--list-order id", "--page-cap 7", "--page-cap 100 --page-cap-mode refuse", "--name-filter exact", "--name-filter prefix",
		"--unknown-detail empty", "--business-errors http200", "--business-errors http200 --unknown-detail empty",
		"--needs-start", "--omitted-partitions keep", "--duplicate-names refuse", "--list-lag 300ms", "--list-lag 300ms --detail-at-once",
	} {
		t.Run(strings.ReplaceAll(flags, " ", "_"), func(t *testing.T) {
			oneSwitchIfShort(t, flags)
			b := newBench(t)
			cloud := b.emulator(append([]string{"--initializing", "1ms"}, strings.Fields(flags)...)...)
			b.write("plan.yaml", strings.Replace(planOf(35), "jobs:\n", "jobs:\n  - {name: modal, source: {instance: pc-m}, target_table_mode: 1, state: running,"+
				" db_list: {b: {name: b, all: true}, a: {name: a, all: 1.0}}}\n", 1))
			b.want(exitDone, "apply", "--yes", "plan.yaml")
			cloud.showAll()
			sum := map[string]int{}
			cloud.calls(sum)
			pages := 3 // of 30, and a look behind the last
			if strings.Contains(flags, "page-cap 7") {
				pages = 7
			}
			bounded := func(what string, details int, reads ...int) {
				t.Helper()
				calls := cloud.calls(sum)
				if d := calls["DescribeApsJobDetail"]; d != details || calls["DescribeApsJobs"] > pages*(1+len(reads)) || len(calls) > 2 {
					t.Errorf("%s sends %v", what, calls)
				}
			}
			if d := b.drift(exitDone, "--sample", "100%"); d.Jobs != 36 || d.Compared != 36 || len(d.Notes) > 0 || d.Waiting > 0 {
				t.Errorf("an untouched plan shows %+v", d)
			}
			bounded("drift --sample 100%", 36)
			if d := b.drift(exitDone); d.Compared != 2 || d.Runs != 18 {
				t.Errorf("a sample is %+v", d)
			}
			bounded("drift", 2)
			if r := b.want(exitDone, "plan", "--refresh", "all", "--detailed-exitcode", "plan.yaml"); !strings.Contains(r.stdout, "36 to keep") {
				t.Errorf("an untouched plan is %s", r)
			}
			bounded("plan --refresh all", 36)

			ids := b.ids()
			cloud.behindUs(plan.OperationModify, ids["job-0003"], `{"theirs":{"all":true}}`)
			cloud.behindUs(plan.OperationSuspend, ids["modal"], "")
			cloud.behindUs(plan.OperationDelete, ids["job-0007"], "")
			cloud.calls(sum)
			found := b.drift(exitChanges, "--sample", "100%", "--settle", "1ms")
			if got := found.kinds(); got != "missing job-0007, changed job-0003, state modal" {
				t.Errorf("drift is %s", got)
			}
			bounded("drift of a job that is gone", 35, 2, 3)
			r := b.want(exitUnknown, "apply", "--yes", "-o", "json", "--refresh", "changed", "--settle", "1ms", "plan.yaml")
			if counts := b.applied(r).Counts; counts.Updated != 1 || counts.Started != 1 || counts.Blocked != 1 || counts.Created != 0 {
				t.Errorf("apply --refresh changed comes to %+v", counts)
			}
			if got := b.drift(exitChanges, "--sample", "100%", "--settle", "1ms").kinds(); got != "missing job-0007" {
				t.Errorf("what is left is %s", got)
			}
			if n := cloud.stats().Actions["CreateAPSJob"].Calls; n != 36 {
				t.Errorf("%d creates were sent", n)
			}
		})
	}
}

// TestDriftComesByEveryJob in the promised number of runs, and what it found stays
// drift until it is put back.
func TestDriftComesByEveryJob(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "1ms")
	b.write("plan.yaml", planOf(30))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	ids := b.ids()
	touched := []string{"job-0001", "job-0015", "job-0029"}
	for _, name := range touched {
		cloud.behindUs(plan.OperationModify, ids[name], `{"theirs":{"all":true}}`)
	}
	sum := map[string]int{}
	cloud.calls(sum)
	found := map[string]bool{}
	runs := 1
	for run := 1; run <= runs; run++ {
		r := b.apsctl("drift", "-o", "json", "--sample", "10%", "plan.yaml")
		var d driftJSON
		if err := json.Unmarshal([]byte(r.stdout), &d); err != nil {
			t.Fatal(r)
		}
		runs = d.Runs
		for name := range found {
			if !strings.Contains(d.kinds(), name) {
				t.Errorf("run %d does not tell of %s any more", run, name)
			}
		}
		for _, one := range d.Drift {
			found[one.Name] = true
		}
		if calls := cloud.calls(sum); calls["DescribeApsJobDetail"] > 6 || len(calls) != 2 {
			t.Errorf("run %d sends %v", run, calls)
		}
		if (r.code == exitChanges) != (len(found) > 0) {
			t.Errorf("run %d found %v: %s", run, found, r)
		}
	}
	if got := slices.Sorted(maps.Keys(found)); runs != 10 || !slices.Equal(got, touched) {
		t.Errorf("%d runs found %v", runs, got)
	}
	if r := b.want(exitChanges, "drift", "plan.yaml"); strings.Count(r.stdout, "db_list changed outside apsctl") != 3 || !strings.Contains(r.stdout, "(each in 15 runs)") {
		t.Errorf("it says %s", r)
	}
	b.want(exitDone, "apply", "--yes", "--refresh", "changed", "plan.yaml")
	b.want(exitDone, "drift", "plan.yaml")
}

// TestDriftThatCannotBeTold is an error with its own code, and never drift.
func TestDriftThatCannotBeTold(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--initializing", "1ms")
	b.write("plan.yaml", planOf(3))
	b.want(exitLedger, "drift", "plan.yaml")
	b.want(exitInvalid, "drift", "--sample", "5x", "plan.yaml")
	b.want(exitInvalid, "plan", "--refresh", "yes", "plan.yaml")
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	for _, test := range []struct {
		faults string
		code   int
	}{
		{"- {operation: DescribeApsJobs, kind: status, status: 400, code: Unauthorized}\n", exitDenied},
		{"- {operation: DescribeApsJobs, kind: status, status: 400, code: InvalidInput}\n", exitFailure},
		{"- {operation: DescribeApsJobDetail, kind: status, status: 400, code: Unauthorized}\n", exitDenied},
	} {
		cloud.setFaults(test.faults)
		for _, args := range [][]string{{"drift", "plan.yaml"}, {"plan", "--refresh", "all", "plan.yaml"}, {"apply", "--yes", "--refresh", "all", "plan.yaml"}} {
			if r := b.want(test.code, args...); r.stdout != "" {
				t.Errorf("%s says %s", args[0], r)
			}
		}
	}
	cloud.setFaults("- {operation: DescribeApsJobDetail, kind: status, status: 400, code: InvalidInput}\n")
	if d := b.drift(exitDone, "--sample", "100%"); d.Compared != 0 || len(d.Untold) != 3 {
		t.Errorf("details that are not told come to %+v", d)
	}
	cloud.setFaults("")
	if creates := cloud.creates(); creates != 3 {
		t.Errorf("%d creates", creates)
	}
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	b.want(exitDenied, "drift", "plan.yaml")
}

// TestDriftBesideAnApply: it takes no lock, and what the other run has on the way
// is not drift.
func TestDriftBesideAnApply(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms", "--latency", "20ms")
	b.write("plan.yaml", planOf(60))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.write("plan.yaml", strings.ReplaceAll(planOf(90), "{EntireInstance: true}", "{shop: {all: true}}"))
	apply := b.start("apply", "--yes", "--parallel", "2", "plan.yaml")
	looks := 0
	for done := false; !done; looks++ {
		if d := b.drift(exitDone, "--sample", "100%"); len(d.Drift) > 0 {
			t.Errorf("beside an apply it tells of %+v", d.Drift)
		}
		done = len(b.ids()) == 90
	}
	if r := apply.result(); r.code != exitDone {
		t.Error(r)
	}
	if d := b.drift(exitDone, "--sample", "100%"); d.Compared != 90 || d.Busy != 0 {
		t.Errorf("after it, and %d looks, it tells of %+v", looks, d)
	}
}

func TestDriftOfJobsThatAreNew(t *testing.T) {
	b := newBench(t)
	b.emulator("--list-lag", "10m")
	b.write("plan.yaml", planOf(3))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	if d := b.drift(exitDone); len(d.Notes) != 3 || d.Notes[0].Kind != plan.NoteNew || d.Compared != 0 {
		t.Errorf("jobs that are not listed yet are %+v", d)
	}
	if r := b.want(exitDone, "plan", "--refresh", "all", "plan.yaml"); !strings.Contains(r.stdout, "3 to keep") {
		t.Error(r)
	}
}

func TestDriftTellsOfJobsThatFailed(t *testing.T) {
	b := newBench(t)
	b.emulator("--initializing", "1ms", "--fail-share", "1")
	b.write("plan.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.eventually("both to fail", func() bool {
		return strings.Count(b.apsctl("drift", "plan.yaml").stdout, "failed ") == 2
	})
	b.want(exitChanges, "drift", "plan.yaml")
}
