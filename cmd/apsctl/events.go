package main

import (
	"encoding/json"
	"errors"
	"io"
	"sync"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// streamEvent is one line of --events and --progress json. docs/events.md says what
// each field means; fields are added, never renamed.
type streamEvent struct {
	Time      string          `json:"time"` // RFC 3339, UTC, with milliseconds
	Event     string          `json:"event"`
	Run       string          `json:"run"`
	Plan      string          `json:"plan"`
	Job       string          `json:"job,omitempty"`
	Region    string          `json:"region,omitempty"`
	From      *plan.State     `json:"from,omitempty"`
	To        plan.State      `json:"to,omitempty"`
	NewName   string          `json:"new_name,omitempty"`
	Attempt   int             `json:"attempt,omitempty"`
	JobID     string          `json:"aps_job_id,omitempty"`
	RequestID string          `json:"request_id,omitempty"`
	Code      string          `json:"code,omitempty"`
	Why       string          `json:"why,omitempty"`
	Operation string          `json:"operation,omitempty"`
	WaitMs    int64           `json:"wait_ms,omitempty"`
	SettlesAt *time.Time      `json:"settles_at,omitempty"`
	Rate      float64         `json:"rate,omitempty"`
	Wave      int             `json:"wave,omitempty"`
	Jobs      int             `json:"jobs,omitempty"`
	Page      int             `json:"page,omitempty"`
	Total     int             `json:"total,omitempty"`
	Command   string          `json:"command,omitempty"`
	Host      string          `json:"host,omitempty"`
	PID       int             `json:"pid,omitempty"`
	Version   string          `json:"version,omitempty"`
	Outcome   notice.Outcome  `json:"outcome,omitempty"`
	ExitCode  *int            `json:"exit_code,omitempty"`
	Counts    *runner.Counts  `json:"counts,omitempty"`
	Progress  *streamProgress `json:"progress,omitempty"`
}

// streamProgress is runner.Progress.
type streamProgress struct {
	Total     int   `json:"total"`
	Done      int   `json:"done"`
	Created   int   `json:"created"`
	Failed    int   `json:"failed"`
	Unknown   int   `json:"unknown"`
	InFlight  int   `json:"in_flight"`
	Waiting   int   `json:"waiting"`
	Starting  int   `json:"starting"`
	Wave      int   `json:"wave"`
	Waves     int   `json:"waves"`
	ElapsedMs int64 `json:"elapsed_ms"`
}

// eventStream writes what happens in a run, one JSON object a line: to a file, to
// a person's program on stderr, or both. It is safe for concurrent use; a nil
// *eventStream drops everything.
type eventStream struct {
	clean func(string) string
	file  io.Writer // --events, or nil
	live  io.Writer // --progress json, or nil
	warn  func(string)

	mu     sync.Mutex
	record plan.RunRecord
	failed bool // the file takes nothing more
}

// begin takes in which run it is.
func (s *eventStream) begin(record plan.RunRecord) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.record = record
	s.mu.Unlock()
	s.write(streamEvent{Event: "run_begin", Command: record.Command, Host: record.Host, PID: record.PID, Version: record.Version}, record.StartedAt)
}

// end tells how the run ended.
func (s *eventStream) end(run *notice.Run) {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.record = run.Record
	s.mu.Unlock()
	e := streamEvent{Event: "run_end", Outcome: run.Outcome, ExitCode: &run.ExitCode}
	if run.Report != nil {
		counts := run.Report.Counts()
		e.Counts = &counts
	}
	if run.Failed != nil {
		e.Code, e.Why = run.Code, run.Failed.Error()
	}
	s.write(e, run.Finished)
}

// tell takes an event of the runner.
func (s *eventStream) tell(e runner.Event) {
	out := streamEvent{
		Event: string(e.Kind), Plan: e.Plan, Job: e.Job, Region: e.Region, To: e.To, NewName: e.NewName, Attempt: e.Attempt,
		JobID: e.JobID, RequestID: e.RequestID, Code: e.Code, Why: e.Why, Operation: e.Operation,
		WaitMs: e.Wait.Milliseconds(), SettlesAt: jsonform.Time(e.SettlesAt), Wave: e.Wave, Jobs: e.Jobs,
	}
	if e.Kind == runner.EventMoved {
		out.From = &e.From // "" says that the ledger had no entry
	}
	s.write(out, e.At)
}

// slowed tells that calls of one operation were slowed down.
func (s *eventStream) slowed(operation, region string, wait time.Duration, rate float64) {
	s.write(streamEvent{Event: "slowed", Operation: operation, Region: region, WaitMs: wait.Milliseconds(), Rate: rate}, time.Now())
}

// progress, listing and warning are for the live stream alone: a picture now and then
// says nothing that the moves do not.
func (s *eventStream) progress(p runner.Progress) {
	s.writeTo(s.live, streamEvent{Event: "progress", Why: p.Cause, Rate: p.Rate, WaitMs: p.NextTry.Milliseconds(), Progress: &streamProgress{
		Total: p.Total, Done: p.Done, Created: p.Created, Failed: p.Failed, Unknown: p.Unknown, InFlight: p.InFlight,
		Waiting: p.Waiting, Starting: p.Starting, Wave: p.Wave, Waves: p.Waves, ElapsedMs: p.Elapsed.Milliseconds(),
	}}, time.Now())
}

func (s *eventStream) listing(scan aps.Scan) {
	s.writeTo(s.live, streamEvent{Event: "listing", Region: scan.Region, Page: scan.Page, Jobs: scan.Jobs, Total: scan.Total}, time.Now())
}

func (s *eventStream) warning(line string) {
	s.writeTo(s.live, streamEvent{Event: "warning", Why: line}, time.Now())
}

// warner is where warnings about the plan go, nil for stderr as it is.
func (s *eventStream) warner() func(string) {
	if s == nil || s.live == nil {
		return nil
	}
	return s.warning
}

func (s *eventStream) write(e streamEvent, at time.Time) {
	if s == nil {
		return
	}
	s.writeTo(s.live, e, at)
	s.mu.Lock()
	file := s.file
	if s.failed {
		file = nil
	}
	s.mu.Unlock()
	if err := s.writeTo(file, e, at); err != nil {
		s.giveUp(err)
	}
}

// giveUp says once that the file takes nothing more: half a record is worse than
// none, and a run is not decided by it.
func (s *eventStream) giveUp(err error) {
	s.mu.Lock()
	before := s.failed
	s.failed = true
	s.mu.Unlock()
	if !before {
		s.warn("nothing more is written to the file of --events: " + err.Error())
	}
}

// writeTo writes one line at once, so that lines of several processes in one file
// stay whole.
func (s *eventStream) writeTo(w io.Writer, e streamEvent, at time.Time) error {
	if w == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Time, e.Run, e.Why = at.UTC().Format("2006-01-02T15:04:05.000Z"), s.record.ID, printable.Line(s.clean(e.Why))
	if e.Plan == "" {
		e.Plan = s.record.Plan
	}
	// A terminal may be what stderr leads to, and what reads the file later.
	for _, text := range []*string{&e.Plan, &e.Job, &e.NewName, &e.Region, &e.JobID, &e.RequestID, &e.Code, &e.Command} {
		*text = printable.Line(*text)
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	n, err := w.Write(append(line, '\n'))
	if err == nil && n <= len(line) {
		err = errors.New("a line was cut short")
	}
	return err
}
