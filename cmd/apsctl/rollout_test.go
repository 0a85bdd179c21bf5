package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// cloudJob is a job as the emulator's own page shows it.
type cloudJob struct {
	Name        string `json:"name"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Status      string `json:"status"`
	DBList      string `json:"db_list"`
	CreatedMs   int64  `json:"created_ms"`
}

// details are the jobs of the emulator, by name.
func (c *cloud) details() []cloudJob {
	c.Helper()
	response, err := http.Get(c.address + "/_emulator/jobs")
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	var jobs []cloudJob
	if err := json.NewDecoder(response.Body).Decode(&jobs); err != nil {
		c.Fatal(err)
	}
	slices.SortFunc(jobs, func(a, b cloudJob) int { return strings.Compare(a.Name, b.Name) })
	return jobs
}

// TestWavesStopWhereTooManyFail: of 5 % of the jobs, initialising fails. The run
// ends in the wave that passes the cap, and tries none of the jobs behind it.
func TestWavesStopWhereTooManyFail(t *testing.T) {
	b := newBench(t)
	c := b.emulator("--initializing", "100ms", "--fail-share", "0.05")
	b.write("waves.yaml", planOf(200)+"run: {wave: [1, 10, 40, 100, rest], wait: running, max_failures: 2%, rate: 0}\n")
	r := b.want(exitLeft, "apply", "--yes", "-o", "json", "waves.yaml")

	jobs, failed, passed := c.details(), 0, 0
	for i, job := range jobs {
		if want := fmt.Sprintf("job-%04d", i); job.Name != want {
			t.Fatalf("job %d is %s: a wave goes in the order of the plan", i, job.Name)
		}
		if job.Status == "InitializeFailed" {
			failed++
		}
	}
	ends := []int{1, 11, 51, 151, 200} // of the waves
	for passed < len(ends)-1 {
		n := 0
		for _, job := range jobs[:min(ends[passed], len(jobs))] {
			if job.Status == "InitializeFailed" {
				n++
			}
		}
		if n > ends[passed]*2/100 {
			break
		}
		passed++
	}
	if failed == 0 || len(jobs) > ends[passed] || passed > 0 && len(jobs) <= ends[passed-1] {
		t.Errorf("%d jobs were made and %d failed; the cap is passed in wave %d, which ends with job %d", len(jobs), failed, passed+1, ends[passed])
	}
	report := b.applied(r)
	if report.Counts.NotTried != 200-len(jobs) || report.Counts.Unhealthy == 0 {
		t.Errorf("reported %+v with %d jobs made", report.Counts, len(jobs))
	}
	wantIn(t, b.want(exitLeft, "apply", "--yes", "waves.yaml").stdout, "--wave-failures")
}

// TestBoundsPerInstanceHoldAtEveryInstant: the emulator's own times tell how many
// jobs of one instance were initialising at once.
func TestBoundsPerInstanceHoldAtEveryInstant(t *testing.T) {
	const initialising = 700 * time.Millisecond
	b := newBench(t)
	c := b.emulator("--initializing", initialising.String())
	b.write("bounds.yaml", strings.Replace(planOf(24), "source: {instance: pc-000}", "source: {instance: pc-001}", 2)+
		"run: {per_source: 1, per_destination: 4, rate: 0}\n")
	b.want(0, "apply", "--yes", "bounds.yaml")

	jobs := c.details()
	if len(jobs) != 24 {
		t.Fatalf("%d jobs were made for 24", len(jobs))
	}
	most := func(key func(cloudJob) string) int {
		most := 0
		for _, one := range jobs {
			n := 0
			for _, other := range jobs {
				if key(one) == key(other) && other.CreatedMs <= one.CreatedMs && one.CreatedMs < other.CreatedMs+initialising.Milliseconds() {
					n++
				}
			}
			most = max(most, n)
		}
		return most
	}
	if n := most(func(j cloudJob) string { return j.Source }); n != 1 {
		t.Errorf("%d jobs of one source were initialising at once, and per_source is 1", n)
	}
	if n := most(func(j cloudJob) string { return j.Destination }); n > 4 || n < 2 {
		t.Errorf("%d jobs of the destination were initialising at once, and per_destination is 4", n)
	}
}
