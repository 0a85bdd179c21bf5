package main

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// gcPercent trades a little processor time for memory: a plan of 100,000 jobs is
	// read on small machines beside other work, too. GOGC overrides it.
	gcPercent    = 40
	gcPercentMax = 200
	// heapSpared is up to where a run lets the heap grow before garbage is collected;
	// a plan of 100,000 jobs takes as much.
	heapSpared = 160 << 20
	// jobBytes is what a run keeps of each job beside its plan.
	jobBytes = 800
)

// saveMemory sets the collector for all that is no run.
func saveMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}

// spareCollector has garbage of a run over so many jobs collected less often, where
// they leave room for it: each request leaves some, and to scan the plan for it again
// and again is an eighth of a run's time.
func spareCollector(jobs int) {
	if os.Getenv("GOGC") != "" {
		return
	}
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(gcPercentFor(live[0].Value.Uint64() + uint64(jobs)*jobBytes))
}

// gcPercentFor is the percentage by which a heap of so many live bytes grows to
// heapSpared.
func gcPercentFor(live uint64) int {
	if live == 0 {
		return gcPercentMax
	}
	return min(max(int(heapSpared*100/live)-100, gcPercent), gcPercentMax)
}
