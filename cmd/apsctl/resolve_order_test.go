package main

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func TestResolveAdoptIsHeldAgainstTheService(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	ids := cloud.jobs(2)
	b.seed(
		seed{name: "job-0000", state: plan.StateConflict, sent: time.Hour, candidates: []string{"x"}, spec: func(s *plan.Spec) { s.Source.Instance = "pc-other" }},
		seed{name: "job-0001", state: plan.StateConflict, candidates: []string{"x"}, spec: func(s *plan.Spec) { s.DBList = `[{"DB":"a"}]` }},
		seed{plan: "second", name: "owner", state: plan.StateCreated, jobID: ids["job-0001"]},
	)
	refused := func(parts []string, args ...string) {
		t.Helper()
		r := b.want(exitLimit, append([]string{"resolve", "--plan", "bulk", "--reason", "because"}, args...)...)
		wantIn(t, r.stderr, parts...)
	}
	refused([]string{"lists no job aps-none", ids["job-0000"]}, "--adopt", "job-0000=aps-none", "--force")
	refused([]string{"lists no job " + ids["job-0001"]}, "--adopt", "job-0000="+ids["job-0001"])
	refused([]string{"its source is pc-000", "--force"}, "--adopt", "job-0000="+ids["job-0000"])
	refused([]string{"is job owner of plan second", "apsctl ledger forget owner --plan second"}, "--adopt", "job-0001="+ids["job-0001"], "--force")
	if e := b.entry("job-0000"); e.State != plan.StateConflict {
		t.Fatalf("the entry is %+v", e)
	}
	// Forced, it is recorded as it is: the plan then shows the difference.
	b.want(exitDone, "ledger", "forget", "owner", "--reason", "not ours")
	out := b.resolved(b.want(exitDone, "resolve", "--plan", "bulk", "--reason", "because", "--force", "-o", "json",
		"--adopt", "job-0000="+ids["job-0000"], "--adopt", "job-0001="+ids["job-0001"]))
	if len(out.ByHand) != 2 || out.ByHand[0].Forced == "" || out.ByHand[1].Forced != "" || len(out.ByHand[1].Notes) != 1 {
		t.Errorf("got %+v", out.ByHand)
	}
	if e := b.entry("job-0000"); e.Spec.Source.Instance != "pc-000" || e.Digest != plan.HashSpec(e.Spec) {
		t.Errorf("recorded is %+v", e)
	}
	if e := b.entry("job-0001"); !plan.SameJSON(e.Spec.DBList, `{"EntireInstance":true}`) {
		t.Errorf("recorded is %+v", e)
	}
	if _, proof := b.lastEvent("job-0000"); !proof.Forced || !strings.Contains(proof.Seen, ids["job-0000"]) {
		t.Errorf("the evidence is %+v", proof)
	}
	// Once more is no mistake.
	b.want(exitDone, "resolve", "--plan", "bulk", "--reason", "again", "--adopt", "job-0000="+ids["job-0000"])
	refused([]string{"has it as created"}, "--adopt", "job-0000="+ids["job-0001"])
	b.write("apsctl.yaml", planOf(2))
	wantIn(t, b.want(exitDone, "plan").stdout, "2 jobs")
}

// The way out of a conflict works as it is printed, whatever differs.
func TestConflictIsLeftByThePrintedCommand(t *testing.T) {
	for field, spec := range map[string]func(*plan.Spec){
		"source":      func(s *plan.Spec) { s.Source.Instance = "pc-other" },
		"destination": func(s *plan.Spec) { s.Destination.Instance = "amv-other" },
		"db_list":     func(s *plan.Spec) { s.DBList = `[{"DB":"a"}]` },
	} {
		t.Run(field, func(t *testing.T) {
			b := newBench(t)
			id := b.emulator().jobs(1)["job-0000"]
			b.seed(seed{name: "job-0000", state: plan.StateUnknown, sent: time.Hour, spec: spec})
			r := b.want(exitUnknown, "resolve", "--plan", "bulk")
			wantIn(t, r.stdout, "conflict; a person settles it", "its "+field+" is")
			printed := regexp.MustCompile(`apsctl resolve .* --force`)
			line := printed.FindString(r.stdout)
			if shown := printed.FindString(b.want(exitDone, "ledger", "show", "job-0000").stdout); line == "" || shown != line {
				t.Fatalf("resolve prints %q, and ledger show %q", line, shown)
			}
			b.shell(exitDone, strings.Replace(line, "WHY", "looked", 1))
			if e := b.entry("job-0000"); e.State != plan.StateCreated || e.JobID != id {
				t.Errorf("the entry is %+v", e)
			}
		})
	}
}

func TestResolveAdoptsAJobThatOnlyThePlanKnows(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	ids := cloud.jobs(1)
	b.seed(seed{name: "job-0001", state: plan.StateRejected})
	order := "job-0000=" + ids["job-0000"]
	r := b.want(exitFailure, "resolve", "--adopt", order, "--reason", "because")
	wantIn(t, r.stderr, `no job "job-0000"`)
	b.write("bulk.yaml", planOf(2))
	b.want(exitDone, "resolve", "bulk.yaml", "--adopt", order, "--reason", "because")
	wantIn(t, b.want(exitDone, "plan", "bulk.yaml").stdout, "1 to create")
	if e := b.entry("job-0000"); e.State != plan.StateCreated || e.Attempt != 0 {
		t.Errorf("the entry is %+v", e)
	}
}

// A name that is listed twice: one is adopted, and the other is pointed out.
func TestResolveDuplicateKeepsOne(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	first, second := cloud.jobs(1)["job-0000"], cloud.jobs(1)["job-0000"]
	b.seed(seed{name: "job-0000", state: plan.StateUnknown})
	wantIn(t, b.want(exitUnknown, "resolve").stdout, "duplicate; a person settles it", first, second)
	r := b.want(exitLimit, "resolve", "--absent", "job-0000", "--reason", "because")
	wantIn(t, r.stderr, "it may well exist", first, second, "--force")
	r = b.want(exitDone, "resolve", "--adopt", "job-0000="+second, "--reason", "the first one stands still")
	wantIn(t, r.stdout, "Note: job "+first+" has the same name and stays")
	// The person has judged the other one: a run that lists the region, for the
	// sake of another job, keeps to it. One that comes later is news.
	b.write("apsctl.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes")
	if e := b.entry("job-0000"); cloud.creates() != 3 || e.State != plan.StateCreated || e.JobID != second {
		t.Errorf("after %d creates the entry is %+v", cloud.creates(), e)
	}
	cloud.jobs(1)
	b.write("apsctl.yaml", planOf(3))
	for _, r := range []result{b.want(exitUnknown, "apply", "--yes"), b.want(exitDone, "plan")} {
		if strings.Count(r.stdout, "\napsctl resolve shows each with its way out.\n") != 1 {
			t.Errorf("it does not point to resolve, once: %s", r)
		}
	}
	if e := b.entry("job-0000"); e.State != plan.StateDuplicate || len(e.Candidates) != 2 {
		t.Errorf("a newcomer left %+v", e)
	}
}

// The id in the plan is a person's word as well.
func TestPinnedAdoptionAmongSeveralStays(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	cloud.jobs(1)
	second := cloud.jobs(1)["job-0000"]
	pinned := func(n int) string {
		return strings.Replace(planOf(n), "source: {instance: pc-000}", "source: {instance: pc-000}\n    adopt: "+second, 1)
	}
	b.write("apsctl.yaml", pinned(1))
	b.want(exitDone, "apply", "--yes")
	b.write("apsctl.yaml", pinned(2))
	b.want(exitDone, "apply", "--yes")
	if e := b.entry("job-0000"); e.State != plan.StateCreated || e.JobID != second {
		t.Errorf("the entry is %+v", e)
	}
}

func TestResolveAbsentIsRefusedWhileTheCreateCanTakeEffect(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown})
	r := b.want(exitLimit, "resolve", "--absent", "job-0000", "--reason", "because")
	wantIn(t, r.stderr, "can still take effect until", "--force")
	if e := b.entry("job-0000"); e.State != plan.StateUnknown {
		t.Fatalf("the entry is %+v", e)
	}
	r = b.want(exitDone, "resolve", "--absent", "job-0000", "--reason", "the network was cut by us", "--force")
	wantIn(t, r.stdout, "Forced, although its create was sent at")
	if _, proof := b.lastEvent("job-0000"); !proof.Forced {
		t.Errorf("the evidence is %+v", proof)
	}
}

// A lost job was created, so that nothing of its create can still take effect: it was
// refused as if that was not known.
func TestResolveAbsentOfALostJobNeedsNoSettleTime(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateLost, jobID: "aps-gone"})
	line := regexp.MustCompile(`apsctl resolve .* --forget job-0000`).FindString(b.want(exitDone, "ledger", "show", "job-0000").stdout)
	b.shell(exitDone, strings.NewReplacer("WHY", "deleted", "--forget", "--absent").Replace(line))
	if _, proof := b.lastEvent("job-0000"); proof.Forced {
		t.Errorf("the evidence is %+v", proof)
	}
	b.write("plan.yaml", planOf(1))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	cloud.checkCloud(1)
}

func TestResolveForgetIsRefusedWhileTheJobCouldExist(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown}, seed{name: "job-0001", state: plan.StateCreated, jobID: "aps-1"})
	// Both or none.
	r := b.want(exitLimit, "resolve", "--forget", "job-0001", "--forget", "job-0000", "--reason", "because")
	wantIn(t, r.stderr, "its outcome is not known", "--force")
	if e := b.entry("job-0001"); e.Name == "" {
		t.Error("the other one is forgotten")
	}
	r = b.want(exitDone, "resolve", "--forget", "job-0000", "--forget", "job-0001", "--reason", "because", "--force")
	wantIn(t, r.stdout, "job-0000 is forgotten", "Note: job aps-1 is left as it is on the service")
	wantIn(t, b.want(exitDone, "ledger", "list").stdout, "No entries.")
}
