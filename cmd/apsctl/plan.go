package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

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
	kinds    []string
	full     bool
	detailed bool
	expanded string
	refresh  refreshFlag
	looker   looker
	allow    []string
	adopt    bool
	saving   saving
}

func newPlanCommand(a *app) *cobra.Command {
	c := &planCommand{app: a}
	c.looker = looker{app: a, target: &c.target}
	cmd := &cobra.Command{
		Use:   "plan [FILE...]",
		Short: "Show what apply would do; changes nothing",
		Long: `plan compares a plan file with the ledger and shows what apply would do. It
asks the service nothing and reads no password, so it runs where there are no
credentials. For a large plan that needs nothing it leaves a cache file beside the
ledger, which makes the next look cheap; it writes nothing else. apply compares with
the service as well before it creates anything.

With --refresh it asks the service, takes no lock, and says of each difference who
stands alone: the plan, or the service, since something was changed outside apsctl.
All it writes then is when each job was last compared, so that samples rotate.

--out saves what is shown, for apply --saved to do exactly that, once, and only
while the ledger is as it was. --allow and --adopt show what apply would do with
them.

--show-expanded prints jobs after all merging instead, each value with the file
and line that it came from, as a plan that could be used.

` + planUsage + "\n\n" + selectorUsage,
		Example: "  apsctl plan --emulator examples/quickstart.yaml\n  apsctl plan -o json migration.yaml | jq .summary",
		RunE:    c.run,
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd, formatNDJSON, formatMarkdown)
	c.chosen.addFlags(cmd)
	c.refresh.addFlag(cmd)
	c.looker.addFlags(cmd)
	addAllowFlag(cmd.Flags(), &c.allow)
	addAdoptFlag(cmd.Flags(), &c.adopt)
	c.saving.addFlags(cmd)
	cmd.Flags().StringSliceVar(&c.kinds, "op", nil, "list only changes of these `kinds`, such as create,replace")
	_ = cmd.RegisterFlagCompletionFunc("op", cobra.FixedCompletions(kindNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.Flags().BoolVar(&c.full, "full", false, "list every change with every field")
	cmd.Flags().BoolVar(&c.detailed, "detailed-exitcode", false, "exit 2 when there are changes")
	cmd.Flags().StringVar(&c.expanded, "show-expanded", "", "print the jobs of this `name` or pattern after all merging")
	return cmd
}

func (c *planCommand) run(cmd *cobra.Command, args []string) error {
	if c.expanded != "" && c.saving.path != "" {
		return usagef(cmd, "--out saves what apply would do, and --show-expanded shows something else: leave one out")
	}
	if c.expanded != "" {
		return c.showExpanded(cmd, args)
	}
	shown, err := c.shown(cmd)
	if err != nil {
		return err
	}
	if err := c.checkSaving(cmd); err != nil {
		return err
	}
	choice, err := c.chosen.choice(cmd)
	if err != nil {
		return err
	}
	if choice.AsksService() && !c.refresh.Asks() {
		return usagef(cmd, "--target and --exclude by running, suspended, failed or pending need the service, which plan asks with --refresh only")
	}
	if c.notes(choice) {
		if u := c.recall(cmd, args); u != nil {
			wanted := u.withoutJobs()
			c.files.showWarnings(c.app, cmd, args, wanted)
			return plan.RenderNothing(c.app.stdout, wanted, u.Plan.Jobs)
		}
		c.files.inputs = &plan.Inputs{}
	}
	wanted, err := c.files.load(c.app, cmd, args)
	if err != nil {
		return err
	}
	mark, err := c.mark(cmd.Context()) // before the entries are read
	if err != nil {
		return err
	}
	changes, listings, err := c.compare(cmd, wanted, choice)
	if err != nil {
		return err
	}
	pace := c.pace(wanted)
	preview := newPreview(wanted, changes, listings, wanted.Limits, pace)
	preview.Refusal = wanted.Limits.Or(plan.DefaultLimits()).Check(changes, pace.AllowReplace)
	err = c.print(preview, shown)
	if err == nil && c.output.name == "text" && slices.ContainsFunc(changes, func(c plan.Change) bool { return c.State().NeedsPerson() }) {
		writeWayOut(c.app.stdout, newResolveLine(cmd, args).look(wanted.Name))
	}
	if err == nil && c.saving.path != "" {
		err = c.save(cmd, wanted, mark, changes)
	}
	if err == nil && c.detailed && plan.Summarize(changes).Changes() > 0 {
		return exitWith(exitChanges)
	}
	return err
}

// compare is the difference from the ledger alone or, if asked, from the service,
// with the listings that were taken then.
func (c *planCommand) compare(cmd *cobra.Command, wanted *plan.Plan, choice plan.Choice) ([]plan.Change, map[string]plan.Listing, error) {
	if c.refresh.Asks() {
		run, changes, err := c.looker.look(cmd, wanted, runner.Options{
			Refresh: c.refresh.Refresh, Choice: choice, Adopt: c.adopt,
			AllowReplace: slices.Contains(c.allow, allowReplace), AllowDelete: slices.Contains(c.allow, allowDelete),
		})
		if err != nil {
			return nil, nil, err
		}
		return changes, run.Listings(), nil
	}
	snapshot, entries, err := c.readSnapshot(cmd.Context(), wanted)
	if err != nil {
		return nil, nil, err
	}
	changes, err := choice.Of(plan.Diff(wanted, snapshot, nil, plan.DiffOptions{Adopt: c.adopt, Delete: slices.Contains(c.allow, allowDelete), Replace: slices.Contains(c.allow, allowReplace), Commands: commandsOf(cmd)}))
	if err == nil && entries != "" && plan.NothingBut(wanted, changes) {
		note(c.target.ledgerPath(), wanted, c.files.inputs, snapshot.Lineage, entries)
	}
	return changes, nil, err
}

// notes reports whether an answer that there is nothing to do can be given from a
// note: what lists jobs, or asks the service, needs them.
func (c *planCommand) notes(choice plan.Choice) bool {
	return c.output.name == "text" && !c.full && c.kinds == nil && choice.IsZero() && c.saving.path == "" && !c.refresh.Asks()
}

// recall returns the note that there is nothing to do, nil unless that is still so.
func (c *planCommand) recall(cmd *cobra.Command, args []string) *unchanged {
	return c.files.recall(cmd, args, c.target.ledgerPath(), func(ctx context.Context, u *unchanged) bool {
		ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
		if err != nil {
			return false // the comparison says what is wrong with it
		}
		defer ledger.Close()
		return u.still(ctx, ledger)
	})
}

func (c *planCommand) print(v plan.Preview, o plan.RenderOptions) error {
	switch c.output.name {
	case formatNDJSON:
		return writeChanges(c.app.stdout, v, o)
	case formatMarkdown:
		return plan.Markdown(c.app.stdout, v, o)
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newPlanJSON(v, o))
	}
	return plan.Render(c.app.stdout, v, o)
}

// shown is what the flags ask to be listed.
func (c *planCommand) shown(cmd *cobra.Command) (plan.RenderOptions, error) {
	o := plan.RenderOptions{Full: c.full}
	for _, name := range c.kinds {
		if !slices.Contains(plan.Kinds, plan.Kind(name)) {
			return o, usagef(cmd, "--op takes %s, not %q", strings.Join(kindNames(), ", "), name)
		}
		o.Kinds = append(o.Kinds, plan.Kind(name))
	}
	return o, nil
}

func kindNames() []string {
	names := make([]string, len(plan.Kinds))
	for i, kind := range plan.Kinds {
		names[i] = string(kind)
	}
	return names
}

// pace is what an apply without flags would have.
func (c *planCommand) pace(p *plan.Plan) plan.Pace {
	pace := plan.Pace{Parallel: runner.ParallelDefault, Rate: runner.RateDefault, AllowReplace: slices.Contains(c.allow, allowReplace)}
	from(&pace.Parallel, p.Run.Parallel, false)
	from(&pace.Rate, p.Run.Rate, false)
	if c.refresh.Asks() {
		pace.Rate = c.looker.rate
	}
	return pace
}

// newPreview is what plan and apply show. listings are those of the service, where
// it was asked.
func newPreview(p *plan.Plan, changes []plan.Change, listings map[string]plan.Listing, limits plan.Limits, pace plan.Pace) plan.Preview {
	return plan.Preview{
		Plan: p, Changes: changes, Forecast: plan.NewForecast(changes, pace),
		Crowds: plan.FindCrowds(p, changes, listings, limits.Or(plan.DefaultLimits())),
	}
}

// readSnapshot reads the ledger's entries of one plan without creating or
// changing anything, and their fingerprint where it may be noted. A ledger that does
// not exist yet is an empty one, which it says: it may as well be one that was lost,
// or is somewhere else.
func (c *planCommand) readSnapshot(ctx context.Context, wanted *plan.Plan) (plan.Snapshot, string, error) {
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(c.app.stderr, "apsctl: no ledger at %s yet: everything counts as not created\n", printable.Line(c.target.ledgerPath()))
		return plan.Snapshot{}, "", nil
	}
	if err != nil {
		return plan.Snapshot{}, "", err
	}
	defer ledger.Close()
	if notable(wanted, c.files.inputs) {
		return ledger.MarkedSnapshot(ctx, wanted.Name)
	}
	snapshot, err := ledger.Snapshot(ctx, wanted.Name)
	return snapshot, "", err
}
