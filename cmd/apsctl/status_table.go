package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// writeStatus writes how many jobs are in each state, the first so many of jobs, and
// what those logged that failed.
func writeStatus(w io.Writer, jobs []jobStatus, shown int, counts map[plan.State]int, refreshed bool) error {
	if len(jobs) == 0 {
		_, err := fmt.Fprintln(w, "The ledger knows no job.")
		return err
	}
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	header := table.Row{"plan", "job", "state", "job id", "source", "destination"}
	if refreshed {
		header = append(header, "status", "progress", "delay")
	}
	t.AppendHeader(header)
	for _, job := range jobs[:shown] {
		t.AppendRow(job.row(refreshed))
	}
	var b strings.Builder
	total := 0
	for _, n := range counts {
		total += n
	}
	fmt.Fprintf(&b, "%s: %s.\n\n%s\n", plan.Count(total, "job"), statesText(counts), t.Render())
	if more := total - shown; more > 0 {
		fmt.Fprintf(&b, "… and %s; --full lists all\n", plan.Count(more, "more job"))
	}
	logged := make([]loggedJob, len(jobs))
	for i, j := range jobs {
		logged[i] = loggedJob{j.Name, j.JobID, j.logs}
	}
	writeLastLogs(&b, logged)
	_, err := io.WriteString(w, b.String())
	return err
}

func (j jobStatus) row(refreshed bool) table.Row {
	row := table.Row{
		printable.Line(j.Plan), printable.Line(j.Name), string(j.State), printable.Line(j.JobID),
		printable.Line(j.Spec.Source.Instance), printable.Line(j.Spec.Destination.Instance),
	}
	if !refreshed {
		return row
	}
	duplicates := ""
	if j.others > 0 {
		duplicates = fmt.Sprintf(" (and %d more of this name)", j.others)
	}
	if j.remote == nil {
		return append(row, "not listed"+duplicates, "", "")
	}
	status := j.remote.Status + duplicates
	if message := j.remote.ErrorMessage; message != "" && !strings.EqualFold(message, "OK") {
		status += ": " + message
	}
	return append(row, printable.Clip(status, 60), printable.Clip(j.remote.Progress, 8), strconv.FormatInt(j.remote.Delay, 10))
}

func countStates(jobs []jobStatus) map[plan.State]int {
	counts := map[plan.State]int{}
	for _, job := range jobs {
		counts[job.State]++
	}
	return counts
}

// statesText says how many jobs are in each state, in the order of plan.States but
// for created, which comes first.
func statesText(counts map[plan.State]int) string {
	var parts []string
	for i, state := range slices.Concat([]plan.State{plan.StateCreated}, plan.States) {
		if n := counts[state]; n > 0 && (i == 0 || state != plan.StateCreated) {
			parts = append(parts, fmt.Sprintf("%d %s", n, state))
		}
	}
	return strings.Join(parts, ", ")
}
