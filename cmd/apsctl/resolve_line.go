package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// Flags without which a command that is named to a person would work on another
// ledger, service or plan, or judge by other settings, than the one that names it.
var (
	ledgerFlags  = []string{"ledger", "emulator"}
	serviceFlags = slices.Concat(ledgerFlags, []string{"endpoint", "sts-endpoint", "kms-endpoint", "profile"})
	resolveFlags = slices.Concat(serviceFlags, []string{"var", "var-file", "settle", "allow-short-settle", "on-unknown"})
)

// givenFlags are those of the named flags that cmd was given, each with a space before
// it.
func givenFlags(cmd *cobra.Command, names []string) string {
	given := ""
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(names, f.Name) {
			given += flagWords(f)
		}
	})
	return given
}

// commandsOf writes commands for the ledger and the service that cmd works on. They
// are about any plan, so that what cmd was told of its own plan is left out.
func commandsOf(cmd *cobra.Command) plan.Commands {
	return plan.Commands{Ledger: givenFlags(cmd, ledgerFlags), Service: givenFlags(cmd, serviceFlags)}
}

// resolveLine is the apsctl resolve that a person is told to use. It works as it
// is printed: with the plan files where there are any, since they have settings
// too, and with the flags that the command at hand was given.
type resolveLine struct {
	files  string
	byPlan bool // without files: the plan is named
	flags  string

	commands plan.Commands // about other plans
}

// newResolveLine is for a command that was given files; none mean the default
// file.
func newResolveLine(cmd *cobra.Command, files []string) resolveLine {
	l := resolveLine{flags: givenFlags(cmd, resolveFlags), commands: commandsOf(cmd)}
	for _, file := range files {
		l.files += " " + printable.ShellWord(file)
	}
	return l
}

// ledgerResolveLine is for a command that reads no plan file.
func ledgerResolveLine(cmd *cobra.Command) resolveLine {
	l := newResolveLine(cmd, nil)
	l.byPlan = true
	return l
}

func flagWords(f *pflag.Flag) string {
	values := []string{f.Value.String()}
	if list, ok := f.Value.(pflag.SliceValue); ok {
		values = list.GetSlice()
	}
	words := ""
	for _, value := range values {
		switch {
		case f.Value.Type() != "bool":
			words += " --" + f.Name + " " + printable.ShellWord(value)
		case value == "true":
			words += " --" + f.Name
		}
	}
	return words
}

// look is the command that looks now, for one plan.
func (l resolveLine) look(planName string) string {
	if l.byPlan {
		return "apsctl resolve --plan " + printable.ShellWord(planName) + l.flags
	}
	return "apsctl resolve" + l.files + l.flags
}

// order is the command that a decision is added to.
func (l resolveLine) order(planName string) string { return l.look(planName) + " --reason WHY" }
