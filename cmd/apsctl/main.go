// Command apsctl creates AnalyticDB for MySQL sync jobs from a plan file, each
// exactly once.
package main

import (
	"os"
	"runtime/debug"
)

// gcPercent trades a little processor time for memory: a plan of 100,000 jobs is
// read on small machines beside other work, too. GOGC overrides it.
const gcPercent = 40

func main() {
	keepMemoryPrivate()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
