package main

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type planCommand struct {
	app      *app
	target   target
	output   outputFormat
	full     bool
	detailed bool
}

func newPlanCommand(a *app) *cobra.Command {
	c := &planCommand{app: a}
	cmd := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "Show what apply would do; changes nothing",
		Long: `plan compares a plan file with the ledger and shows what apply would do. It
asks the service nothing, reads no password and writes nothing, so it also runs
where there are no credentials. apply compares with the service as well before
it creates anything.

FILE is apsctl.yaml in the current folder unless given.`,
		Example: "  apsctl plan --emulator examples/quickstart.yaml\n  apsctl plan -o json migration.yaml | jq .summary",
		Args:    cobra.MaximumNArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd.Context(), planFile(args)) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().BoolVar(&c.full, "full", false, "list every change with every field")
	cmd.Flags().BoolVar(&c.detailed, "detailed-exitcode", false, "exit 2 when there are changes")
	return cmd
}

func (c *planCommand) run(ctx context.Context, file string) error {
	wanted, err := c.app.loadPlan(file)
	if err != nil {
		return err
	}
	snapshot, err := readSnapshot(ctx, c.target.ledgerPath(), wanted.Name)
	if err != nil {
		return err
	}
	changes := plan.Diff(wanted, snapshot, nil, plan.DiffOptions{})
	if c.output.json() {
		err = writeJSON(c.app.stdout, newPlanJSON(wanted, changes))
	} else {
		err = plan.Render(c.app.stdout, wanted, changes, plan.RenderOptions{Full: c.full})
	}
	if err == nil && c.detailed && plan.Summarize(changes).Changes() > 0 {
		return exitWith(exitChanges)
	}
	return err
}

// readSnapshot reads the ledger's entries of one plan without creating or
// changing anything. A ledger that does not exist yet is an empty one.
func readSnapshot(ctx context.Context, path, planName string) (plan.Snapshot, error) {
	ledger, err := store.OpenReadOnly(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return plan.Snapshot{}, nil
	}
	if err != nil {
		return plan.Snapshot{}, err
	}
	defer ledger.Close()
	return ledger.Snapshot(ctx, planName)
}
