package main

import (
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/internal/printable"
)

// resolveFlags are those without which apsctl resolve would look at another plan,
// ledger or service, or judge by other settings than the command that names it.
var resolveFlags = []string{
	"var", "var-file", "ledger", "emulator", "endpoint", "sts-endpoint", "kms-endpoint", "profile",
	"settle", "allow-short-settle", "on-unknown",
}

// resolveLine is the apsctl resolve that a person is told to use. It works as it
// is printed: with the plan files where there are any, since they have settings
// too, and with the flags that the command at hand was given.
type resolveLine struct {
	files  string
	byPlan bool // without files: the plan is named
	flags  string
}

// newResolveLine is for a command that was given files; none mean the default
// file.
func newResolveLine(cmd *cobra.Command, files []string) resolveLine {
	var l resolveLine
	for _, file := range files {
		l.files += " " + printable.ShellWord(file)
	}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(resolveFlags, f.Name) {
			l.flags += flagWords(f)
		}
	})
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
