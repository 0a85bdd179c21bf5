// Command apsctl creates AnalyticDB for MySQL sync jobs from a plan file, each
// exactly once.
package main

import "os"

func main() {
	keepMemoryPrivate()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
