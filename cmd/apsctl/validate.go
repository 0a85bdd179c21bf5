package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

type validateCommand struct {
	app    *app
	output outputFormat
}

func newValidateCommand(a *app) *cobra.Command {
	c := &validateCommand{app: a}
	cmd := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Check a plan file, offline",
		Long: `validate reads a plan file and reports every mistake at once, each with its
line and column. It reads no password, no ledger and asks no service.

FILE is apsctl.yaml in the current folder unless given.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return c.run(planFile(args)) },
	}
	c.output.addFlag(cmd)
	return cmd
}

func (c *validateCommand) run(file string) error {
	wanted, err := c.app.loadPlan(file)
	var problems plan.Problems
	switch {
	case c.output.json() && errors.As(err, &problems):
		if err := writeJSON(c.app.stdout, newProblemsJSON(problems)); err != nil {
			return err
		}
		return exitWith(exitInvalid)
	case err != nil:
		return err
	case c.output.json():
		return writeJSON(c.app.stdout, validJSON{Valid: true, Plan: wanted.Name, Jobs: len(wanted.Jobs), Problems: []problemJSON{}})
	}
	_, err = fmt.Fprintf(c.app.stdout, "%s is valid: plan %s, %s.\n",
		printable.Line(file), printable.Line(wanted.Name), plan.Count(len(wanted.Jobs), "job"))
	return err
}

// loadPlan reads a plan and shows its warnings, if any, on stderr.
func (a *app) loadPlan(file string) (*plan.Plan, error) {
	wanted, err := plan.Load(file)
	if err != nil {
		return nil, err
	}
	if len(wanted.Warnings) > 0 {
		fmt.Fprintln(a.stderr, plan.Problems(wanted.Warnings).Error())
	}
	return wanted, nil
}
