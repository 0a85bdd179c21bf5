package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/store"
)

func TestIfLocked(t *testing.T) {
	for text, want := range map[string]string{"fail": "fail", "skip": "skip", "wait:90s": "wait:1m30s"} {
		var l ifLocked
		if err := l.Set(text); err != nil || l.String() != want {
			t.Errorf("%s: got %s, %v", text, l.String(), err)
		}
	}
	for _, text := range []string{"", "wait", "wait:", "wait:0s", "wait:-1s", "wait:30", "Skip"} {
		if err := new(ifLocked).Set(text); err == nil {
			t.Errorf("%q: got no error", text)
		}
	}
}

// holdLock takes the lock of the bench's ledger in this process.
func (b *bench) holdLock() *store.Lock {
	b.Helper()
	lock, err := store.AcquireLock(filepath.Join(b.dir, ledgerDefault), store.Holder{PID: os.Getpid(), Command: "the other one"})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = lock.Release() })
	return lock
}

func TestLockedLedgerIsFailedSkippedOrWaitedFor(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("plan.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.write("plan.yaml", planOf(3))
	lock := b.holdLock()

	b.want(exitLocked, "apply", "--yes", "plan.yaml")
	b.want(exitLocked, "apply", "--yes", "--if-locked", "fail", "plan.yaml")
	r := b.want(exitDone, "apply", "--yes", "--if-locked", "skip", "plan.yaml")
	if r.stdout != "" || !strings.Contains(r.stderr, "skipped") || !strings.Contains(r.stderr, "(the other one)") {
		t.Errorf("a skip does not say who is at work: %s", r)
	}
	if r := b.want(exitDone, "apply", "--yes", "--quiet", "--if-locked", "skip", "plan.yaml"); r.stdout+r.stderr != "" {
		t.Errorf("a quiet skip said %s", r)
	}
	r = b.want(exitDone, "apply", "--yes", "-o", "json", "--if-locked", "skip", "plan.yaml")
	var out map[string]any
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || out["plan"] != "bulk" || out["skipped"] == nil {
		t.Errorf("%v: %s", err, r)
	}
	if r := b.want(exitLocked, "apply", "--yes", "--if-locked", "wait:200ms", "plan.yaml"); !strings.Contains(r.stderr, "after waiting for 200ms") {
		t.Errorf("got %s", r)
	}
	b.want(exitDone, "resolve", "--if-locked", "skip", "plan.yaml")
	b.want(exitDone, "suspend", "--yes", "--if-locked", "skip", "job-0000")
	b.want(exitDone, "ledger", "prune", "--older-than", "90d", "--if-locked", "skip")
	b.want(exitInvalid, "apply", "--yes", "--if-locked", "wait", "plan.yaml")
	if n := cloud.creates(); n != 2 {
		t.Fatalf("%d creates were sent while another run held the lock", n)
	}

	waiting := b.start("apply", "--yes", "--if-locked", "wait:1m", "plan.yaml")
	time.Sleep(100 * time.Millisecond) // most likely it waits by now; else it has less to wait for
	_ = lock.Release()
	if r := waiting.result(); r.code != exitDone || cloud.creates() != 3 {
		t.Errorf("after the lock was free: %s", r)
	}
}

func TestWaitForALockEndsWithItsContext(t *testing.T) {
	b := newBench(t)
	b.holdLock()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	c := target{ledger: filepath.Join(b.dir, ledgerDefault), ifLocked: ifLocked{wait: time.Hour}}
	if _, err := c.acquireLock(ctx, store.Holder{PID: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// outOfTime runs apsctl with a --max-runtime that is over while creates are on the wire,
// which are answered then. How long it takes to send the first depends on the machine:
// what was over before it is tried again with more.
func (c *cloud) outOfTime(args ...string) result {
	c.Helper()
	gate := c.gate(0)
	for limit := 2 * time.Second; limit < time.Minute; limit *= 4 {
		events := "events-" + limit.String()
		p := c.start(append(args, "--max-runtime", limit.String(), "--events", events)...)
		done := make(chan result, 1)
		go func() { done <- p.result() }()
		c.eventually("the time to be over", func() bool { return len(done) > 0 || gate.held.Load() > 0 && c.stopping(events) })
		if gate.held.Load() > 0 {
			gate.open()
			return <-done
		}
		if r := <-done; r.code != exitLeft {
			c.Fatalf("want exit %d, got %s", exitLeft, r)
		}
	}
	c.Fatal("no create was sent in time")
	return result{}
}

func TestMaxRuntimeLeavesTheRest(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("plan.yaml", planOf(40))
	a := b.applied(cloud.outOfTime("apply", "--yes", "--parallel", "2", "-o", "json", "plan.yaml"))
	if a.ExitCode != exitLeft || a.Counts.Created == 0 || a.Counts.NotTried == 0 || a.Counts.Unknown != 0 || a.Counts.Created != cloud.creates() || a.Stop != "the time for this run is over" {
		t.Errorf("counts are %+v, stop %q, %d on the service", a.Counts, a.Stop, cloud.creates())
	}
	if r := b.want(exitLeft, "apply", "--yes", "--max-runtime", "1ms", "plan.yaml"); !strings.Contains(r.stderr, "--max-runtime 1ms") {
		t.Errorf("got %s", r)
	}
	b.want(exitInvalid, "apply", "--yes", "--max-runtime", "0s", "plan.yaml")
	if r := b.want(exitDone, "apply", "--yes", "plan.yaml"); cloud.stats().Jobs != 40 || cloud.stats().Duplicates != 0 {
		t.Errorf("%+v: %s", cloud.stats(), r)
	}
}

func TestQuietPrintsOnlyChangeAndTrouble(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("plan.yaml", planOf(2))
	if r := b.want(exitDone, "apply", "--yes", "-q", "plan.yaml"); !strings.Contains(r.stdout, "job-0000") || !strings.Contains(r.stdout, "2 created") {
		t.Errorf("a change is not told: %s", r)
	}
	for _, extra := range []string{"--quiet", "-ojson"} {
		if r := b.want(exitDone, "apply", "--yes", "--quiet", extra, "plan.yaml"); r.stdout+r.stderr != "" {
			t.Errorf("nothing was done, and it said %s", r)
		}
	}
	b.write("plan.yaml", planOf(3))
	cloud.setFaults("[{operation: CreateAPSJob, kind: status, status: 400, code: InvalidParameter}]")
	if r := b.want(exitFailed, "apply", "--yes", "--quiet", "plan.yaml"); !strings.Contains(r.stdout, "InvalidParameter") {
		t.Errorf("trouble is not told: %s", r)
	}
}
