package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// statusesShown is how many different statuses a line of progress names.
const statusesShown = 4

// standsAt says in a few words how a job that is waited for stands.
func standsAt(j runner.Awaited) string {
	switch {
	case j.Failed != "":
		return "failed"
	case j.Entry.State.Unresolved():
		return "without an answer to its create"
	case j.Job == nil:
		return "not listed"
	}
	return j.Job.Status
}

// waitProgress says how many jobs are there, and how the others stand.
func waitProgress(condition plan.Condition, jobs []runner.Awaited) string {
	counts, met := map[string]int{}, 0
	for _, j := range jobs {
		if j.Met {
			met++
		} else {
			counts[standsAt(j)]++
		}
	}
	statuses := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	parts := []string{fmt.Sprintf("%d of %s %s", met, plan.Count(len(jobs), "job"), condition)}
	for _, status := range statuses[:min(len(statuses), statusesShown)] {
		parts = append(parts, fmt.Sprintf("%d %s", counts[status], printable.Clip(status, 40)))
	}
	if more := len(statuses) - statusesShown; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more kinds of status", more))
	}
	return strings.Join(parts, ", ")
}

// waitResult is how the jobs stand in the end.
type waitResult struct {
	condition plan.Condition
	jobs      []runner.Awaited
	elapsed   time.Duration
	logs      map[string][]plan.ActionLog // by job id
}

func newWaitResult(condition plan.Condition, jobs []runner.Awaited, elapsed time.Duration) waitResult {
	return waitResult{condition: condition, jobs: jobs, elapsed: elapsed}
}

// failed reports whether a job will not be as it is waited for.
func (w waitResult) failed() bool {
	return slices.ContainsFunc(w.jobs, func(j runner.Awaited) bool { return j.Failed != "" })
}

// unhealthy are the jobs that are there and have failed.
func (w waitResult) unhealthy() []plan.Entry {
	var entries []plan.Entry
	for _, j := range w.jobs {
		if awaitedCode(j) == codeJobUnhealthy {
			entries = append(entries, j.Entry)
		}
	}
	return entries
}

// awaitedCode is the code of a job that will not be as it is waited for, else "".
func awaitedCode(j runner.Awaited) errorCode {
	switch {
	case j.Failed == "":
		return ""
	case j.Entry.State.NeedsPerson():
		return codeJobPerson
	case j.Entry.State != plan.StateCreated:
		return codeJobNone
	}
	return codeJobUnhealthy
}

// summary is one sentence without its end.
func (w waitResult) summary() string {
	met := 0
	for _, j := range w.jobs {
		if j.Met {
			met++
		}
	}
	if met == len(w.jobs) {
		return fmt.Sprintf("%s %s", plan.Count(met, "job"), w.condition)
	}
	return fmt.Sprintf("%d of %s %s", met, plan.Count(len(w.jobs), "job"), w.condition)
}

func (w waitResult) write(out io.Writer, full bool) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, after %s.\n", w.summary(), w.elapsed.Round(100*time.Millisecond))
	w.writeSome(&b, full, "failed", func(j runner.Awaited) bool { return j.Failed != "" })
	w.writeSome(&b, full, "not there yet", func(j runner.Awaited) bool { return j.Failed == "" && !j.Met })
	_, err := io.WriteString(out, b.String())
	return err
}

func (w waitResult) writeSome(b *strings.Builder, full bool, title string, belongs func(runner.Awaited) bool) {
	var jobs []runner.Awaited
	for _, j := range w.jobs {
		if belongs(j) {
			jobs = append(jobs, j)
		}
	}
	if len(jobs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s %s:\n", plan.Count(len(jobs), "job"), title)
	shown := len(jobs)
	if !full {
		shown = min(shown, jobsShown)
	}
	for _, j := range jobs[:shown] {
		fmt.Fprintf(b, "  %s  (plan %s, %s)  %s\n", printable.Line(j.Entry.Name), printable.Line(j.Entry.Plan), printable.Line(cmp.Or(j.Entry.JobID, "no id")), w.words(j))
		writeLogs(b, w.logs[j.Entry.JobID])
	}
	if more := len(jobs) - shown; more > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists all\n", plan.Count(more, "more job"))
	}
}

// words say how a job stands, encoded for a terminal.
func (w waitResult) words(j runner.Awaited) string {
	if j.Failed != "" {
		return fmt.Sprintf("%s [%s]", printable.Line(j.Failed), awaitedCode(j))
	}
	text := printable.Line(standsAt(j))
	if j.Job != nil {
		text += fmt.Sprintf(", progress %s, delay %d", printable.Clip(j.Job.Progress, 8), j.Job.Delay)
	}
	return text
}

type waitJSON struct {
	For       string        `json:"for"`
	Met       int           `json:"met"`
	Failed    int           `json:"failed"`
	Waiting   int           `json:"waiting"`
	Jobs      []waitJobJSON `json:"jobs"`
	ElapsedMs int64         `json:"elapsed_ms"`
	ExitCode  int           `json:"exit_code"`
}

type waitJobJSON struct {
	Plan   string         `json:"plan"`
	Name   string         `json:"name"`
	State  plan.State     `json:"state"`
	JobID  string         `json:"aps_job_id"`
	Region string         `json:"region"`
	Met    bool           `json:"met"`
	Code   errorCode      `json:"code,omitempty"`
	Error  string         `json:"error"` // why it will not be as it is waited for
	Remote *remoteJSON    `json:"service,omitempty"`
	Logs   []jsonform.Log `json:"logs,omitempty"`
}

func (w waitResult) json(exitCode int) waitJSON {
	out := waitJSON{For: w.condition.String(), ElapsedMs: w.elapsed.Milliseconds(), ExitCode: exitCode, Jobs: []waitJobJSON{}}
	for _, j := range w.jobs {
		switch {
		case j.Failed != "":
			out.Failed++
		case j.Met:
			out.Met++
		default:
			out.Waiting++
		}
		one := waitJobJSON{
			Plan: j.Entry.Plan, Name: j.Entry.Name, State: j.Entry.State, JobID: j.Entry.JobID, Region: j.Entry.Region,
			Met: j.Met && j.Failed == "", Code: awaitedCode(j), Error: j.Failed, Logs: jsonform.Logs(w.logs[j.Entry.JobID]),
		}
		if r := j.Job; r != nil {
			one.Remote = &remoteJSON{Listed: true, Status: r.Status, Progress: r.Progress, Delay: r.Delay, Message: r.ErrorMessage}
		}
		out.Jobs = append(out.Jobs, one)
	}
	return out
}
