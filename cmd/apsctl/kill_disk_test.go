package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
)

// TestFullDiskAtTheCommitOfACreatedJob: nothing more is sent, the job is saved
// with the room that was put by or else named in the emergency line, the commands
// in that line record it, and the next run ends clean.
func TestFullDiskAtTheCommitOfACreatedJob(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	for _, reserve := range []bool{true, false} {
		t.Run(fmt.Sprintf("reserve=%v", reserve), func(t *testing.T) {
			c := newKillBench(t, binary, emulator.Options{})
			defer c.close()
			if !reserve {
				c.spoilReserve()
			}
			full := c.run(crashpoint.Variable + "=" + string(crashpoint.CreatedUnsaved))
			sent := c.server.Stats().Creates
			if full.code != exitLedger || sent > killWorkers {
				t.Fatalf("%d jobs were created: %s", sent, full)
			}
			line, err := os.ReadFile(c.ledger + ".emergency")
			if said := strings.Contains(string(line), "aps_job_id") && strings.Contains(full.stderr, "run apply again"); said == reserve {
				t.Errorf("with reserve %v the emergency line is %q (%v): %s", reserve, line, err, full)
			}
			if !reserve {
				c.adoptBy(line)
			}
			if next := c.run(""); next.code != 0 {
				t.Errorf("the next run: %s", next)
			}
			if s := c.server.Stats(); s.Creates != c.jobs {
				t.Errorf("%d jobs were created for %d", s.Creates, c.jobs)
			}
		})
	}
}

// adoptBy runs the commands of an emergency line as they are printed, the one on
// the ledger as it is and the other without it, and checks that the job is on
// record then.
func (c *killBench) adoptBy(text []byte) {
	c.Helper()
	var line emergencyLine
	if err := json.Unmarshal(text, &line); err != nil {
		c.Fatalf("%v in %s", err, text)
	}
	c.recorded(line, line.Adopt)
	if err := os.Remove(c.ledger); err != nil {
		c.Fatal(err)
	}
	c.recorded(line, line.Rebuild+" --yes")
}

func (c *killBench) recorded(line emergencyLine, command string) {
	c.Helper()
	r := c.execute(exec.Command("sh", "-c", `apsctl() { "$0" "$@"; }; `+command, c.binary), "")
	if e := c.entries()[line.Name]; r.code != 0 || e.State != plan.StateCreated || e.JobID != line.JobID {
		c.Errorf("after %s the ledger has %q %s: %s", command, e.State, e.JobID, r)
	}
}
