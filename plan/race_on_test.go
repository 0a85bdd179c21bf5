//go:build race

package plan

// raceDetector says that times mean nothing: the race detector is on.
const raceDetector = true
