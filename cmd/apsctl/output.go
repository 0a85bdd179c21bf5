package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// outputFormat is the value of -o. Its JSON forms are an interface: fields are
// added, not renamed.
type outputFormat struct {
	name  string
	names []string // that there are
}

// addFlag adds -o for text, json and the forms that the command has besides.
func (o *outputFormat) addFlag(cmd *cobra.Command, more ...string) {
	o.name, o.names = "text", append([]string{"text", "json"}, more...)
	cmd.Flags().VarP(o, "output", "o", "`format` of the result on stdout: "+o.list())
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(o.names, cobra.ShellCompDirectiveNoFileComp))
}

func (o *outputFormat) list() string {
	last := len(o.names) - 1
	return strings.Join(o.names[:last], ", ") + " or " + o.names[last]
}

func (o *outputFormat) String() string { return o.name }
func (o *outputFormat) Type() string   { return "format" }
func (o *outputFormat) Set(name string) error {
	if !slices.Contains(o.names, name) {
		return fmt.Errorf("want %s, not %q", o.list(), name)
	}
	o.name = name
	return nil
}

func (o *outputFormat) json() bool { return o.name == "json" }

// writeJSON writes one indented object.
func writeJSON(w io.Writer, value any) error {
	encoder := newEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// newEncoder returns the encoder of every result in JSON. What would not show, or
// would have a terminal do something, is escaped; <, > and & stay readable, for this
// is not HTML.
func newEncoder(w io.Writer) *json.Encoder {
	encoder := json.NewEncoder(printableJSON{w})
	encoder.SetEscapeHTML(false)
	return encoder
}

// printableJSON escapes what it is given, which is whole values: an encoder writes
// each at once.
type printableJSON struct{ to io.Writer }

func (w printableJSON) Write(text []byte) (int, error) {
	if _, err := w.to.Write(printable.JSON(text)); err != nil {
		return 0, err
	}
	return len(text), nil
}

type applyJSON struct {
	Run       string        `json:"run"`
	Plan      string        `json:"plan"`
	Counts    runner.Counts `json:"counts"`
	Jobs      []resultJSON  `json:"jobs"`
	Stop      string        `json:"stop"`
	StopCode  errorCode     `json:"stop_code,omitempty"`
	Requests  int           `json:"requests"`
	Throttled int           `json:"throttled"`
	ElapsedMs int64         `json:"elapsed_ms"`
	ExitCode  int           `json:"exit_code"`
	Skipped   string        `json:"skipped,omitempty"` // by --if-locked skip: who is at work
}

type resultJSON struct {
	Name      string         `json:"name"`
	Action    plan.Kind      `json:"action"`
	State     plan.State     `json:"state"`
	JobID     string         `json:"aps_job_id"`
	Attempts  int            `json:"attempts"`
	Ending    runner.Ending  `json:"ending"`
	Error     string         `json:"error"`
	Code      errorCode      `json:"code,omitempty"`
	SettlesAt *time.Time     `json:"settles_at,omitempty"`
	Due       bool           `json:"due,omitempty"`  // settles_at has come, and a proof is missing
	Held      bool           `json:"held,omitempty"` // unknown and proven absent: a person lets it go
	Logs      []jsonform.Log `json:"logs,omitempty"` // of a job that does not run
}

func newApplyJSON(runID, planName string, report runner.Report, exitCode int) applyJSON {
	out := applyJSON{
		Run: runID, Plan: planName, Counts: report.Counts(), Stop: string(report.Stop), StopCode: stopCode(report),
		Requests: report.Requests, Throttled: report.Throttled,
		ElapsedMs: report.Elapsed.Milliseconds(), ExitCode: exitCode,
		Jobs: make([]resultJSON, 0, len(report.Results)),
	}
	for _, r := range report.Results {
		out.Jobs = append(out.Jobs, newResultJSON(r))
	}
	return out
}

func newResultJSON(r runner.Result) resultJSON {
	return resultJSON{
		Name: r.Name, Action: r.Action, State: r.State, JobID: r.JobID, Attempts: r.Attempt, Ending: r.Ending,
		Error: r.Error, Code: resultCode(r), SettlesAt: jsonform.Time(r.SettlesAt), Due: r.Due, Held: r.Held,
	}
}

type validJSON struct {
	Valid bool   `json:"valid"`
	Plan  string `json:"plan,omitempty"`
	Jobs  int    `json:"jobs"`
	// Truncated says that there may be more problems than these.
	Truncated bool          `json:"truncated,omitempty"`
	Problems  []problemJSON `json:"problems"`
}

type problemJSON struct {
	File     string    `json:"file"`
	Line     int       `json:"line"`
	Column   int       `json:"column"`
	Severity string    `json:"severity"` // error or warning
	Message  string    `json:"message"`
	Hint     string    `json:"hint,omitempty"`
	Code     errorCode `json:"code,omitempty"` // of an error
}

func newProblemsJSON(problems plan.Problems) validJSON {
	return validJSON{Truncated: len(problems) >= plan.ProblemsMax, Problems: problemsJSON(problems, "error")}
}

// newValidJSON is what validate says of a plan without mistakes.
func newValidJSON(wanted *plan.Plan) validJSON {
	return validJSON{Valid: true, Plan: wanted.Name, Jobs: len(wanted.Jobs), Problems: problemsJSON(wanted.Warnings, "warning")}
}

func problemsJSON(problems plan.Problems, severity string) []problemJSON {
	all := make([]problemJSON, 0, len(problems))
	code := codePlan
	if severity != "error" {
		code = ""
	}
	for _, p := range problems {
		all = append(all, problemJSON{p.Pos.File, p.Pos.Line, p.Pos.Column, severity, p.Message, p.Hint, code})
	}
	return all
}
