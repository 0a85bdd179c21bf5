package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// statusView is the table that status --watch shows. It is a function of its fields
// alone.
type statusView struct {
	jobs    []jobStatus
	asked   time.Time // zero before the first look
	again   time.Time // when the next one begins
	now     time.Time
	trouble string // of the latest look; jobs are then of one before
}

// line is the view where there is no terminal.
func (v statusView) line() string {
	at := v.asked.UTC().Format(time.RFC3339)
	if v.trouble != "" {
		return at + "  nothing was seen this time: " + v.trouble
	}
	text := at + "  " + v.states()
	if listed := v.listed(); len(listed) > 0 {
		text += "; " + strings.Join(listed, ", ")
	}
	return text
}

// states counts the jobs by their states in the ledger.
func (v statusView) states() string {
	if len(v.jobs) == 0 {
		return "no job of the ledger fits"
	}
	return plan.Count(len(v.jobs), "job") + ": " + statesText(countStates(v.jobs))
}

// listed counts the jobs by what the service says of them.
func (v statusView) listed() []string {
	counts := map[string]int{}
	for _, j := range v.jobs {
		if j.JobID != "" {
			counts[j.listedAs()]++
		}
	}
	statuses := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var listed []string
	for _, status := range statuses[:min(len(statuses), statusesShown)] {
		listed = append(listed, fmt.Sprintf("%d %s", counts[status], printable.Clip(status, 40)))
	}
	if more := len(statuses) - statusesShown; more > 0 {
		listed = append(listed, fmt.Sprintf("and %d more kinds of status", more))
	}
	if len(listed) > 0 {
		listed[0] = "on the service: " + listed[0]
	}
	return listed
}

// listedAs is the status that the service lists the job with.
func (j jobStatus) listedAs() string {
	if j.remote == nil {
		return "not listed"
	}
	return j.remote.Status
}

func (v statusView) lines(width, height int) []viewLine {
	if v.asked.IsZero() && v.trouble == "" {
		return []viewLine{plainLine("asking the service")}[:min(1, height)]
	}
	var head []viewLine
	if !v.asked.IsZero() {
		var listed []span
		for _, part := range v.listed() {
			listed = append(listed, span{part, text.Bold})
		}
		head = append([]viewLine{titleLine(v.states())}, flow(listed, width)...)
	}
	if v.trouble != "" {
		head = append(head, viewLine{{"nothing was seen this time: " + v.trouble, text.FgRed}})
	}
	head = append(head, viewLine{{v.when(), text.Faint}})
	if room := height - len(head) - 3; len(v.jobs) > 0 && room > 0 { // a blank line, the header, what is left out
		head = append(append(head, nil), v.rows(width, room)...)
	}
	return head[:min(len(head), height)]
}

// when says of when the table is, and when the next will be.
func (v statusView) when() string {
	var parts []string
	if !v.asked.IsZero() {
		parts = append(parts, "as of "+v.asked.Format(time.TimeOnly))
	}
	if v.again.After(v.now) {
		parts = append(parts, "again in "+brief(v.again.Sub(v.now)))
	} else {
		parts = append(parts, "asking the service")
	}
	return strings.Join(parts, ", ")
}

// rows are the header, at most so many jobs, and how many are left out.
func (v statusView) rows(width, most int) []viewLine {
	jobs := v.jobs
	if len(jobs) > most { // what needs a look comes first
		jobs = slices.Clone(jobs)
		slices.SortStableFunc(jobs, func(a, b jobStatus) int { return cmp.Compare(a.urgency(), b.urgency()) })
		jobs = jobs[:most]
	}
	t := table.NewWriter()
	t.SetStyle(plan.PlainTable)
	wide := width >= 100
	header := table.Row{"job", "status", "progress", "delay"}
	if wide {
		header = table.Row{"plan", "job", "state", "status", "progress", "delay"}
	}
	t.AppendHeader(header)
	for _, j := range jobs {
		t.AppendRow(j.watchRow(wide, nameWidth(width)))
	}
	var lines []viewLine
	for i, row := range strings.Split(t.Render(), "\n") {
		colour := text.Reset
		if i > 0 && i <= len(jobs) {
			colour = jobs[i-1].colour()
		}
		lines = append(lines, viewLine{{row, colour}})
	}
	if more := len(v.jobs) - len(jobs); more > 0 {
		lines = append(lines, plainLine(fmt.Sprintf("and %s; a selector chooses", plan.Count(more, "more job"))))
	}
	return lines
}

func (j jobStatus) watchRow(wide bool, nameCells int) table.Row {
	row := table.Row{printable.Fit(printable.Line(j.Name), nameCells)}
	if wide {
		row = table.Row{printable.Clip(j.Plan, 20), row[0], string(j.State)}
	}
	status := string(j.State)
	if j.JobID != "" {
		status = printable.Clip(j.listedAs(), 24)
	}
	if j.others > 0 {
		status += fmt.Sprintf(" (and %d more of this name)", j.others)
	}
	if j.remote == nil {
		return append(row, status, "", "")
	}
	return append(row, status, printable.Clip(j.remote.Progress, 8), strconv.FormatInt(j.remote.Delay, 10))
}

// urgency is lower for what needs a look.
func (j jobStatus) urgency() int {
	switch {
	case j.failed() || j.others > 0 || j.State.NeedsPerson():
		return 0
	case j.State.Unresolved() || j.State == plan.StateCreated && j.remote == nil:
		return 1
	case j.remote != nil && plan.ClassOf(j.remote.Status) == plan.ClassPending:
		return 2
	}
	return 3
}

func (j jobStatus) colour() text.Color {
	return [...]text.Color{text.FgRed, text.FgYellow, text.FgYellow, text.Reset}[j.urgency()]
}
