package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/emulator"
)

// checkCloud fails the test unless the service has n jobs, none of them twice.
func (c *cloud) checkCloud(n int) {
	c.Helper()
	if s := c.stats(); s.Jobs != n || s.Duplicates != 0 {
		c.Errorf("the service has %d jobs, %d duplicates; want %d", s.Jobs, s.Duplicates, n)
	}
}

func TestTwoLedgersForOnePlanShowTheConflict(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(5))
	b.want(0, "apply", "--yes", "--ledger", "one.db", "bulk.yaml")
	second := b.want(exitUnknown, "apply", "--yes", "--ledger", "two.db", "bulk.yaml")
	if !strings.Contains(second.stdout, "ledger does not know it") {
		t.Errorf("the second ledger's run says %s", second)
	}
	cloud.checkCloud(5)
}

func TestOnePlanUnderTwoFileNamesIsOnePlan(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("a.yaml", planOf(3))
	b.write("b.yaml", planOf(3))
	b.want(0, "apply", "--yes", "a.yaml")
	b.want(0, "apply", "--yes", "b.yaml")
	cloud.checkCloud(3)
}

func TestPlanReplacedDuringTheRunDoesNotMatter(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "100ms")
	b.write("bulk.yaml", planOf(10))
	p := b.start("apply", "--yes", "--rate", "0", "--parallel", "2", "bulk.yaml")
	b.eventually("a create", func() bool { return cloud.creates() > 0 })
	b.write("bulk.yaml", planOf(50))
	if r := p.result(); r.code != 0 {
		t.Errorf("%s", r)
	}
	cloud.checkCloud(10)
}

func TestReadersWorkWhileARunWrites(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "100ms")
	b.write("bulk.yaml", planOf(1000)) // more than it comes to, however slow the readers are
	p := b.start("apply", "--yes", "--rate", "0", "--parallel", "1", "bulk.yaml")
	b.eventually("a create", func() bool { return cloud.creates() > 0 })
	b.want(0, "status")
	b.want(0, "plan", "bulk.yaml")
	b.want(exitLocked, "resolve", "bulk.yaml")
	_ = p.Process.Kill()
}

func TestLogOfTheLedgerDeleted(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--latency", "50ms")
	b.write("bulk.yaml", planOf(30))
	p := b.start("apply", "--yes", "--rate", "0", "--parallel", "4", "bulk.yaml")
	b.eventually("some jobs", func() bool { return cloud.stats().Jobs > 10 })
	_ = p.Process.Kill()
	_ = p.Wait()
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(filepath.Join(b.dir, ledgerDefault+suffix))
	}
	// What the log held is gone; the service's listing is the second copy.
	b.apsctl("apply", "--yes", "--adopt", "--settle", "100ms", "bulk.yaml")
	time.Sleep(200 * time.Millisecond)
	b.want(0, "apply", "--yes", "--adopt", "--settle", "100ms", "bulk.yaml")
	cloud.checkCloud(30)
}

func TestJobThatFailsToStartIsNotMadeAgain(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	c := newKillBench(t, binary, emulator.Options{FirstStatus: "InitializeFailed", Initializing: time.Hour})
	defer c.close()
	for range 2 {
		// The plan wants some of them running, which they are not.
		if r := c.run(""); r.code != exitFailed {
			t.Errorf("%s", r)
		}
	}
	if s := c.server.Stats(); s.Creates != c.jobs {
		t.Errorf("%d jobs were made for %d", s.Creates, c.jobs)
	}
}

func TestFewFileDescriptorsAndLittleMemory(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	c := newKillBench(t, binary, emulator.Options{})
	defer c.close()
	limited := append([]string{"-c", `ulimit -n 32; export GOMEMLIMIT=16MiB; exec "$0" "$@"`, binary}, c.args()...)
	first := c.execute(exec.Command("sh", limited...), "")
	c.checkAccounted(first)
	if r := c.run(""); r.code != 0 {
		t.Errorf("after %s: %s", first, r)
	}
	if s := c.server.Stats(); s.Creates != c.jobs {
		t.Errorf("%d jobs were made for %d", s.Creates, c.jobs)
	}
}
