package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestHelpSaysADefaultOnce: pflag adds the default to the text of a flag, which
// then need not end in it.
func TestHelpSaysADefaultOnce(t *testing.T) {
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if usage := strings.TrimRight(f.Usage, ")."); f.DefValue != "" && strings.HasSuffix(usage, " "+f.DefValue) {
				t.Errorf("%s --%s: %s (default %s)", cmd.CommandPath(), f.Name, f.Usage, f.DefValue)
			}
		})
		for _, child := range cmd.Commands() {
			walk(child)
		}
	}
	walk(newRoot(newApp(strings.NewReader(""), io.Discard, io.Discard)))
}

func TestHelpOfManyFlagsIsGroupedAndComplete(t *testing.T) {
	b := newBench(t)
	help := b.want(exitDone, "apply", "--help").stdout
	for _, group := range flagGroups {
		if strings.Count(help, "\n"+group.title+":\n") != 1 {
			t.Errorf("there is no group %q in %s", group.title, help)
		}
	}
	apply := newApplyCommand(newApp(strings.NewReader(""), io.Discard, io.Discard))
	apply.Flags().VisitAll(func(f *pflag.Flag) {
		if strings.Count(help, " --"+f.Name+" ") < 1 {
			t.Errorf("--%s is missing", f.Name)
		}
	})
	for _, group := range flagGroups {
		for _, name := range group.names {
			if apply.Flags().Lookup(name) == nil {
				t.Errorf("apply has no flag --%s", name)
			}
		}
	}
}
