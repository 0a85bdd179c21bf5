package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
)

var killSeeds = flag.Int("kill.seeds", 5, "kills at each point for each outcome")

// outcomes are what may have become of the requests of the run that is killed.
// Jobs wait for StartApsJob, and the plan has some of them started.
var outcomes = map[string]emulator.Options{
	// Answered with a server error, and nothing was done.
	"absent": {NeedsStart: true, Initializing: -1, Faults: []emulator.Fault{
		{Operation: "CreateAPSJob", Kind: emulator.FaultStatus, When: emulator.Before, Count: killFaults},
		{Operation: "StartApsJob", Kind: emulator.FaultStatus, When: emulator.Before, Count: 1},
	}},
	// Done; half of the answers are spoiled all the same.
	"present": {NeedsStart: true, Initializing: -1, Faults: []emulator.Fault{
		{Operation: "CreateAPSJob", Kind: emulator.FaultStatus, When: emulator.After, Share: 0.5, Count: killFaults},
		{Operation: "StartApsJob", Kind: emulator.FaultStatus, When: emulator.After, Share: 0.5, Count: 1},
	}},
	// Done a while after the process died.
	"late": {NeedsStart: true, Initializing: -1, Latency: 60 * time.Millisecond, ListLag: 100 * time.Millisecond},
}

// TestKilledAtEachPoint kills the real program with SIGKILL at each named point,
// with the job absent, present or late, and runs it again: no more jobs are
// unknown after the kill than there are workers, none exists that the ledger does
// not account for, and at the end every job exists exactly once, is the one that
// the ledger has, and is started where the plan says so. At the last point the
// disk is full instead.
func TestKilledAtEachPoint(t *testing.T) {
	killEach(t, crashpoint.Points, outcomes, killOnce, func(point crashpoint.Point, outcome string) bool {
		return unreachable[string(point)+"/"+outcome]
	})
}

// killEach kills once at each point, for each outcome and seed, with once, which
// reports whether the run came to the point. Unless excused, one of the seeds must.
func killEach(t *testing.T, points []crashpoint.Point, outcomes map[string]emulator.Options,
	once func(t *testing.T, binary string, point crashpoint.Point, outcome string, seed int) bool,
	excused func(point crashpoint.Point, outcome string) bool,
) {
	t.Helper()
	t.Parallel()
	binary := crashBinary(t)
	for _, point := range points {
		for outcome := range outcomes {
			t.Run(fmt.Sprintf("%s/%s", point, outcome), func(t *testing.T) {
				t.Parallel()
				var struck atomic.Int64
				t.Run("seeds", func(t *testing.T) {
					for seed := range *killSeeds {
						t.Run(fmt.Sprint(seed), func(t *testing.T) {
							t.Parallel()
							if once(t, binary, point, outcome, seed) {
								struck.Add(1)
							}
						})
					}
				})
				if struck.Load() == 0 && !excused(point, outcome) {
					t.Errorf("no run reached this point")
				}
			})
		}
	}
}

// unreachable are the points that a run with that outcome does not come to.
var unreachable = map[string]bool{
	// Nothing is left without an answer.
	"20-look-begun/late": true, "04-unknown-settled/late": true,
}

const (
	killWorkers = 2
	killFaults  = 2 // answers that are spoiled besides
)

// nth is the occurrence of point that a seed kills at: those that come once in a
// run have one.
func nth(point crashpoint.Point, seed int) int {
	switch {
	case point >= crashpoint.SecretRead && point <= crashpoint.VerdictDone, point == crashpoint.CreatedUnsaved:
		return 1 + seed%3
	case point == crashpoint.StartSent:
		return 1 + seed%2
	}
	return 1
}

// killOnce kills one run and lets others finish its work. It reports whether the
// run came to the point.
func killOnce(t *testing.T, binary string, point crashpoint.Point, outcome string, seed int) bool {
	t.Helper()
	options := outcomes[outcome]
	options.Seed = uint64(seed + 1)
	c := newKillBench(t, binary, options)
	defer c.close()
	if point == crashpoint.CreatedUnsaved && seed%2 == 1 {
		c.spoilReserve()
	}
	killed := c.run(fmt.Sprintf("%s=%s:%d", crashpoint.Variable, point, nth(point, seed)))
	c.checkAccounted(killed)
	c.finish()
	if s := c.server.Stats(); s.Jobs != c.jobs || s.Duplicates != 0 || s.Creates != c.jobs {
		t.Fatalf("the service made %d jobs for %d, %d duplicates", s.Creates, c.jobs, s.Duplicates)
	}
	c.checkAgreed()
	if point == crashpoint.CreatedUnsaved {
		return killed.code == exitLedger
	}
	return killed.wasKilled()
}

// TestCrashPointsLeaveNoTraceInANormalBuild looks for them in the binary.
func TestCrashPointsLeaveNoTraceInANormalBuild(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	normal := filepath.Join(t.TempDir(), "apsctl")
	if out, err := exec.Command("go", "build", "-o", normal, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for path, want := range map[string]bool{binary: true, normal: false} {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, sign := range []string{crashpoint.Variable, string(crashpoint.IntentCommitted), "internal/crashpoint"} {
			if strings.Contains(string(content), sign) != want {
				t.Errorf("%s: %q is in the binary: %v", filepath.Base(path), sign, !want)
			}
		}
	}
}
