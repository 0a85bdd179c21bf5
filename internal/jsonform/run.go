package jsonform

import (
	"encoding/json"
	"time"
)

// Run is one run of a command as the ledger has it. FinishedAt, ElapsedMs and
// ExitCode are nil for a run whose end is not known; State then says died or
// running.
type Run struct {
	ID         string          `json:"run"`
	Command    string          `json:"command"`
	Plan       string          `json:"plan"`
	PlanDigest string          `json:"plan_digest"`
	User       string          `json:"user"`
	Host       string          `json:"host"`
	PID        int             `json:"pid"`
	Version    string          `json:"version"`
	State      RunState        `json:"state"`
	StartedAt  time.Time       `json:"started_at"`
	FinishedAt *time.Time      `json:"finished_at,omitempty"`
	ElapsedMs  *int64          `json:"elapsed_ms,omitempty"`
	ExitCode   *int            `json:"exit_code,omitempty"`
	Counts     json.RawMessage `json:"counts,omitempty"` // an object whose names depend on the command
	Calls      []Calls         `json:"calls"`
	Errors     []Cause         `json:"errors"` // most jobs first
	Stop       string          `json:"stop"`   // why it stopped before it had tried every job
	Error      string          `json:"error"`  // what ended it altogether
}

// RunState says whether a run has ended.
type RunState string

// The states of a run.
const (
	RunEnded  RunState = "ended"
	RunActive RunState = "running"
	// RunDied: its process is gone, and nobody recorded how it ended. What it
	// left open is what the next run settles.
	RunDied RunState = "died"
)

// Calls is how often a run sent one operation.
type Calls struct {
	Operation string `json:"operation"`
	Region    string `json:"region"`
	Sent      int    `json:"sent"`
	Throttled int    `json:"throttled"`
}

// Sum adds up all calls.
func Sum(all []Calls) (sent, throttled int) {
	for _, c := range all {
		sent, throttled = sent+c.Sent, throttled+c.Throttled
	}
	return sent, throttled
}

// Cause is how many jobs of a run ended alike for one cause. Example is what one of
// them was told, Names are the first few.
type Cause struct {
	Code    string   `json:"code"` // what docs/errors.md explains
	Ending  string   `json:"ending"`
	Cause   string   `json:"cause"`
	Jobs    int      `json:"jobs"`
	Example string   `json:"example"`
	Names   []string `json:"names"`
}
