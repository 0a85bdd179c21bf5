package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apsctl/apsctl/internal/emulator"
)

var diskStep = flag.Int("disk.step", 64, "blocks of 512 bytes between the places where a write fails; 1 means all of them")

// TestWriteFailsAtEveryPlace lets no file grow past a limit that moves, step by
// step, over everything that a run writes: each step fails another write. No
// job is created without an account of it, and the next run, with room, ends
// with every job made exactly once.
func TestWriteFailsAtEveryPlace(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	enough := 64
	for !limitOnce(t, binary, enough) {
		if enough *= 2; enough > 1<<14 {
			t.Fatal("no limit is high enough for a run")
		}
	}
	var failed atomic.Int64
	t.Run("blocks", func(t *testing.T) {
		for blocks := 1; blocks < enough; blocks += *diskStep {
			t.Run(fmt.Sprint(blocks), func(t *testing.T) {
				t.Parallel()
				if !limitOnce(t, binary, blocks) {
					failed.Add(1)
				}
			})
		}
	})
	if failed.Load() == 0 {
		t.Error("no write failed")
	}
}

// limitOnce runs with a limit and then without, and reports whether the first
// run did all its work.
func limitOnce(t *testing.T, binary string, blocks int) bool {
	t.Helper()
	c := newKillBench(t, binary, emulator.Options{})
	defer c.close()
	r := c.runLimited(blocks)
	c.checkAccounted(r)
	if next := c.run(""); next.code != 0 {
		t.Errorf("%d blocks: after %s the next run: %s", blocks, r, next)
	}
	if s := c.server.Stats(); s.Creates != c.jobs {
		t.Errorf("%d blocks: %d jobs were made for %d: %s", blocks, s.Creates, c.jobs, r)
	}
	return r.code == 0
}

// runLimited is run with a limit on the size of every file, in blocks of 512
// bytes. Without its signal, a write past it fails like one on a full disk.
func (c *killBench) runLimited(blocks int) result {
	c.Helper()
	shell := fmt.Sprintf("trap '' XFSZ; ulimit -f %d; exec \"$0\" \"$@\"", blocks)
	return c.execute(exec.Command("sh", append([]string{"-c", shell, c.binary}, c.args()...)...), "")
}

// TestLedgerDeletedHalfWay: nothing is created twice, and --adopt rebuilds it.
func TestLedgerDeletedHalfWay(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("half.yaml", planOf(500))
	b.want(0, "apply", "--yes", "--rate", "0", "--parallel", "16", "half.yaml")
	if err := os.RemoveAll(b.dir + "/.apsctl"); err != nil {
		t.Fatal(err)
	}
	b.write("bulk.yaml", planOf(1000))
	lost := b.want(exitUnknown, "apply", "--yes", "--rate", "0", "--parallel", "16", "--max-create", "0", "--on-unknown", "hold", "half.yaml")
	if !strings.Contains(lost.stdout, "--adopt") || cloud.creates() != 500 {
		t.Errorf("%d creates were sent: %s", cloud.creates(), lost)
	}
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--adopt", "--rate", "0", "--parallel", "16", "bulk.yaml"))
	if s := cloud.stats(); a.Counts.Adopted != 500 || a.Counts.Created != 500 || s.Jobs != 1000 || s.Duplicates != 0 {
		t.Errorf("counts are %+v, and the service has %d jobs, %d duplicates", a.Counts, s.Jobs, s.Duplicates)
	}
}
