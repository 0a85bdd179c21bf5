package main

import "golang.org/x/sys/unix"

// keepMemoryPrivate keeps what this process reads out of core dumps, and out of
// the reach of other processes of its user: not dumpable, it has no core dump,
// whatever collects those, and /proc/PID/environ and mem are for root alone. The
// limit is inherited by the commands that print passwords.
//
// It is a second fence. Where the system refuses, apsctl works all the same.
func keepMemoryPrivate() {
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
