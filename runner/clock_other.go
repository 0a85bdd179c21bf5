//go:build !linux

package runner

import "time"

// SystemClock is the machine's own clock. Away from Linux the wall clock also
// serves as the clock that runs in suspend: it can be set by hand, but then the
// gateway's own check of the signed date stands behind it.
func SystemClock() Clock {
	start := time.Now().Round(0)
	return Clock{
		Now:  time.Now,
		Boot: func() time.Duration { return time.Now().Round(0).Sub(start) },
	}
}
