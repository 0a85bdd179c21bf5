// Package notice tells other programs of runs that nobody watches: people, by a
// message when a run ends otherwise than they were told last, and a monitor of cron
// jobs, by a heartbeat. None of them decides anything about a run: what goes wrong
// here is a warning.
package notice

import (
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// Run is what there is to tell of one run. It is filled in as the run goes on, and
// told when it is over. It is not safe for concurrent use.
type Run struct {
	// Record says which run it is. Its ID is "" while the ledger does not have it, and
	// its Plan is "" while that is not known.
	Record plan.RunRecord
	Ledger string // path, also of one that is not there
	// Locked says that the run had the lock of the ledger, so that each run before it
	// that has no end is dead. Without it, one of them may have turned this one away.
	Locked bool

	Finished time.Time
	ExitCode int
	Outcome  Outcome // that of ExitCode
	// Failed is what ended it altogether; nil for nothing, and where Report says all.
	Failed error
	// Code is that of Failed, or else of why Report stopped early, as docs/errors.md has
	// them; "" for neither.
	Code string

	Report *runner.Report // nil when nothing was carried out
	// Summary is a line about Report, and Causes is what is wrong with its jobs, most
	// jobs first, each with a job or more and the name of one; "" and nil without a
	// report.
	Summary string
	Causes  []jsonform.Cause

	// Redactor takes what is secret out of all texts; nil takes nothing.
	Redactor *secret.Redactor
}

// CommandWord is the command of the run without its arguments, such as "apply": runs
// of the same plan and command are compared.
func (r *Run) CommandWord() string {
	word, _, _ := strings.Cut(r.Record.Command, " ")
	return word
}

// Took is how long the run took, once it is finished.
func (r *Run) Took() time.Duration { return r.Finished.Sub(r.Record.StartedAt) }

const (
	causesTold = 5   // of Causes
	lineMax    = 300 // in characters
)

// lines are the message about the run, for people: what is wrong, and where to
// look. Text from outside is encoded as for a terminal, without secrets.
func (r *Run) lines() []string {
	name := r.Record.Plan
	if name == "" {
		name = "(not known)"
	}
	lines := []string{fmt.Sprintf("apsctl: plan %s is %s", printable.Clip(name, lineMax), r.headline())}
	add := func(format string, args ...any) {
		lines = append(lines, printable.Clip(r.Redactor.Clean(fmt.Sprintf(format, args...)), lineMax))
	}
	if r.Report != nil {
		add("%s", r.Summary)
		for i, cause := range r.Causes {
			if i == causesTold {
				add("… and more causes; apsctl runs last shows them")
				break
			}
			add("%s %s, %s: %s: %s", plan.Count(cause.Jobs, "job"), strings.ReplaceAll(cause.Ending, "_", " "), cause.Cause, cause.Names[0], cause.Example)
		}
		if r.Report.Stop != runner.StopNone {
			add("stopped early: %s: %s", r.Report.Stop, r.Report.StopDetail)
		}
	}
	if r.Failed != nil {
		line, _, _ := strings.Cut(r.Failed.Error(), "\n") // of a plan's mistakes, the first
		add("%s [%s]", line, r.Code)
	}
	add("%s by %s@%s, from %s for %s", r.Record.Command, r.Record.User, r.Record.Host,
		r.Record.StartedAt.UTC().Format(time.RFC3339), r.Took().Round(100*time.Millisecond))
	return lines
}

// headline says in one line how the run ended.
func (r *Run) headline() string {
	if r.Outcome == OutcomeDone {
		return fmt.Sprintf("%s: %s", r.Outcome, outcomeWords[r.Outcome])
	}
	return fmt.Sprintf("%s (exit code %d): %s", r.Outcome, r.ExitCode, outcomeWords[r.Outcome])
}
