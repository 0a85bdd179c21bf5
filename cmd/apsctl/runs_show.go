package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/apsctl/apsctl/internal/human"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

func (c *runsCommand) list(runs []pastRun) error {
	shown := runs
	if c.limit > 0 {
		shown = runs[:min(len(runs), c.limit)]
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newRunsJSON(shown))
	}
	if len(runs) == 0 {
		_, err := fmt.Fprintln(c.app.stdout, "No runs yet.")
		return err
	}
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	t.AppendHeader(table.Row{"run", "command", "plan", "who", "started", "took", "exit", "calls", "throttled", "result"})
	for _, r := range shown {
		sent, throttled := jsonform.Sum(r.detail.Calls)
		calls, slowed := fmt.Sprint(sent), fmt.Sprint(throttled)
		if r.Detail == "" {
			calls, slowed = "-", "-" // nobody counted
		}
		t.AppendRow(table.Row{r.ID, printable.Line(r.Command), printable.Line(r.Plan), printable.Clip(r.who(), 40),
			shownAt(r.StartedAt), r.tookText(), r.exitText(), calls, slowed, printable.Clip(r.result(), 80)})
	}
	var b strings.Builder
	fmt.Fprintln(&b, t.Render())
	if more := len(runs) - len(shown); more > 0 {
		fmt.Fprintf(&b, "… and %s before these; --limit 0 lists all\n", plan.Count(more, "run"))
	}
	_, err := io.WriteString(c.app.stdout, b.String())
	return err
}

// tookText is empty for a run whose end is not known.
func (r pastRun) tookText() string {
	took, known := r.took()
	if !known {
		return "-"
	}
	return human.Duration(took)
}

func (r pastRun) exitText() string {
	if r.state == jsonform.RunEnded {
		return fmt.Sprint(r.ExitCode)
	}
	return string(r.state)
}

// result says in a few words what came of the run.
func (r pastRun) result() string {
	switch {
	case r.state == jsonform.RunDied:
		return "it ended without a record; the next run settles what it left open"
	case r.state == jsonform.RunActive:
		return "it is at work"
	case r.detail.Error != "":
		return r.detail.Error
	}
	var parts []string
	for _, c := range r.counts {
		if c.Name != "planned" {
			parts = append(parts, fmt.Sprintf("%d %s", c.Count, c.Name))
		}
	}
	if len(parts) == 0 {
		return "nothing to do"
	}
	return strings.Join(parts, ", ")
}

// show writes all that is known of one run.
func (c *runsCommand) show(ctx context.Context, ledger *store.Ledger, r pastRun) error {
	events, err := ledger.EventsOf(ctx, store.EventFilter{Run: r.ID})
	if err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, runJSON{newRunJSON(r), stepCounts(events)})
	}
	var b strings.Builder
	line := func(label, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(&b, "  %-12s %s\n", label, printable.Line(value))
		}
	}
	fmt.Fprintf(&b, "%s: %s %s\n", r.ID, printable.Line(r.Command), printable.Line(r.Plan))
	line("who", fmt.Sprintf("%s, pid %d", r.who(), r.PID))
	line("version", r.Version)
	line("plan digest", r.PlanDigest)
	line("started", shownAt(r.StartedAt))
	line("finished", shownAt(r.FinishedAt))
	line("took", r.tookText())
	line("exit", r.exitMeaning())
	line("result", r.result())
	line("stopped", r.detail.Stop)
	for _, step := range stepCounts(events) {
		line("steps", fmt.Sprintf("%d from %s to %s", step.Jobs, stateText(step.From), stateText(step.To)))
	}
	for _, call := range r.detail.Calls {
		text := fmt.Sprintf("%d %s", call.Sent, call.Operation)
		if call.Region != "" {
			text += " in " + call.Region
		}
		if call.Throttled > 0 {
			text += fmt.Sprintf(", %d throttled", call.Throttled)
		}
		line("calls", text)
	}
	for _, e := range r.detail.Errors {
		fmt.Fprintf(&b, "%s %s: %s\n", plan.Count(e.Jobs, "job"), endingText(e.Ending), printable.Line(e.Cause))
		fmt.Fprintf(&b, "  %s\n  for instance: %s\n", printable.Line(namesOf(e)), printable.Line(e.Example))
	}
	_, err = io.WriteString(c.app.stdout, b.String())
	return err
}

func endingText(ending string) string { return printable.Line(strings.ReplaceAll(ending, "_", " ")) }

// namesOf lists the jobs of a cause as far as they are on record.
func namesOf(e jsonform.Cause) string {
	text := strings.Join(e.Names, ", ")
	if more := e.Jobs - len(e.Names); more > 0 && text != "" {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// exitMeaning is the exit code with what it stands for.
func (r pastRun) exitMeaning() string {
	if r.state != jsonform.RunEnded {
		return "unknown: " + r.result()
	}
	return fmt.Sprintf("%d, %s", r.ExitCode, exitWords(r.ExitCode))
}

// exitWords says what an exit code means, as rootLong does.
func exitWords(code int) string {
	switch code {
	case exitDone:
		return "done, or nothing to do"
	case exitChanges:
		return "changes exist"
	case exitFailed:
		return "some jobs failed"
	case exitUnknown:
		return "outcomes unknown, or conflicts"
	case exitLimit:
		return "refused by a limit"
	case exitLeft:
		return "stopped by a budget or cap, work is left"
	case exitInvalid:
		return "plan or flags invalid"
	case exitLocked:
		return "locked by a live run"
	case exitDenied:
		return "credentials or permission refused"
	case exitLedger:
		return "ledger trouble"
	case exitInterrupted:
		return "interrupted, drained cleanly"
	}
	return "error"
}

type runsJSON struct {
	Runs []jsonform.Run `json:"runs"`
}

// runJSON is the one run that is shown.
type runJSON struct {
	jsonform.Run
	Steps []stepCount `json:"steps,omitempty"`
}

func newRunsJSON(runs []pastRun) runsJSON {
	out := runsJSON{Runs: make([]jsonform.Run, 0, len(runs))}
	for _, r := range runs {
		out.Runs = append(out.Runs, newRunJSON(r))
	}
	return out
}

func newRunJSON(r pastRun) jsonform.Run {
	one := jsonform.Run{
		ID: r.ID, Command: r.Command, Plan: r.Plan, PlanDigest: r.PlanDigest, User: r.User, Host: r.Host, PID: r.PID,
		Version: r.Version, State: r.state, StartedAt: r.StartedAt, FinishedAt: jsonform.Time(r.FinishedAt),
		Counts: rawJSON(r.Counts), Calls: r.detail.Calls, Errors: r.detail.Errors, Stop: r.detail.Stop, Error: r.detail.Error,
	}
	if one.Calls == nil {
		one.Calls = []jsonform.Calls{}
	}
	if one.Errors == nil {
		one.Errors = []jsonform.Cause{}
	}
	if took, known := r.took(); known {
		ms := took.Milliseconds()
		one.ElapsedMs, one.ExitCode = &ms, &r.ExitCode
	}
	return one
}

// stepCount is how many times a run moved a job from one state to another; ""
// is "not in the ledger".
type stepCount struct {
	From plan.State `json:"from"`
	To   plan.State `json:"to"`
	Jobs int        `json:"jobs"`
}

// stepCounts adds up events, in the order in which each kind came first.
func stepCounts(events []store.Event) []stepCount {
	var steps []stepCount
	at := map[[2]plan.State]int{}
	for _, e := range events {
		key := [2]plan.State{e.From, e.To}
		i, known := at[key]
		if !known {
			i = len(steps)
			at[key], steps = i, append(steps, stepCount{From: e.From, To: e.To})
		}
		steps[i].Jobs++
	}
	return steps
}
