package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type ledgerForgetCommand struct {
	app    *app
	target target
	output outputFormat
	plan   string
	reason string
	force  bool
}

func newLedgerForgetCommand(a *app) *cobra.Command {
	c := &ledgerForgetCommand{app: a}
	cmd := &cobra.Command{
		Use:   "forget NAME",
		Short: "Remove one entry; its events stay",
		Long: `forget removes a job from the ledger. The job itself, if there is one, stays on the
service: while it is listed there, no apply creates another of its name, and none
does within the settle time of its create, when it may not be listed yet. What
happened to it stays on record, with who removed it and why.

A job whose create has no known outcome is not forgotten without --force: it may
exist, and nothing would account for it. Nor is one of which a change is open, since
what it is for is not known: the next apply of a plan that has it settles that.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.plan, "plan", "", "the `name` of the job's plan, where several have such a job")
	flags.StringVar(&c.reason, "reason", "", "`why`; required, and kept")
	flags.BoolVar(&c.force, "force", false, "also when a job may exist that nothing would account for, or a change of it is open")
	return cmd
}

// changedJSON is one entry that was changed by hand.
type changedJSON struct {
	Plan    string     `json:"plan"`
	Name    string     `json:"name"`
	NewName string     `json:"new_name,omitempty"`
	State   plan.State `json:"state"`
	JobID   string     `json:"aps_job_id"`
	Who     string     `json:"who"`
	Reason  string     `json:"reason"`
	At      time.Time  `json:"at"`
	Notes   []string   `json:"notes,omitempty"`
}

func (c *ledgerForgetCommand) run(cmd *cobra.Command, name string) error {
	if err := checkReason(cmd, c.reason); err != nil {
		return err
	}
	ctx := cmd.Context()
	ledger, err := c.target.openLocked(ctx, "ledger forget")
	if err != nil {
		return err
	}
	defer ledger.close()
	entry, err := entryNamed(cmd, ledger.Ledger, c.plan, name)
	if err != nil {
		return err
	}
	// Forgetting asks the service nothing, so it needs none.
	resolver := runner.NewResolver("", ledger, nil, runner.SystemClock(), runner.Options{Commands: commandsOf(cmd)})
	decision, err := resolver.Judge(ctx, runner.Order{Kind: runner.OrderForget, Entry: entry, Force: c.force})
	if err != nil {
		return err
	}
	person := newPerson(c.reason, "")
	if err := ledger.Forget(ctx, store.MarkOf(entry), decision.Forced != "", person); err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, changedJSON{Plan: entry.Plan, Name: entry.Name, State: entry.State,
			JobID: entry.JobID, Who: person.Who, Reason: person.Reason, At: person.At.UTC(), Notes: decision.Notes})
	}
	fmt.Fprintf(c.app.stdout, "Forgot %s of plan %s, which was %s.\n", printable.Line(entry.Name), printable.Line(entry.Plan), entry.State)
	for _, note := range decision.Notes {
		fmt.Fprintf(c.app.stdout, "  Note: %s\n", printable.Line(note))
	}
	return nil
}
