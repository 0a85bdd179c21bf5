package main

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// outputFormat is the value of -o. Its JSON forms are an interface: fields are
// added, not renamed.
type outputFormat struct{ name string }

func (o *outputFormat) addFlag(cmd *cobra.Command) {
	o.name = "text"
	cmd.Flags().VarP(o, "output", "o", "`format` of the result on stdout: text or json")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions([]string{"text", "json"}, cobra.ShellCompDirectiveNoFileComp))
}

func (o *outputFormat) String() string { return o.name }
func (o *outputFormat) Type() string   { return "format" }
func (o *outputFormat) Set(name string) error {
	if name != "text" && name != "json" {
		return fmt.Errorf("want text or json, not %q", name)
	}
	o.name = name
	return nil
}

func (o *outputFormat) json() bool { return o.name == "json" }

// writeJSON writes one indented object. The encoder escapes control
// characters; <, > and & stay readable, for this is not HTML.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

type planJSON struct {
	Plan    string            `json:"plan"`
	File    string            `json:"file"`
	Digest  string            `json:"digest"`
	Summary map[plan.Kind]int `json:"summary"`
	Changes []changeJSON      `json:"changes"`
}

type changeJSON struct {
	Name        string     `json:"name"`
	Action      plan.Kind  `json:"action"`
	Region      string     `json:"region"`
	Source      string     `json:"source"`
	Destination string     `json:"destination"`
	State       plan.State `json:"state"`
	JobID       string     `json:"aps_job_id"`
	Attempts    int        `json:"attempts"`
	Reason      string     `json:"reason"`
	// Consequence is what the change does to a job that exists.
	Consequence string      `json:"consequence,omitempty"`
	Fields      []fieldJSON `json:"fields,omitempty"`
	// Service is how the service shows a job that the ledger has; absent where it was
	// not asked.
	Service *seenJSON `json:"service,omitempty"`
}

// seenJSON says whether the complete listing shows a job, as what, and whether its
// details were compared.
type seenJSON struct {
	Listed   bool   `json:"listed"`
	Status   string `json:"status"`
	Compared bool   `json:"compared"`
}

type fieldJSON struct {
	Field  string      `json:"field"`
	Old    string      `json:"old"`
	New    string      `json:"new"`
	Effect plan.Effect `json:"effect"`
	// Differs is who stands alone, plan, service, ledger or all; empty where the
	// service was not asked. Ledger is then what the ledger has.
	Differs plan.Party `json:"differs,omitempty"`
	Ledger  *string    `json:"ledger,omitempty"`
}

func newFieldsJSON(fields []plan.FieldChange) []fieldJSON {
	var all []fieldJSON
	for _, f := range fields {
		one := fieldJSON{Field: f.Field, Old: f.Old, New: f.New, Effect: f.Effect, Differs: f.Differs}
		if f.Differs != "" {
			one.Ledger = &f.Ledger
		}
		all = append(all, one)
	}
	return all
}

func newPlanJSON(p *plan.Plan, changes []plan.Change) planJSON {
	out := planJSON{
		Plan: p.Name, File: p.File, Digest: p.Digest,
		Summary: plan.Summarize(changes).Kinds, Changes: make([]changeJSON, 0, len(changes)),
	}
	for _, c := range changes {
		spec := c.Spec()
		one := changeJSON{
			Name: c.Name, Action: c.Kind, Region: spec.Region,
			Source: spec.Source.Instance, Destination: spec.Destination.Instance,
			State: c.State(), Attempts: c.Attempt(), Reason: c.Reason,
		}
		if c.Entry != nil {
			one.JobID = c.Entry.JobID
		}
		one.Fields, one.Consequence = newFieldsJSON(c.Fields), c.Consequence()
		if c.Seen != nil {
			one.Service = &seenJSON{Listed: c.Seen.Job != nil, Compared: c.Seen.Detail != nil}
			if c.Seen.Job != nil {
				one.Service.Status = c.Seen.Job.Status
			}
		}
		out.Changes = append(out.Changes, one)
	}
	return out
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
	Name      string        `json:"name"`
	Action    plan.Kind     `json:"action"`
	State     plan.State    `json:"state"`
	JobID     string        `json:"aps_job_id"`
	Attempts  int           `json:"attempts"`
	Ending    runner.Ending `json:"ending"`
	Error     string        `json:"error"`
	Code      errorCode     `json:"code,omitempty"`
	SettlesAt *time.Time    `json:"settles_at,omitempty"`
	Held      bool          `json:"held,omitempty"` // unknown and proven absent: a person lets it go
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
		Error: r.Error, Code: resultCode(r), SettlesAt: timeJSON(r.SettlesAt), Held: r.Held,
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
