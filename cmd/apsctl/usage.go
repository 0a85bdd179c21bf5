package main

import (
	"slices"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// groupedFrom is the number of flags from which --help shows them in groups.
const groupedFrom = 20

// flagGroups are the groups, in their order. A flag that none names is in the first
// section.
var flagGroups = []struct {
	title string
	names []string
}{
	{"Which jobs", []string{"target", "exclude", "target-file", "var", "var-file"}},
	{"Which ledger and service", []string{"ledger", "emulator", "endpoint", "sts-endpoint", "kms-endpoint", "profile"}},
	{"What may be done", []string{"adopt", "allow", "max-create", "max-update", "max-replace", "max-delete", "max-removed", "max-failures", "on-unknown", "settle", "allow-short-settle"}},
	{"How fast, and in which order", []string{"parallel", "rate", "max-attempts", "max-elapsed", "canary", "wave", "wave-failures", "wait", "wait-timeout", "per-source", "per-destination"}},
	{"Runs that nobody watches", []string{"if-locked", "max-runtime", "quiet", "heartbeat", "notify", "notify-form", "metrics", "events"}},
}

// addGroupedFlags makes groupedFlags known to cobra, which keeps such in one place
// for the process.
var addGroupedFlags = sync.OnceFunc(func() { cobra.AddTemplateFunc("groupedFlags", groupedFlags) })

// groupFlags has the --help of each command with many flags show them in groups.
func groupFlags(root *cobra.Command) {
	addGroupedFlags()
	const plain = "{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}"
	for _, cmd := range root.Commands() {
		count := 0
		cmd.Flags().VisitAll(func(*pflag.Flag) { count++ })
		if count >= groupedFrom {
			cmd.SetUsageTemplate(strings.Replace(cmd.UsageTemplate(), plain, "{{groupedFlags .LocalFlags}}", 1))
		}
	}
}

// groupedFlags is the text of all flags, those of no group first.
func groupedFlags(all *pflag.FlagSet) string {
	rest, grouped := pflag.NewFlagSet("", pflag.ContinueOnError), make([]*pflag.FlagSet, len(flagGroups))
	for i := range grouped {
		grouped[i] = pflag.NewFlagSet("", pflag.ContinueOnError)
	}
	all.VisitAll(func(f *pflag.Flag) {
		for i, group := range flagGroups {
			if slices.Contains(group.names, f.Name) {
				grouped[i].AddFlag(f)
				return
			}
		}
		rest.AddFlag(f)
	})
	var b strings.Builder
	b.WriteString(strings.TrimRight(rest.FlagUsages(), "\n"))
	for i, group := range flagGroups {
		if grouped[i].HasFlags() {
			b.WriteString("\n\n" + group.title + ":\n" + strings.TrimRight(grouped[i].FlagUsages(), "\n"))
		}
	}
	return b.String()
}
