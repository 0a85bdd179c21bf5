package runner

import (
	"time"

	"golang.org/x/sys/unix"
)

// SystemClock is the machine's own clock.
func SystemClock() Clock { return Clock{Now: time.Now, Boot: bootTime} }

// bootTime reads CLOCK_BOOTTIME. Go's own monotonic reading stands still while
// the machine is suspended, which is the very case the freshness check is for.
func bootTime() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		panic("runner: this kernel has no CLOCK_BOOTTIME: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
