package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// TestKilledWhileStartingSuspendingAndDeleting kills the real program at each
// moment of a change, with the request answered, done without an answer, or not
// done: the same command ends in what was asked for, and nothing happens to the
// jobs that were not named.
func TestKilledWhileStartingSuspendingAndDeleting(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	operations := map[string]plan.Operation{"start": plan.OperationStart, "suspend": plan.OperationSuspend, "delete": plan.OperationDelete}
	for verb, operation := range operations {
		for _, point := range crashpoint.ChangePoints {
			if verb == "delete" && point == crashpoint.ChangeConfirmed {
				continue // the listing confirms it
			}
			t.Run(fmt.Sprintf("%s/%s", verb, point), func(t *testing.T) {
				t.Parallel()
				var struck atomic.Int64
				for outcome, when := range map[string]emulator.FaultTime{"answered": "", "done": emulator.After, "not done": emulator.Before} {
					for _, n := range []int{1, 3} { // which occurrence of the point, of those of three jobs
						t.Run(fmt.Sprintf("%s/%d", outcome, n), func(t *testing.T) {
							var faults []emulator.Fault
							if when != "" {
								faults = []emulator.Fault{{Operation: string(operation), Kind: emulator.FaultStatus, When: when, Count: n}}
							}
							if killLifeOnce(t, binary, verb, fmt.Sprintf("%s:%d", point, n), faults) {
								struck.Add(1)
							}
						})
					}
				}
				if struck.Load() == 0 {
					t.Error("no run reached this point")
				}
			})
		}
	}
}

// killLifeOnce kills one command and lets the same one finish its work. It reports
// whether the command came to the point.
func killLifeOnce(t *testing.T, binary, verb, point string, faults []emulator.Fault) bool {
	t.Helper()
	c := newKillBench(t, binary, emulator.Options{Initializing: -1})
	defer c.close()
	if r := c.run(""); r.code != 0 {
		t.Fatalf("apply: %s", r)
	}
	if verb == "start" {
		if r := c.life("suspend", "", "*"); r.code != 0 {
			t.Fatalf("suspend: %s", r)
		}
	}
	if err := c.server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
	named := []string{"job-0", "job-2", "job-4"}
	killed := c.life(verb, crashpoint.Variable+"="+point, named...)
	for try := 0; ; try++ {
		again := c.life(verb, "", named...)
		if again.code == 0 {
			break
		}
		if try == 4 || again.code == exitLocked {
			t.Fatalf("it does not come to an end: %s\nafter %s", again, killed)
		}
		time.Sleep(200 * time.Millisecond)
	}
	c.checkLife(verb, named)
	return strings.Contains(killed.stderr, "killed")
}

func (c *killBench) life(verb, variable string, selectors ...string) result {
	c.Helper()
	args := append([]string{
		verb, "--yes", "-o", "json", "--rate", "0", "--parallel", fmt.Sprint(killWorkers),
		"--settle", "400ms", "--ledger", c.ledger, "--endpoint", "http://" + c.address,
	}, selectors...)
	return c.execute(exec.Command(c.binary, args...), variable)
}

// checkLife holds the service and the ledger against what was asked for: named and
// nothing else.
func (c *killBench) checkLife(verb string, named []string) {
	c.Helper()
	before, after := "Running", map[string]string{"start": "Running", "suspend": "Suspended", "delete": ""}[verb]
	if verb == "start" {
		before = "Suspended"
	}
	statuses := c.statuses()
	ledger, err := store.OpenReadOnly(c.Context(), c.ledger)
	if err != nil {
		c.Fatal(err)
	}
	defer ledger.Close()
	entries, err := ledger.Entries(c.Context(), store.Filter{})
	if err != nil {
		c.Fatal(err)
	}
	for i, e := range entries {
		want, state := before, plan.StateCreated
		if i%2 == 0 { // it was named
			if want = after; verb == "delete" {
				state = plan.StateAbsent
			}
		}
		if statuses[e.Name] != want || e.State != state {
			c.Errorf("%s is %q at the service and %s in the ledger, want %q and %s", e.Name, statuses[e.Name], e.State, want, state)
		}
	}
	if len(entries) != c.jobs {
		c.Errorf("%d entries, named %v", len(entries), named)
	}
}

// statuses are what the service shows of its jobs, by name.
func (c *killBench) statuses() map[string]string {
	c.Helper()
	response, err := http.Get("http://" + c.address + "/_emulator/jobs")
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	var jobs []struct{ Name, Status string }
	if err := json.NewDecoder(response.Body).Decode(&jobs); err != nil {
		c.Fatal(err)
	}
	statuses := map[string]string{}
	for _, job := range jobs {
		statuses[job.Name] = job.Status
	}
	return statuses
}
