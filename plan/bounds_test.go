package plan

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

const (
	// fuzzCPUMax and fuzzBytesMax bound what any input of a fuzz target may cost.
	fuzzCPUMax   = time.Second
	fuzzBytesMax = 256 << 20
)

// bounded runs f and fails the test if it takes more processor time or allocates
// more than any input may.
func bounded(t *testing.T, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := processorTime(t)
	f()
	took := processorTime(t) - start
	runtime.ReadMemStats(&after)
	if took > fuzzCPUMax && !raceEnabled {
		t.Errorf("it took %v of the processor", took)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > fuzzBytesMax {
		t.Errorf("it allocated %d MiB", n>>20)
	}
}

// processorTime is what this process has used so far. Other tests of the package
// do not run beside a fuzz target.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
