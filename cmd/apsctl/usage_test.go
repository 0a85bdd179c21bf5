package main

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

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
