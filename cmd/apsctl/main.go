// Command apsctl creates AnalyticDB for MySQL sync jobs from a plan file, each
// exactly once.
package main

import "os"

func main() {
	keepMemoryPrivate()
	saveMemory()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
