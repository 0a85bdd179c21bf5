//go:build unix

package main

import (
	"strings"
	"testing"
)

// TestTerminalShowsAListingThatTakesLong: from its first page on, and nothing is left
// of it.
func TestTerminalShowsAListingThatTakesLong(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("plan.yaml", planOf(1))
	cloud.setFaults("[{operation: DescribeApsJobs, kind: hang, when: before}]")
	for _, args := range [][]string{{"apply", "--yes", "plan.yaml"}, {"plan", "--refresh", "all", "plan.yaml"}} {
		run := b.terminal(100, 24, args...)
		run.shows("listing cn-hangzhou, page 1")
		run.types(ctrlC)
		if code, shown := run.ends(); code != exitInterrupted || strings.Contains(shown, "listing") {
			t.Errorf("exit %d, and it shows\n%s", code, shown)
		}
	}
}
