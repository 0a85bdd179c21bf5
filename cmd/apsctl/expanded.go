package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

// showExpanded prints jobs after all merging. It needs no ledger.
func (c *planCommand) showExpanded(cmd *cobra.Command, args []string) error {
	if _, err := path.Match(c.expanded, ""); err != nil {
		return usagef(cmd, "--show-expanded %q is no valid pattern: a [ needs its ]", c.expanded)
	}
	for _, name := range []string{"output", "full", "detailed-exitcode", "target", "exclude", "target-file", "refresh", "out"} {
		if cmd.Flags().Changed(name) {
			return usagef(cmd, "--show-expanded writes the jobs of the plan as YAML and compares nothing: leave --%s out", name)
		}
	}
	o, err := c.files.options(cmd)
	if err != nil {
		return err
	}
	o.Trace = c.expanded
	wanted, err := c.files.loadWith(c.app, cmd, args, o)
	if err != nil {
		return err
	}
	if len(wanted.Origins) == 0 {
		return c.noSuchJob(wanted)
	}
	return plan.WriteExpanded(c.app.stdout, wanted, wanted.Origins)
}

// noSuchJob tells which jobs there are when none has the wanted name.
func (c *planCommand) noSuchJob(wanted *plan.Plan) error {
	hint := fmt.Sprintf("--show-expanded '*' shows all %d", len(wanted.Jobs))
	if near := wanted.NearestJobs(c.expanded); len(near) > 0 {
		hint = "did you mean " + strings.Join(near, ", ") + "?"
	} else if len(wanted.Jobs) == 0 {
		hint = "it has no jobs at all"
	}
	return coded(codeNoSuchJob, fmt.Errorf("plan %q has no job %q: %s", wanted.Name, c.expanded, hint))
}
