package main

import (
	"cmp"
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

const (
	namesShown = 5  // jobs named for each cause
	jobsShown  = 20 // unknown jobs listed one by one
)

// writeReport writes what a run did, for a person. resolve is the command that
// looks now at what the run leaves open, and logs are those of jobs that do not run.
func writeReport(w io.Writer, report runner.Report, logs map[string][]plan.ActionLog, resolve string) error {
	var b strings.Builder
	counts := report.Counts()
	if nothingToDo(counts, report) {
		fmt.Fprintf(&b, "Nothing to do: %s.\n", whyNothing(counts.Planned))
	} else {
		writeCounts(&b, counts, report)
		writeGroups(&b, report, runner.EndUnhealthy, "not running, though the service took what was sent; apply leaves them as they are")
		writeLastLogs(&b, loggedResults(report, logs))
		writeGroups(&b, report, runner.EndFailed, "failed; the next apply tries them again")
		writeUnknown(&b, report, resolve)
		writeHeld(&b, report, resolve)
		if report.Stop == runner.StopLedger {
			writeGroups(&b, report, runner.EndUnknown, "not recorded; the next apply looks for them")
		}
		writeGroups(&b, report, runner.EndBlocked, "blocked")
		if slices.ContainsFunc(report.Results, func(r runner.Result) bool { return r.State.NeedsPerson() }) {
			writeWayOut(&b, resolve)
		}
		writeGroups(&b, report, runner.EndNotTried, "not tried")
		writeStop(&b, counts, report)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// loggedResults pairs jobs with what they logged, by job id.
func loggedResults(report runner.Report, logs map[string][]plan.ActionLog) []loggedJob {
	if len(logs) == 0 {
		return nil
	}
	var jobs []loggedJob
	for _, r := range report.Results {
		jobs = append(jobs, loggedJob{r.Name, r.JobID, logs[r.JobID]})
	}
	return jobs
}

// whyNothing does not claim that the jobs exist: the service was not asked.
func whyNothing(planned int) string {
	switch planned {
	case 0:
		return "the plan has no job, or none of them was chosen"
	case 1:
		return "the ledger has the job as created"
	}
	return fmt.Sprintf("the ledger has all %d jobs as created", planned)
}

// writeWayOut names the command that shows what a person has to do, once for all.
func writeWayOut(w io.Writer, resolve string) {
	fmt.Fprintf(w, "\n%s shows each with its way out.\n", printable.Line(resolve))
}

func nothingToDo(c runner.Counts, report runner.Report) bool {
	return c.Kept == c.Planned && len(report.Results) == c.Planned && report.Stop == runner.StopNone
}

// endingWords are the endings of jobs as they are counted, in this order.
var endingWords = []struct {
	ending runner.Ending
	word   string
}{
	{runner.EndCreated, "created"}, {runner.EndAdopted, "adopted"}, {runner.EndUpdated, "updated"}, {runner.EndReplaced, "replaced"},
	{runner.EndDeleted, "deleted"}, {runner.EndStarted, "started"}, {runner.EndSuspended, "suspended"}, {runner.EndKept, "kept"},
	{runner.EndUnhealthy, "not running"}, {runner.EndFailed, "failed"}, {runner.EndUnknown, "unknown"}, {runner.EndBlocked, "blocked"},
	{runner.EndNotTried, "not tried"},
}

// endings counts the jobs of the plan, or those that left it, by ending: "2
// created, 1 kept", "" for none.
func endings(report runner.Report, left bool) string {
	counts := map[runner.Ending]int{}
	for _, r := range report.Results {
		if r.Left == left {
			counts[r.Ending]++
		}
	}
	var parts []string
	for _, e := range endingWords {
		if n := counts[e.ending]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, e.word))
		}
	}
	return strings.Join(parts, ", ")
}

func writeCounts(b *strings.Builder, c runner.Counts, report runner.Report) {
	wanted, left := endings(report, false), endings(report, true)
	if wanted != "" {
		wanted = fmt.Sprintf("%s of %s", wanted, plan.Count(c.Planned, "job"))
	}
	switch {
	case wanted == "" && left == "":
		wanted = "no job was tried"
	case wanted == "":
		wanted = left + " of the jobs that left the plan,"
	case left != "":
		wanted += ", and " + left + " of those that left the plan,"
	}
	fmt.Fprintf(b, "\n%s in %s", wanted, report.Elapsed.Round(100*time.Millisecond))
	fmt.Fprintf(b, " (%s", plan.Count(report.Requests, "create request"))
	if report.Throttled > 0 {
		fmt.Fprintf(b, ", %d throttled", report.Throttled)
	}
	b.WriteString(").\n")
}

// writeGroups lists the jobs of one ending by cause, most frequent first.
func writeGroups(b *strings.Builder, report runner.Report, ending runner.Ending, title string) {
	type kind struct {
		cause string
		code  errorCode
	}
	groups := map[kind][]runner.Result{}
	for _, r := range report.Results {
		if r.Ending == ending && r.Error != "" {
			k := kind{r.Cause, resultCode(r)}
			groups[k] = append(groups[k], r)
		}
	}
	kinds := slices.SortedFunc(maps.Keys(groups), func(x, y kind) int {
		return cmp.Or(cmp.Compare(len(groups[y]), len(groups[x])), cmp.Compare(x.cause, y.cause), cmp.Compare(x.code, y.code))
	})
	for _, k := range kinds {
		group := groups[k]
		cause := printable.Line(k.cause)
		if cause != "" {
			cause = ": " + cause
		}
		fmt.Fprintf(b, "\n%s %s%s [%s]\n", plan.Count(len(group), "job"), title, cause, k.code)
		writeSome(b, group)
	}
}

func writeSome(b *strings.Builder, group []runner.Result) {
	for _, r := range group[:min(len(group), namesShown)] {
		fmt.Fprintf(b, "  %s: %s\n", printable.Line(r.Name), printable.Line(r.Error))
	}
	if more := len(group) - namesShown; more > 0 {
		fmt.Fprintf(b, "  … and %s; -o json lists all\n", plan.Count(more, "more job"))
	}
}

// writeUnknown says of each unknown job what was sent, what happened, and when or
// how it will be settled.
func writeUnknown(b *strings.Builder, report runner.Report, resolve string) {
	var waiting, back, due []runner.Result
	for _, r := range report.Results {
		switch {
		case r.Ending != runner.EndUnknown || r.Held || report.Stop == runner.StopLedger:
		case r.Due:
			due = append(due, r)
		case r.HeldBack():
			back = append(back, r)
		default:
			waiting = append(waiting, r)
		}
	}
	now := time.Now()
	writeEach(b, waiting, fmt.Sprintf("%s with an unknown outcome: a request was sent and no answer says what became of it. [%s]", plan.Count(len(waiting), "job"), codeJobUnknown),
		func(r runner.Result) string {
			if !r.SettlesAt.After(now) {
				return ""
			}
			return "; settles by " + r.SettlesAt.Local().Format("15:04:05 MST")
		}, "There is nothing to do: the next apply looks what became of them, and creates again only what is proven absent by then.\n")
	writeEach(b, back, fmt.Sprintf("%s with an unknown outcome: what was sent lately may be there and not listed yet, so that nothing is sent. [%s]", plan.Count(len(back), "job"), codeJobUnknown),
		func(runner.Result) string { return "" },
		"There is nothing to do but wait: an apply after that creates those of which no job is listed, of the name or for the same.\n")
	writeEach(b, due, fmt.Sprintf("%s with an unknown outcome that could be settled by now, and is not proven. [%s]", plan.Count(len(due), "job"), codeJobUnknown),
		func(r runner.Result) string {
			return "; if you know that no job exists: " + absentOrder(resolve, r.Name)
		},
		"The next apply looks again, and settles them when the reason is gone.\n")
}

// writeHeld lists what is proven absent and waits for a person, each with the
// command that lets it go.
func writeHeld(b *strings.Builder, report runner.Report, resolve string) {
	var held []runner.Result
	for _, r := range report.Results {
		if r.Held {
			held = append(held, r)
		}
	}
	writeEach(b, held, fmt.Sprintf("A create was sent for these and is proven absent. To have one created by the next apply, say so: [%s]", codeJobHeld),
		func(r runner.Result) string { return ": " + absentOrder(resolve, r.Name) }, "")
}

// absentOrder is the command that vouches that no job exists.
func absentOrder(resolve, name string) string {
	return resolve + " --reason WHY --absent " + printable.ShellWord(name)
}

// writeEach lists jobs one by one below a title, each with what it needs after its
// error, and says at the end what comes of all. It writes nothing for no jobs.
func writeEach(b *strings.Builder, jobs []runner.Result, title string, after func(runner.Result) string, end string) {
	if len(jobs) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s\n", title)
	for _, r := range jobs[:min(len(jobs), jobsShown)] {
		fmt.Fprintf(b, "  %s (attempt %d): %s%s\n", printable.Line(r.Name), r.Attempt, printable.Line(r.Error), printable.Line(after(r)))
	}
	if more := len(jobs) - jobsShown; more > 0 {
		fmt.Fprintf(b, "  … and %s; -o json lists all\n", plan.Count(more, "more job"))
	}
	b.WriteString(end)
}

func writeStop(b *strings.Builder, c runner.Counts, report runner.Report) {
	if report.Stop == runner.StopNone {
		return
	}
	fmt.Fprintf(b, "\nStopped early: %s", report.Stop)
	if report.StopDetail != "" {
		fmt.Fprintf(b, ": %s", printable.Line(report.StopDetail))
	}
	fmt.Fprintf(b, ". %s left for the next apply. [%s]\n", plan.Count(c.NotTried, "job"), stopCode(report))
}
