package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
)

// changeOutcomes are what may have become of the requests that change, start,
// suspend and delete jobs when the run that sent them is killed.
var changeOutcomes = map[string]emulator.Options{
	"absent":  {Faults: []emulator.Fault{{Operation: "*ApsJob", Kind: emulator.FaultStatus, When: emulator.Before, Share: 0.5, Count: 2}}},
	"present": {Faults: []emulator.Fault{{Operation: "*ApsJob", Kind: emulator.FaultStatus, When: emulator.After, Share: 0.5, Count: 2}}},
	"late":    {Latency: 30 * time.Millisecond, ListLag: 50 * time.Millisecond},
	"at rest": {ModifyNeedsSuspended: true, DeleteNeedsSuspended: true},
}

// killedChanges is how many requests the second plan of the bench leads to at least:
// two deletions, one of them for a replacement, and one of each other kind.
const killedChanges = 5

// TestKilledAtEachPointOfAChange kills the real program with SIGKILL at the
// moments of a request that changes an existing job, and runs it again: in the
// end each job is as the plan has it, the one that was to go is gone, only one
// was created in another's place, and no other was touched.
func TestKilledAtEachPointOfAChange(t *testing.T) {
	killEach(t, crashpoint.ChangePoints, changeOutcomes, killChangeOnce, func(crashpoint.Point, string) bool { return false })
}

// killChangeOnce creates the jobs of one plan, kills a run of the next plan, and
// lets others finish. It reports whether the run came to the point.
func killChangeOnce(t *testing.T, binary string, point crashpoint.Point, outcome string, seed int) bool {
	t.Helper()
	options := changeOutcomes[outcome]
	faults := options.Faults
	options.Seed, options.Faults, options.NeedsStart, options.Initializing = uint64(seed+1), nil, !options.ModifyNeedsSuspended, -1
	c := newKillBench(t, binary, options)
	defer c.close()
	if !options.NeedsStart {
		c.unput = "Running"
	}
	c.plan(false)
	c.finish()
	before := map[string]serviceJob{}
	for _, job := range c.onService() {
		before[job.Name] = job
	}
	c.plan(true)
	if err := c.server.SetFaults(faults); err != nil {
		t.Fatal(err)
	}
	killed := c.run(fmt.Sprintf("%s=%s:%d", crashpoint.Variable, point, 1+seed%killedChanges))
	c.finish()
	c.checkChanged(before)
	c.checkAgreed()
	return killed.wasKilled()
}

// plan writes the first plan of the bench, or the one with the changes. It has
// no job-2 then: its entry says that it is deleted when it leaves the plan.
func (c *killBench) plan(changed bool) {
	c.Helper()
	pick := func(first, second string) string {
		if changed {
			return second
		}
		return first
	}
	jobs := []string{
		"{name: job-0, source: {instance: pc-0}, db_list: " + pick("{a: {all: true}}", "{b: {all: true}}") + "}",
		"{name: job-1, source: {instance: " + pick("pc-1", "pc-9") + "}}",
		"{name: job-3, source: {instance: pc-3}, state: " + pick("running", "suspended") + "}",
		"{name: job-4, source: {instance: pc-4}" + pick("", ", state: running") + "}",
		"{name: job-5, source: {instance: pc-5}}",
	}
	if !changed {
		jobs = append(jobs, "{name: job-2, source: {instance: pc-2}, on_remove: delete}")
	}
	text := "version: 1\nname: kill\nregion: cn-hangzhou\ndefaults:\n  destination: {instance: amv-1}\n  db_list: {EntireInstance: true}\n" +
		"jobs:\n  - " + strings.Join(jobs, "\n  - ") + "\n"
	if err := os.WriteFile(filepath.Join(c.dir, "plan.yaml"), []byte(text), 0o600); err != nil {
		c.Fatal(err)
	}
	c.flags = []string{"--allow", "replace,suspend"}
}

// checkChanged holds the service against what it had before and the second plan.
func (c *killBench) checkChanged(before map[string]serviceJob) {
	c.Helper()
	jobs := map[string]serviceJob{}
	for _, job := range c.onService() {
		jobs[job.Name] = job
		if old := before[job.Name]; (job.ID == old.ID) != (job.Name != "job-1") {
			c.Errorf("%s was %s and is %s", job.Name, old.ID, job.ID)
		}
	}
	s := c.server.Stats()
	if _, there := jobs["job-2"]; there || s.Jobs != len(before)-1 || s.Creates != len(before)+1 || s.Duplicates != 0 {
		c.Errorf("the service made %d jobs and has %d, %d duplicates: %v", s.Creates, s.Jobs, s.Duplicates, jobs)
	}
	if !plan.SameJSON(jobs["job-0"].DBList, `{"b":{"all":true}}`) || jobs["job-1"].Source != "pc-9" {
		c.Errorf("job-0 has %s, job-1 is from %s", jobs["job-0"].DBList, jobs["job-1"].Source)
	}
}
