package main

import (
	"fmt"
	"path"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

// showExpanded prints jobs after all merging. It needs no ledger.
func (c *planCommand) showExpanded(cmd *cobra.Command, args []string) error {
	if _, err := path.Match(c.expanded, ""); err != nil {
		return usagef(cmd, "--show-expanded %q is no valid pattern: a [ needs its ]", c.expanded)
	}
	o, err := c.files.options(cmd)
	if err != nil {
		return err
	}
	o.Trace = c.expanded
	wanted, err := loadPlan(c.app, args, o)
	if err != nil {
		return err
	}
	if len(wanted.Origins) == 0 {
		return &exitError{exitInvalid, fmt.Errorf("plan %q has no job %q", wanted.Name, c.expanded)}
	}
	return plan.WriteExpanded(c.app.stdout, wanted, wanted.Origins)
}
