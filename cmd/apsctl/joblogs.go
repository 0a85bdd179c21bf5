package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

const (
	logsAsked  = 5 // jobs whose logs are asked for at most, a call each
	logsShown  = 3 // the last lines of each
	logsWithin = 30 * time.Second
)

// lastLogs asks for the action logs of jobs that have failed, of the first few, and
// returns the last lines of each by job id. They only explain what is reported
// anyway: what goes wrong is said on standard error, once, and stops the asking.
func (a *app) lastLogs(ctx context.Context, service *service, failed []plan.Entry) map[string][]plan.ActionLog {
	ctx, cancel := context.WithTimeout(ctx, logsWithin)
	defer cancel()
	logs := map[string][]plan.ActionLog{}
	for _, e := range failed[:min(len(failed), logsAsked)] {
		lines, err := service.ActionLogs(ctx, e.Region, e.Spec.Destination.Instance, e.JobID, time.Now())
		if err != nil {
			fmt.Fprintf(a.stderr, "apsctl: the logs of job %s cannot be shown: %s\n", printable.Line(e.Name), printable.Line(a.redactor.Clean(err.Error())))
			return logs
		}
		for i := range lines {
			lines[i].Text = a.redactor.Clean(lines[i].Text)
		}
		logs[e.JobID] = lines[max(0, len(lines)-logsShown):]
	}
	return logs
}

// loggedJob is a job and what it logged last, which may be nothing.
type loggedJob struct {
	name, id string
	lines    []plan.ActionLog
}

// writeLastLogs shows the logs of those that have any.
func writeLastLogs(b *strings.Builder, jobs []loggedJob) {
	begun := false
	for _, j := range jobs {
		if len(j.lines) == 0 {
			continue
		}
		if !begun {
			b.WriteString("\nThe last logs of jobs that failed:\n")
			begun = true
		}
		fmt.Fprintf(b, "  %s (%s)\n", printable.Line(j.name), printable.Line(j.id))
		writeLogs(b, j.lines)
	}
}

func writeLogs(b *strings.Builder, lines []plan.ActionLog) {
	for _, l := range lines {
		fmt.Fprintf(b, "      %s %s %s: %s\n", printable.Clip(l.Time, 30), printable.Clip(l.State, 10), printable.Clip(l.Stage, 30), printable.Line(l.Text))
	}
}
