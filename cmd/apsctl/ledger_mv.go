package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type ledgerMoveCommand struct {
	app    *app
	target target
	output outputFormat
	plan   string
	reason string
}

func newLedgerMoveCommand(a *app) *cobra.Command {
	c := &ledgerMoveCommand{app: a}
	cmd := &cobra.Command{
		Use:   "mv OLD NEW",
		Short: "Give an entry another name in its plan",
		Long: `mv renames a job in the ledger, after it was renamed in the plan file: without it
the plan would show one job to create and one left over. Its attempts and its
history follow it. On the service the job keeps its name, for nothing can rename
it there: a plan that has the old name still finds it there, and creates no other
within the settle time of its create, when it may not be listed yet.

A job whose create has no known outcome, and one in conflict or duplicate, is
looked for by its name and cannot be renamed before that is settled.`,
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0], args[1]) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.plan, "plan", "", "the `name` of the job's plan, where several have such a job")
	flags.StringVar(&c.reason, "reason", "renamed in the plan", "`why`; kept")
	return cmd
}

func (c *ledgerMoveCommand) run(cmd *cobra.Command, from, to string) error {
	if err := checkReason(cmd, c.reason); err != nil {
		return err
	}
	if to == from {
		return usagef(cmd, "NEW is another name than %q", from)
	}
	if err := plan.CheckName(to); err != nil {
		return usagef(cmd, "%v; nothing was changed", err)
	}
	ctx := cmd.Context()
	ledger, err := c.target.openLocked(ctx, "ledger mv")
	if err != nil {
		return err
	}
	defer ledger.close()
	entry, err := entryNamed(cmd, ledger.Ledger, c.plan, from)
	if err != nil {
		return err
	}
	if !entry.Renamable() {
		return coded(codeUnsettled, fmt.Errorf("job %q is %s and looked for by its name; nothing was changed: %s settles it first",
			from, entry.State, ledgerResolveLine(cmd).look(entry.Plan)))
	}
	person := newPerson(c.reason, "")
	err = ledger.Rename(ctx, store.MarkOf(entry), to, person)
	if errors.Is(err, store.ErrNameTaken) {
		return coded(codeNameTaken, fmt.Errorf("plan %q has a job %q in the ledger already; nothing was changed: forget that one first, or choose another name",
			entry.Plan, to))
	}
	if err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, changedJSON{Plan: entry.Plan, Name: from, NewName: to, State: entry.State,
			JobID: entry.JobID, Who: person.Who, Reason: person.Reason, At: person.At.UTC()})
	}
	_, err = fmt.Fprintf(c.app.stdout, "Renamed %s of plan %s to %s.\n", printable.Line(from), printable.Line(entry.Plan), printable.Line(to))
	return err
}
