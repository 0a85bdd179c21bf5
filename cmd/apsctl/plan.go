package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type planCommand struct {
	app      *app
	files    planFiles
	target   target
	output   outputFormat
	chosen   selection
	full     bool
	detailed bool
	expanded string
	refresh  refreshFlag
	looker   looker
}

func newPlanCommand(a *app) *cobra.Command {
	c := &planCommand{app: a}
	c.looker = looker{app: a, target: &c.target}
	cmd := &cobra.Command{
		Use:   "plan [FILE...]",
		Short: "Show what apply would do; changes nothing",
		Long: `plan compares a plan file with the ledger and shows what apply would do. It
asks the service nothing, reads no password and writes nothing, so it also runs
where there are no credentials. apply compares with the service as well before
it creates anything.

With --refresh it asks the service, takes no lock, and says of each difference who
stands alone: the plan, or the service, since something was changed outside apsctl.
All it writes then is when each job was last compared, so that samples rotate.

--show-expanded prints jobs after all merging instead, each value with the file
and line that it came from, as a plan that could be used.

` + planUsage + "\n\n" + selectorUsage,
		Example: "  apsctl plan --emulator examples/quickstart.yaml\n  apsctl plan -o json migration.yaml | jq .summary",
		RunE:    c.run,
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	c.chosen.addFlags(cmd)
	c.refresh.addFlag(cmd)
	c.looker.addFlags(cmd)
	cmd.Flags().BoolVar(&c.full, "full", false, "list every change with every field")
	cmd.Flags().BoolVar(&c.detailed, "detailed-exitcode", false, "exit 2 when there are changes")
	cmd.Flags().StringVar(&c.expanded, "show-expanded", "", "print the jobs of this `name` or pattern after all merging")
	return cmd
}

func (c *planCommand) run(cmd *cobra.Command, args []string) error {
	if c.expanded != "" {
		return c.showExpanded(cmd, args)
	}
	choice, err := c.chosen.choice(cmd)
	if err != nil {
		return err
	}
	if choice.AsksService() && !c.refresh.Asks() {
		return usagef(cmd, "--target and --exclude by running, suspended, failed or pending need the service, which plan asks with --refresh only")
	}
	wanted, err := c.files.load(c.app, cmd, args)
	if err != nil {
		return err
	}
	changes, err := c.compare(cmd, wanted, choice)
	if err != nil {
		return err
	}
	if c.output.json() {
		err = writeJSON(c.app.stdout, newPlanJSON(wanted, changes))
	} else {
		err = plan.Render(c.app.stdout, wanted, changes, plan.RenderOptions{Full: c.full})
		if err == nil && slices.ContainsFunc(changes, func(c plan.Change) bool { return c.State().NeedsPerson() }) {
			writeWayOut(c.app.stdout, newResolveLine(cmd, args).look(wanted.Name))
		}
	}
	if err == nil && c.detailed && plan.Summarize(changes).Changes() > 0 {
		return exitWith(exitChanges)
	}
	return err
}

// compare is the difference from the ledger alone or, if asked, from the service.
func (c *planCommand) compare(cmd *cobra.Command, wanted *plan.Plan, choice plan.Choice) ([]plan.Change, error) {
	if c.refresh.Asks() {
		_, changes, err := c.looker.look(cmd, wanted, runner.Options{Refresh: c.refresh.Refresh, Choice: choice})
		return changes, err
	}
	snapshot, err := c.readSnapshot(cmd.Context(), wanted.Name)
	if err != nil {
		return nil, err
	}
	return choice.Of(plan.Diff(wanted, snapshot, nil, plan.DiffOptions{}))
}

// readSnapshot reads the ledger's entries of one plan without creating or
// changing anything. A ledger that does not exist yet is an empty one, which it
// says: it may as well be one that was lost, or is somewhere else.
func (c *planCommand) readSnapshot(ctx context.Context, planName string) (plan.Snapshot, error) {
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(c.app.stderr, "apsctl: no ledger at %s yet: everything counts as not created\n", printable.Line(c.target.ledgerPath()))
		return plan.Snapshot{}, nil
	}
	if err != nil {
		return plan.Snapshot{}, err
	}
	defer ledger.Close()
	return ledger.Snapshot(ctx, planName)
}
