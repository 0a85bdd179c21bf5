// Package cost measures what a piece of work takes, for tests that promise a
// bound. It counts processor time, so that a busy machine changes nothing.
package cost

import (
	"runtime"
	"syscall"
	"testing"
	"time"
)

// Of runs work and returns the processor time that this process used meanwhile
// and all bytes that it allocated. Nothing else may run in the process.
func Of(t testing.TB, work func()) (processor time.Duration, bytes uint64) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := used(t)
	work()
	processor = used(t) - start
	runtime.ReadMemStats(&after)
	return processor, after.TotalAlloc - before.TotalAlloc
}

func used(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
