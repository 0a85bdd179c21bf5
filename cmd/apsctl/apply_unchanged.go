package main

import (
	"context"
	"errors"
	"reflect"
	"slices"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// unchangedRun is a run over a plan that is as it was when there was nothing to do:
// it is read only if the ledger is not as it was.
type unchangedRun struct {
	*unchanged
	load func() (*plan.Plan, error)
}

// notes reports whether a run that has nothing to do can go by a note: what lists
// jobs, or asks the service about them, needs them.
func (c *applyCommand) notes() bool {
	return c.output.name == "text" && !c.full && c.choice.IsZero() && c.savedPath == "" && !c.refresh.Asks()
}

// recall returns the plan without its jobs, nil if they may matter. What the ledger
// has is looked at once the run has the lock.
func (c *applyCommand) recall(cmd *cobra.Command, args []string) *plan.Plan {
	u := c.files.recall(cmd, args, c.target.ledgerPath(), func(context.Context, *unchanged) bool { return true })
	c.files.inputs = &plan.Inputs{}
	if u == nil {
		return nil
	}
	c.unchanged = &unchangedRun{unchanged: u, load: func() (*plan.Plan, error) {
		again := c.files
		again.quiet = true // its warnings were shown
		return again.load(c.app, cmd, args)
	}}
	wanted := u.withoutJobs()
	c.files.showWarnings(c.app, cmd, args, wanted)
	return wanted
}

// stillUnchanged reports whether the run has nothing to do by what was noted.
// Otherwise it reads the jobs of wanted, which was recalled.
func (c *applyCommand) stillUnchanged(ctx context.Context, wanted *plan.Plan, ledger *store.Ledger) (bool, error) {
	if c.unchanged == nil {
		return false, nil
	}
	reading, cancel := c.reading(ctx)
	defer cancel()
	if c.unchanged.still(reading, ledger) {
		return true, nil
	}
	full, err := c.unchanged.load()
	if err != nil {
		return false, err
	}
	if !reflect.DeepEqual(c.files.inputs, c.unchanged.Inputs) {
		return false, coded(codePlanChanged, errors.New("what the plan is read from was changed just now, while this run began; nothing was sent: run it again"))
	}
	*wanted = *full
	c.unchanged = nil
	return false, nil
}

// noting has prepare compare, which is runner.Run.Prepare, and notes where there is
// nothing to do. It does so only if the ledger has after the comparison what it had
// before: what is noted must be what was compared, whoever writes meanwhile, and a
// lock can be lost.
func (c *applyCommand) noting(ctx context.Context, wanted *plan.Plan, ledger *store.Ledger, prepare func(context.Context) ([]plan.Change, error)) ([]plan.Change, error) {
	if !notable(wanted, c.files.inputs) {
		return prepare(ctx)
	}
	before, markErr := ledger.Fingerprint(ctx, wanted.Name)
	changes, err := prepare(ctx)
	if markErr != nil || err != nil || !plan.NothingBut(wanted, changes) {
		return changes, err
	}
	if after, err := ledger.Fingerprint(ctx, wanted.Name); err != nil || after != before {
		return changes, nil
	}
	if meta, err := ledger.Meta(ctx); err == nil {
		note(c.target.ledgerPath(), wanted, c.files.inputs, meta.Lineage, before)
	}
	return changes, nil
}

// keptAll are the results of a run that kept every job.
func keptAll(jobs int) []runner.Result {
	return slices.Repeat([]runner.Result{{Action: plan.KindKeep, State: plan.StateCreated, Ending: runner.EndKept}}, jobs)
}
