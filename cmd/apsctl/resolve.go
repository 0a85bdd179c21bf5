package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type resolveCommand struct {
	app      *app
	files    planFiles
	target   target
	output   outputFormat
	settings settings
	plan     string
	own      string // the plan whose file was read, "" for none
	byHand   byHand
	full     bool

	line resolveLine // as this one, for what is told to a person
}

func newResolveCommand(a *app) *cobra.Command {
	c := &resolveCommand{app: a}
	cmd := &cobra.Command{
		Use:   "resolve [FILE...]",
		Short: "Look now for creates without an answer; settle what a person decides",
		Long: `resolve does what the start of an apply does for creates whose outcome is not
known: it takes a complete listing of their regions, finds their jobs, or proves
that they do not exist. It creates nothing. It then shows what is still open:
what was sent and when, what happened, where it looked and when it settles.

FILE says which plan: apsctl.yaml in the current folder unless given. --plan NAME
works from the ledger alone, also for a plan that is gone; with neither, and no
apsctl.yaml, resolve looks for all plans in the ledger.

Of the jobs in FILE it also tells which ones the next apply does not create, since
what made them may not be listed yet: a create was sent lately that the plan's own
entries do not account for. The ledger was lost or put back to an older state, the
job was forgotten, or another plan sent it, which is told where the ledger has it.
The exit code is 4 as long as there are such, or others unknown.

What only a person can know is told with --adopt, --absent and --forget; each may
be repeated, needs --reason, and is kept with who said it. None of them is
carried out unless all can be. docs/ledger.md has the way out of every state.`,
		Example: `  apsctl resolve
  apsctl resolve --plan orders --adopt orders-07=aps-bp1x --reason "made by hand on Monday"
  apsctl resolve --absent orders-08 --reason "deleted in the console, ticket 4711"`,
		RunE: c.run,
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.target.addLockFlag(cmd)
	c.output.addFlag(cmd)
	c.settings.addLookFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.plan, "plan", "", "`name` of the plan in the ledger, in place of FILE")
	c.byHand.addFlags(flags)
	flags.BoolVar(&c.full, "full", false, "list every job, however many")
	return cmd
}

// addLookFlags adds those flags of a run that a look needs; the other settings
// get their defaults.
func (s *settings) addLookFlags(cmd *cobra.Command) {
	*s = settings{
		parallel: runner.ParallelDefault, maxAttempts: runner.MaxAttemptsDefault, maxElapsed: runner.MaxElapsedDefault,
	}
	flags := cmd.Flags()
	flags.Float64Var(&s.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&s.settle, "settle", runner.SettleDefault, "time after which absence from the listing proves that a create without an answer did not happen")
	s.addShortSettle(flags)
	flags.StringVar(&s.unknown, "on-unknown", string(plan.Recreate), "after a create without an answer is proven absent: `recreate|hold`, leave it to the next apply to create again or hold it for a person")
}

func (c *resolveCommand) run(cmd *cobra.Command, args []string) error {
	if err := c.byHand.check(cmd); err != nil {
		return err
	}
	wanted, err := c.wanted(cmd, args)
	if err != nil {
		return err
	}
	c.line = newResolveLine(cmd, args)
	c.line.byPlan = wanted == nil
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ledger, err := c.target.openLocked(ctx, "resolve")
	if err != nil {
		return err
	}
	defer ledger.close()
	if wanted == nil {
		if err := checkPlan(ctx, ledger.Ledger, c.plan); err != nil {
			return err
		}
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: c.plan})
	if err != nil {
		return err
	}
	orders, err := c.byHand.orders(cmd, ledger.Ledger, entries, wanted)
	if err != nil {
		return err
	}
	if len(orders) == 0 && !slices.ContainsFunc(entries, isOpen) {
		return c.answer(ctx, ledger.Ledger, wanted)
	}
	return c.record(ctx, ledger, entries, orders, wanted)
}

// answer is for when there is nothing to look for and nothing to carry out.
func (c *resolveCommand) answer(ctx context.Context, ledger *store.Ledger, wanted *plan.Plan) (err error) {
	var r resolution
	if r.heldBack, err = c.heldBack(ctx, ledger, wanted); err != nil {
		return err
	}
	if err := c.print(r); err != nil || r.exitCode() == exitDone {
		return err
	}
	return exitWith(r.exitCode())
}

func isOpen(e plan.Entry) bool { return e.State.Unresolved() || e.State.NeedsPerson() }

// wanted loads the plan file, if there is one to load, and sets c.plan and the
// settings by it. It returns nil to work from the ledger alone.
func (c *resolveCommand) wanted(cmd *cobra.Command, args []string) (*plan.Plan, error) {
	if len(args) > 0 && c.plan != "" {
		return nil, usagef(cmd, "FILE and --plan both say which plan: give one of them")
	}
	file := planDefault
	if len(args) == 0 {
		if _, err := os.Stat(file); c.plan != "" || errors.Is(err, fs.ErrNotExist) {
			return nil, c.settings.check(cmd)
		}
	}
	wanted, err := c.files.load(c.app, cmd, args)
	if err != nil {
		return nil, err
	}
	c.plan, c.own = wanted.Name, wanted.Name
	return wanted, c.settings.merge(cmd, wanted)
}

// record keeps a record of the run around the work.
func (c *resolveCommand) record(ctx context.Context, ledger *lockedLedger, entries []plan.Entry, orders []runner.Order, wanted *plan.Plan) error {
	holder := newHolder("resolve")
	run := plan.RunRecord{
		ID: newRunID(), Command: holder.Command, Plan: c.plan, Host: holder.Host, User: holder.User,
		PID: holder.PID, Version: version(), StartedAt: holder.Started,
	}
	if err := ledger.BeginRun(ctx, run); err != nil {
		return err
	}
	result, failed := c.work(ctx, ledger, run.ID, entries, orders)
	if failed == nil {
		result.heldBack, failed = c.heldBack(ctx, ledger.Ledger, wanted)
	}
	code, _ := classify(failed)
	if failed == nil {
		code = result.exitCode()
	}
	end := c.app.runEnd(code, result.counts(), result.calls, failed)
	return c.app.conclude(ctx, ledger.Ledger, run.ID, end, failed, func() error {
		if failed != nil {
			return nil
		}
		return c.print(result)
	})
}

// work looks, and then carries out what was told by hand.
func (c *resolveCommand) work(ctx context.Context, ledger *lockedLedger, runID string, entries []plan.Entry, orders []runner.Order) (result resolution, err error) {
	result.run = runID
	var resolver *runner.Resolver
	o := runner.Options{RunID: runID, Settle: c.settings.settle, OnUnknown: c.settings.onUnknown(), Commands: c.line.commands}
	if !slices.ContainsFunc(entries, isOpen) && onlyForget(orders) {
		// Nothing has to be asked, so no service and no credentials are needed.
		resolver = runner.NewResolver(c.own, ledger, nil, runner.SystemClock(), o)
	} else {
		service, err := c.app.openService(c.target, c.settings.rate)
		if err != nil {
			return result, err
		}
		defer service.close()
		defer func() { result.calls = service.Calls() }()
		if err := c.settings.checkSettle(service.Service()); err != nil {
			return result, err
		}
		identity, err := service.CallerIdentity(ctx)
		if err != nil {
			return result, err
		}
		if err := ledger.Bind(ctx, identity.AccountID, service.Service()); err != nil {
			return result, err
		}
		resolver = runner.NewResolver(c.own, ledger, service, runner.SystemClock(), o)
	}
	if result.settlements, err = resolver.Look(ctx, entries); err != nil {
		return result, err
	}
	result.done, err = c.byHand.carryOut(ctx, ledger.Ledger, resolver, runID, orders)
	result.looked = resolver.Looked()
	if err != nil {
		return result, err
	}
	return result, result.reread(ctx, ledger.Ledger)
}
