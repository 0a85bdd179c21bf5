package main

import (
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// TestRunsSayWhatHappened: calls, throttling and errors by cause are on record,
// with the service's words, and two runs can be compared.
func TestRunsSayWhatHappened(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("apsctl.yaml", planOf(3))
	b.want(exitDone, "apply", "--yes")
	cloud.setFaults(`
- {operation: CreateAPSJob, kind: throttle, count: 2}
- {operation: CreateAPSJob, kind: status, status: 404, code: InvalidDBClusterId.NotFound, count: 1}
`)
	b.write("apsctl.yaml", planOf(5))
	b.want(exitFailed, "apply", "--yes", "--parallel", "1")
	var all runsJSON
	b.decode(b.want(exitDone, "runs", "-o", "json"), &all)
	if len(all.Runs) != 2 || all.Runs[0].State != jsonform.RunEnded || *all.Runs[0].ExitCode != exitFailed || all.Runs[0].PlanDigest == all.Runs[1].PlanDigest {
		t.Fatalf("got %+v", all)
	}
	var one runJSON
	b.decode(b.want(exitDone, "runs", "last", "-o", "json"), &one)
	sent, throttled := jsonform.Sum(one.Calls)
	if s := cloud.stats(); throttled != 2 || sent <= 3 || one.Calls[0].Sent != s.Actions["CreateAPSJob"].Calls-3 {
		t.Errorf("calls are %+v, and the service counted %+v", one.Calls, s)
	}
	if len(one.Errors) != 1 || one.Errors[0].Cause != "InvalidDBClusterId.NotFound" || one.Errors[0].Jobs != 1 || one.Errors[0].Code != string(codeJobFailed) || len(one.Errors[0].Names) != 1 {
		t.Errorf("errors are %+v", one.Errors)
	}
	wantIn(t, b.want(exitDone, "runs", "last").stdout, "3, some jobs failed", "2 throttled", "answered by a fault", "from intent to created")
	wantIn(t, b.want(exitDone, "ledger", "show", one.Errors[0].Names[0]).stdout, "answered by a fault")

	cloud.setFaults("")
	b.want(exitDone, "apply", "--yes")
	older := all.Runs[0].ID
	wantIn(t, b.want(exitDone, "runs", older[:len(older)-2], "--diff", "last").stdout, "The plan was the same", "failed: 1, then 0",
		"Errors that are gone", one.Errors[0].Names[0], "rejected", "created")
	var diff runsDiff
	b.decode(b.want(exitDone, "runs", "last", "--diff", "last~2", "-o", "json"), &diff)
	if diff.Older.ID != all.Runs[1].ID || len(diff.Jobs) != 2 || diff.Jobs[0].From != plan.StateNone || diff.Jobs[1].To != plan.StateCreated || diff.SamePlan {
		t.Errorf("got %+v", diff)
	}
	wantIn(t, b.want(exitInvalid, "runs", "20").stderr, "begins the names of 3 runs")
	wantIn(t, b.want(exitInvalid, "runs", "last~3").stderr, "last~2")
	wantIn(t, b.want(exitInvalid, "runs", "nobody").stderr, "no run")
	b.want(exitInvalid, "runs", "last", "--diff", "last")
	wantIn(t, b.want(exitDone, "runs", "--limit", "1").stdout, "2 runs before these")
	b.want(exitFailure, "runs", "--plan", "nobody")
}

// TestRunThatDiedIsShownAsSuch: and one that is at work as at work.
func TestRunThatDiedIsShownAsSuch(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	cloud.setFaults(`[{operation: CreateAPSJob, kind: hang, count: 100}]`)
	b.write("apsctl.yaml", planOf(4))
	p := b.start("apply", "--yes")
	b.eventually("a create on the wire", func() bool { return cloud.creates() > 0 })
	wantIn(t, b.want(exitDone, "runs", "last").stdout, "at work")
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = p.Wait()
	var one runJSON
	b.decode(b.want(exitDone, "runs", "last", "-o", "json"), &one)
	if one.State != jsonform.RunDied || one.ExitCode != nil || one.FinishedAt != nil {
		t.Errorf("got %+v", one)
	}
	wantIn(t, b.want(exitDone, "runs").stdout, "died", "the next run settles")
	wantIn(t, b.want(exitDone, "runs", "last").stdout, "exit         unknown")
}

// TestDifferenceAfterAPruneSaysWhatItDoesNotKnow: the first event that is left of a
// job does not begin where the older run left it.
func TestDifferenceAfterAPruneSaysWhatItDoesNotKnow(t *testing.T) {
	b := newBench(t)
	b.emulator()
	for n := 1; n <= 3; n++ {
		b.write("plan.yaml", planOf(n))
		b.want(exitDone, "apply", "--yes", "plan.yaml")
	}
	args := []string{"runs", "last~2", "--diff", "last"}
	if r := b.want(exitDone, args...); !strings.Contains(r.stdout, "after the older") || strings.Contains(r.stdout, "pruned") {
		t.Errorf("before: %s", r)
	}
	ledger, done := b.openLedger()
	runs, err := ledger.Runs(t.Context(), 3) // newest first
	if err == nil {
		_, err = ledger.Prune(t.Context(), runs[0].StartedAt.Add(-time.Millisecond), store.Person{At: time.Now()}, false)
	}
	done()
	if err != nil {
		t.Fatal(err)
	}
	r := b.want(exitDone, args...)
	wantIn(t, r.stdout, "earliest on record", "not known")
	if strings.Contains(r.stdout, "after the older  ") {
		t.Errorf("got %s", r)
	}
}

// TestPrune: what is open stays, what was deleted is said, and nothing that a
// later apply needs is gone.
func TestPrune(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown, sent: 100 * 24 * time.Hour},
		seed{name: "job-0001", state: plan.StateRejected, sent: 100 * 24 * time.Hour},
		seed{name: "job-0002", state: plan.StateRejected, sent: time.Hour})
	b.want(exitInvalid, "ledger", "prune")
	for _, bad := range []string{"90", "0d", "-1h", "d", "1y"} {
		b.want(exitInvalid, "ledger", "prune", "--older-than", bad)
	}
	var out pruneJSON
	b.decode(b.want(exitDone, "ledger", "prune", "--older-than", "90d", "--dry-run", "-o", "json"), &out)
	if !out.DryRun || out.Events != 1 || out.KeptOpen != 2 || out.KeptLatest != 1 {
		t.Errorf("got %+v", out)
	}
	lock, err := store.AcquireLock(b.ledgerPath(), store.Holder{PID: 1})
	if err != nil {
		t.Fatal(err)
	}
	b.want(exitLocked, "ledger", "prune", "--older-than", "90d")
	b.want(exitDone, "ledger", "prune", "--older-than", "12w", "--dry-run")
	_ = lock.Release()
	wantIn(t, b.want(exitDone, "ledger", "prune", "--older-than", "90d").stdout, "Deleted 1 event ", "Kept 2 events")
	if events := b.want(exitDone, "ledger", "events").stdout; strings.Count(events, "\n") != 6 {
		t.Errorf("left are\n%s", events)
	}
	wantIn(t, b.want(exitDone, "ledger", "sql", "SELECT * FROM prune_log").stdout, "older_than")
	b.want(exitDone, "ledger", "verify")
	wantIn(t, b.want(exitDone, "resolve", "--plan", "bulk", "--settle", "1s").stdout, "absent")
}
