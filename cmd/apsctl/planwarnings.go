package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

const (
	// warningsWhole is how many warnings about a plan are shown with the lines that
	// they are about. More are summed up: the page that a command is asked for stands
	// below them.
	warningsWhole = 2
	// warningsMany is how many validate shows.
	warningsMany = 100
	// sourcesWarned is how many sources a summary names.
	sourcesWarned = 5
)

// warnings is what is said of a plan's warnings, in whole lines. validate is the
// command that shows them.
func (p *planFiles) warnings(wanted *plan.Plan, validate string) string {
	whole := warningsWhole
	if p.manyWarnings {
		whole = warningsMany
	}
	var b strings.Builder
	switch {
	case wanted.Warned == 0:
	case wanted.Warned <= whole:
		fmt.Fprintln(&b, wanted.Warnings)
	case p.manyWarnings:
		fmt.Fprintf(&b, "%s\nand %s; -o json lists all\n", wanted.Warnings[:whole], plan.Count(wanted.Warned-whole, "more warning"))
	default:
		first := wanted.Warnings[0]
		fmt.Fprintf(&b, "apsctl: %s about the plan, the first at %s: %s\n", plan.Count(wanted.Warned, "warning"), first.Pos, first.Message)
		if len(wanted.Repeated) > 0 {
			fmt.Fprintf(&b, "  %s\n", repeatedJobs(wanted.Repeated))
		}
		fmt.Fprintf(&b, "  %s -o json lists all\n", printable.Line(validate))
	}
	return b.String()
}

// tellWarnings is warnings for a program: one line each, and how many more there are.
func (p *planFiles) tellWarnings(wanted *plan.Plan, validate string) {
	for _, w := range wanted.Warnings[:min(len(wanted.Warnings), warningsWhole)] {
		p.tell(fmt.Sprintf("%s: %s", w.Pos, w.Message))
	}
	if more := wanted.Warned - warningsWhole; more > 0 {
		p.tell(fmt.Sprintf("%s about the plan; %s -o json lists all", plan.Count(more, "more warning"), validate))
	}
}

// repeatedJobs says which sources have the most jobs that do what another job
// does.
func repeatedJobs(sources []plan.Tally) string {
	total := 0
	for _, source := range sources {
		total += source.Count
	}
	var named []string
	for _, source := range sources[:min(len(sources), sourcesWarned)] {
		named = append(named, fmt.Sprintf("%s %d", printable.Clip(source.Name, 64), source.Count))
	}
	if more := len(sources) - len(named); more > 0 {
		named = append(named, plan.Count(more, "more source"))
	}
	return fmt.Sprintf("%s the same as another one, by source: %s", jobsSynchronise(total), strings.Join(named, ", "))
}

func jobsSynchronise(jobs int) string {
	if jobs == 1 {
		return "1 job synchronises"
	}
	return fmt.Sprintf("%d jobs synchronise", jobs)
}

// validateLine is the apsctl validate of the files and variables that a command
// was given.
func validateLine(cmd *cobra.Command, files []string) string {
	line := "apsctl validate"
	for _, file := range files {
		line += " " + printable.ShellWord(file)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if f.Name == "var" || f.Name == "var-file" {
			line += flagWords(f)
		}
	})
	return line
}
