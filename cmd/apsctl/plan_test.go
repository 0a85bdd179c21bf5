package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEveryCrowdedSourceIsInTheJSON: the warning names a few of them, and says
// where the others are.
func TestEveryCrowdedSourceIsInTheJSON(t *testing.T) {
	b := newBench(t)
	b.write("bulk.yaml", planOf(30)+"limits: {service_per_source: 2}\n")
	wantIn(t, b.want(0, "plan", "--emulator", "bulk.yaml").stdout, "pc-000 3, pc-001 3, pc-002 3 and 7 more sources too many as well, listed by plan -o json")
	var all planJSON
	b.decode(b.want(0, "plan", "--emulator", "-o", "json", "bulk.yaml"), &all)
	if len(all.Warnings) != 1 || len(all.Crowded) != 10 || all.Crowded[9] != (crowdedJSON{"source", "pc-009", 3, 2}) {
		t.Errorf("%v, %+v", all.Warnings, all.Crowded)
	}
}

func TestPlanIsReadInEveryForm(t *testing.T) {
	b := newBench(t)
	b.write("bulk.yaml", planOf(100))
	b.want(0, "apply", "--emulator", "--yes", "--target", "job-000?", "bulk.yaml")
	b.write("bulk.yaml", strings.ReplaceAll(planOf(100), "pc-001", "pc-other"))

	page := b.want(0, "plan", "--emulator", "bulk.yaml").stdout
	if strings.Count(page, "\n") > 60 || !strings.Contains(page, "90 to create, new") || !strings.Contains(page, "3 to replace, differs in source.instance") {
		t.Errorf("the page is\n%s", page)
	}
	wantIn(t, page, "documents at most 30 jobs per region", "Forecast: at least 90 CreateAPSJob")

	part := b.want(0, "plan", "--emulator", "--op", "replace", "bulk.yaml").stdout
	if !strings.Contains(part, "± job-0004 ") || strings.Contains(part, "+ job-") {
		t.Errorf("--op replace lists\n%s", part)
	}
	wantIn(t, b.want(exitInvalid, "plan", "--op", "replaced", "bulk.yaml").stderr, "--op takes create, adopt, ")

	lines := strings.Split(strings.TrimSpace(b.want(0, "plan", "--emulator", "-o", "ndjson", "--op", "create,replace", "bulk.yaml").stdout), "\n")
	if len(lines) != 93 {
		t.Errorf("%d lines of ndjson, want 93", len(lines))
	}
	for _, line := range lines {
		var c changeJSON
		if err := json.Unmarshal([]byte(line), &c); err != nil || c.Name == "" || c.Cause == "" {
			t.Fatalf("%v in %s", err, line)
		}
	}
	var all planJSON
	if err := json.Unmarshal([]byte(b.want(0, "plan", "--emulator", "-o", "json", "bulk.yaml").stdout), &all); err != nil {
		t.Fatal(err)
	}
	if len(all.Changes) != 100 || all.Forecast.Calls["CreateAPSJob"] != 90 || len(all.Warnings) != 1 || all.Summary["keep"] != 7 {
		t.Errorf("%d changes, %+v, %v, %v", len(all.Changes), all.Forecast, all.Warnings, all.Summary)
	}
	wantIn(t, b.want(0, "plan", "--emulator", "-o", "markdown", "bulk.yaml").stdout, "**Plan `bulk`** (`bulk.yaml`): 100 jobs", "| replace | `job-0003` |")

	b.write("cut.yaml", planOf(4))
	cut := b.want(0, "plan", "--emulator", "cut.yaml").stdout
	wantIn(t, cut, "apply refuses this: 6 of the 10 jobs that exist left the plan", "--max-removed 6 allows it")
	wantIn(t, b.want(exitLimit, "apply", "--emulator", "--yes", "cut.yaml").stderr, "6 of the 10 jobs that exist left the plan")

	b.write("quiet.yaml", planOf(100)+"limits: {service_per_source: none, service_per_region: none}\n")
	if out := b.want(0, "plan", "quiet.yaml").stdout; strings.Contains(out, "documents") {
		t.Errorf("it was told not to warn:\n%s", out)
	}
	wantIn(t, b.want(exitLimit, "apply", "--emulator", "--yes", "-o", "json", "bulk.yaml").stderr, "documents at most 30 jobs per region")
}

// BenchmarkPlanOf100000 compares a page for a person with the same as JSON. The
// promise is a ratio of at most 2, and at most 60 lines with what stands above the
// page. Both are of one process, by turns, so that the ratio holds on any machine.
func BenchmarkPlanOf100000(b *testing.B) {
	dir := b.TempDir()
	b.Setenv("HOME", dir)
	file := filepath.Join(dir, "bulk.yaml")
	if err := os.WriteFile(file, []byte(planOf(100_000)), 0o600); err != nil {
		b.Fatal(err)
	}
	timed := func(stdout io.Writer, flags ...string) time.Duration {
		begin := time.Now()
		args := append([]string{"plan", "--ledger", filepath.Join(dir, "ledger.db"), file}, flags...)
		if code := run(args, strings.NewReader(""), stdout, stdout); code != 0 {
			b.Fatalf("exit %d", code)
		}
		return time.Since(begin)
	}
	var page, data time.Duration
	var lines int
	for b.Loop() {
		var out bytes.Buffer
		data += timed(io.Discard, "--refresh", "none", "-o", "json")
		page += timed(&out)
		lines = bytes.Count(out.Bytes(), []byte("\n"))
	}
	ratio := page.Seconds() / data.Seconds()
	b.ReportMetric(ratio, "page/json")
	b.ReportMetric(float64(lines), "lines")
	fmt.Fprintf(b.Output(), "page %s, json %s\n", page/time.Duration(b.N), data/time.Duration(b.N))
	if lines > 60 || ratio > 2 {
		b.Fatalf("the page has %d lines and takes %.2f times as long as the JSON", lines, ratio)
	}
}
