//go:build race

package main

// raceEnabled says that the race detector is on. The kill tests run a binary of
// their own, which it does not reach.
const raceEnabled = true
