package notice

import (
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/runner"
)

// message is what is sent in the form json. Fields are added, never renamed.
type message struct {
	Plan       string           `json:"plan"`
	Command    string           `json:"command"`
	Run        string           `json:"run"` // "" when the ledger could not record it
	Outcome    Outcome          `json:"outcome"`
	ExitCode   int              `json:"exit_code"`
	Previous   *earlier         `json:"previous"` // null when there was none
	Code       string           `json:"code,omitempty"`
	Error      string           `json:"error,omitempty"`
	Stop       string           `json:"stop,omitempty"`
	Counts     *runner.Counts   `json:"counts,omitempty"`
	Errors     []jsonform.Cause `json:"errors"`
	Host       string           `json:"host"`
	User       string           `json:"user"`
	Version    string           `json:"version"`
	StartedAt  time.Time        `json:"started_at"`
	FinishedAt time.Time        `json:"finished_at"`
	Text       string           `json:"text"` // the same for people, in lines
}

func newMessage(run *Run, last *earlier, lines []string) message {
	r := run.Record
	m := message{
		Plan: r.Plan, Command: r.Command, Run: r.ID, Outcome: run.Outcome, ExitCode: run.ExitCode, Previous: last, Code: run.Code,
		Host: r.Host, User: r.User, Version: r.Version, Errors: []jsonform.Cause{},
		StartedAt: r.StartedAt.UTC(), FinishedAt: run.Finished.UTC(), Text: strings.Join(lines, "\n"),
	}
	if run.Report != nil {
		counts := run.Report.Counts()
		m.Counts, m.Stop = &counts, string(run.Report.Stop)
	}
	for _, cause := range run.Causes {
		cause.Example = run.Redactor.Clean(cause.Example)
		m.Errors = append(m.Errors, cause)
	}
	if run.Failed != nil {
		m.Error = run.Redactor.Clean(run.Failed.Error())
	}
	return m
}
