package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// lifeShown is how many jobs a preview lists unless everything is asked for.
const lifeShown = 40

// lifeSigns mark a job at the start of its line.
var lifeSigns = map[plan.Kind]string{
	plan.KindStart: ">", plan.KindSuspend: "|", plan.KindDelete: "x", plan.KindBlocked: "!", plan.KindKeep: "=",
}

// writeLifePreview shows what would happen to which jobs, and returns to how many.
// Those that are left alone come first, then those that something happens to.
func writeLifePreview(w io.Writer, verb lifeVerb, changes []plan.Change, full bool) (todo int, err error) {
	var b strings.Builder
	kinds := map[plan.Kind][]plan.Change{}
	for _, c := range changes {
		kinds[c.Kind] = append(kinds[c.Kind], c)
	}
	todo = len(kinds[verb.kind])
	if len(changes) == 0 {
		_, err = fmt.Fprintln(w, "Nothing to do: no job of the ledger fits.")
		return 0, err
	}
	fmt.Fprintf(&b, "%s: %s.\n", plan.Count(len(changes), "job"), countWords([]countWord{
		{todo, "to " + verb.name}, {len(kinds[plan.KindBlocked]), "left alone"}, {len(kinds[plan.KindKeep]), "to keep"},
	}))
	lines := slices.Concat(kinds[plan.KindBlocked], kinds[verb.kind])
	if full || todo == 0 {
		lines = append(lines, kinds[plan.KindKeep]...)
	}
	if len(lines) > 0 {
		b.WriteString("\n")
	}
	shown := len(lines)
	if !full {
		shown = min(shown, lifeShown)
	}
	for _, c := range lines[:shown] {
		writeLifeLine(&b, c)
	}
	if more := len(lines) - shown; more > 0 {
		fmt.Fprintf(&b, "  … and %s; --full lists everything\n", plan.Count(more, "more job"))
	}
	writeAfterwards(&b, verb, kinds[verb.kind])
	_, err = io.WriteString(w, b.String())
	return todo, err
}

func writeLifeLine(b *strings.Builder, c plan.Change) {
	e := c.Entry
	fmt.Fprintf(b, "  %s %s  %s → %s  (plan %s, %s", lifeSigns[c.Kind], printable.Line(c.Name), printable.Line(e.Spec.Source.Instance),
		printable.Line(e.Spec.Destination.Instance), printable.Line(e.Plan), printable.Line(e.Region))
	if e.JobID != "" {
		fmt.Fprintf(b, ", %s", printable.Line(e.JobID))
	}
	if len(c.Remote) > 0 {
		fmt.Fprintf(b, ", %s", printable.Clip(c.Remote[0].Status, 40))
	}
	b.WriteString(")")
	if c.Reason != "" {
		fmt.Fprintf(b, "  %s", printable.Line(c.Reason))
	}
	b.WriteString("\n")
}

// writeAfterwards says what the plans of the jobs will make of it.
func writeAfterwards(b *strings.Builder, verb lifeVerb, changes []plan.Change) {
	if verb.kind == plan.KindDelete {
		if len(changes) > 0 {
			b.WriteString("\nThe next apply of a plan that still lists one of these creates it again.\n")
		}
		return
	}
	undoes := map[plan.Kind]plan.DesiredState{plan.KindStart: plan.Suspended, plan.KindSuspend: plan.Running}[verb.kind]
	plans, jobs := map[string]bool{}, 0
	for _, c := range changes {
		if c.Entry.Life.State == undoes {
			plans[c.Entry.Plan] = true
			jobs++
		}
	}
	if jobs == 0 {
		return
	}
	names := slices.Sorted(maps.Keys(plans))
	for i := range names {
		names[i] = printable.Line(names[i])
	}
	if more := len(names) - namesShown; more > 0 {
		names = append(names[:namesShown], fmt.Sprintf("%d more", more))
	}
	fmt.Fprintf(b, "\nThe plan says state: %s of %s (%s): the next apply undoes this.\n", undoes, plan.Count(jobs, "job"), strings.Join(names, ", "))
}

// lifeResult is what became of jobs that were chosen by hand.
type lifeResult struct {
	run     string
	verb    lifeVerb
	changes []plan.Change
	report  runner.Report // one result per change, or none
}

// What keeps start, suspend and delete from a job, in the words of a report.
const (
	causeProtected = "protected"
	causeNoJob     = "there is no job"
	causeOpen      = "something was sent that has no answer yet"
)

func newLifeResult(run string, verb lifeVerb, changes []plan.Change, report runner.Report) *lifeResult {
	for i := range report.Results {
		r := &report.Results[i]
		r.Left = false // they were chosen, and count
		switch {
		case r.Action != plan.KindBlocked || r.State.NeedsPerson():
		case r.State == plan.StateCreated && verb.kind == plan.KindDelete:
			if changes[i].Entry.Life.Protect {
				r.Cause = causeProtected
			} // else it is not listed yet, as the run says
		case r.State == plan.StateCreated || r.State.Unresolved():
			r.Cause = causeOpen
		default:
			r.Cause = causeNoJob
		}
	}
	return &lifeResult{run, verb, changes, report}
}

// exitCode is that of an apply for what was tried, or what kept the command from
// the rest, whichever needs a person most.
func (l lifeResult) exitCode(failed error) int {
	tried, codes := l.report, []int{}
	tried.Results = nil
	for _, r := range l.report.Results {
		if r.Ending != runner.EndBlocked {
			tried.Results = append(tried.Results, r)
		} else if entry, ok := entryOf(blockedCode(r)); ok {
			codes = append(codes, entry.Exit)
		}
	}
	codes = append(codes, exitCodeOf(tried, failed))
	for _, code := range []int{exitLedger, exitDenied, exitInterrupted, exitUnknown, exitFailure, exitFailed, exitLimit} {
		if slices.Contains(codes, code) {
			return code
		}
	}
	return codes[len(codes)-1]
}

func (l lifeResult) write(w io.Writer) error {
	var b strings.Builder
	report, counts := l.report, l.report.Counts()
	if counts.Kept < len(report.Results) || report.Stop != runner.StopNone {
		done := 0
		for _, r := range report.Results {
			if r.Ending == l.verb.done {
				done++
			}
		}
		fmt.Fprintf(&b, "\n%s of %s in %s.\n", countWords([]countWord{
			{done, string(l.verb.done)}, {counts.Kept, "kept"}, {counts.Failed, "failed"}, {counts.Unknown, "unknown"},
			{counts.Blocked, "left alone"}, {counts.NotTried, "not tried"},
		}), plan.Count(len(report.Results), "job"), report.Elapsed.Round(100*time.Millisecond))
		writeGroups(&b, report, runner.EndFailed, "failed; the same command tries them again")
		writeGroups(&b, report, runner.EndUnknown, "not certain yet; the same command, or the next apply, goes on from there")
		writeGroups(&b, report, runner.EndBlocked, "left alone")
		writeGroups(&b, report, runner.EndNotTried, "not tried")
		l.writeStop(&b, counts)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// countWord is a number of jobs and what is said of them.
type countWord struct {
	n    int
	word string
}

// countWords joins those that are not zero.
func countWords(counts []countWord) string {
	var parts []string
	for _, c := range counts {
		if c.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", c.n, c.word))
		}
	}
	return strings.Join(parts, ", ")
}

func (l lifeResult) writeStop(b *strings.Builder, c runner.Counts) {
	if l.report.Stop == runner.StopNone {
		return
	}
	fmt.Fprintf(b, "\nStopped early: %s", l.report.Stop)
	if l.report.StopDetail != "" {
		fmt.Fprintf(b, ": %s", printable.Line(l.report.StopDetail))
	}
	fmt.Fprintf(b, " [%s]. %s not tried; the same command goes on from there.\n", stopCode(l.report), plan.Count(c.NotTried, "job"))
}

// lifeJSON is the result of start, suspend and delete.
type lifeJSON struct {
	Run       string        `json:"run"`
	Action    plan.Kind     `json:"action"`
	Counts    runner.Counts `json:"counts"`
	Jobs      []lifeJobJSON `json:"jobs"`
	Stop      string        `json:"stop"`
	StopCode  errorCode     `json:"stop_code,omitempty"`
	ElapsedMs int64         `json:"elapsed_ms"`
	ExitCode  int           `json:"exit_code"`
}

type lifeJobJSON struct {
	Plan string `json:"plan"`
	resultJSON
	Region string `json:"region"`
	Reason string `json:"reason"` // why it is done or not
}

func (l lifeResult) json(exitCode int) lifeJSON {
	out := lifeJSON{
		Run: l.run, Action: l.verb.kind, Counts: l.report.Counts(), Stop: string(l.report.Stop), StopCode: stopCode(l.report),
		ElapsedMs: l.report.Elapsed.Milliseconds(), ExitCode: exitCode, Jobs: make([]lifeJobJSON, 0, len(l.report.Results)),
	}
	for i, r := range l.report.Results {
		entry := l.changes[i].Entry
		out.Jobs = append(out.Jobs, lifeJobJSON{entry.Plan, newResultJSON(r), entry.Region, l.changes[i].Reason})
	}
	return out
}
