package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// lifeVerb is one of the commands that start, suspend and delete jobs.
type lifeVerb struct {
	name, short, long string
	kind              plan.Kind
	done              runner.Ending
	from              string      // a state to choose by, in the example
	most              *plan.Limit // jobs in one run unless told otherwise; nil for any number
}

var lifeVerbs = []lifeVerb{
	{name: "start", from: "suspended", kind: plan.KindStart, done: runner.EndStarted, short: "Start jobs that exist", long: `start sends StartApsJob for jobs that do not run, also for those that failed.`},
	{name: "suspend", from: "running", kind: plan.KindSuspend, done: runner.EndSuspended, short: "Suspend jobs that exist", long: `suspend sends SuspendApsJob for jobs that are not suspended.`},
	{name: "delete", from: "suspended", kind: plan.KindDelete, done: runner.EndDeleted, most: plan.DefaultLimits().MaxDelete, short: "Delete jobs from the service",
		long: `delete sends DeleteApsJob, by id, and looks until two complete listings in a row
do not show the jobs any more. Jobs whose plan says protect: true are left alone.
A job that its plan still lists is created again by the next apply.`},
}

// lifeCommand starts, suspends or deletes jobs of the ledger because a person says
// so.
type lifeCommand struct {
	app      *app
	verb     lifeVerb
	chosen   jobChoice
	target   target
	output   outputFormat
	settings settings
	most     *plan.Limit
	yes      bool
	full     bool

	commands   plan.Commands
	interrupts *interrupts
}

func newLifeCommands(a *app) []*cobra.Command {
	var commands []*cobra.Command
	for _, verb := range lifeVerbs {
		commands = append(commands, newLifeCommand(a, verb))
	}
	return commands
}

func newLifeCommand(a *app, verb lifeVerb) *cobra.Command {
	c := &lifeCommand{app: a, verb: verb, interrupts: newInterrupts(a.stderr)}
	cmd := &cobra.Command{
		Use:   verb.name + " SELECTOR...",
		Short: verb.short,
		Long: verb.long + `

It works on the jobs that the ledger knows, of all plans or with --plan of one,
and reads no plan file. It takes a complete listing of their regions, shows what
it would do, and does it. It can be stopped at any moment, by whatever means, and
run again. docs/lifecycle.md says what the next apply makes of it.

` + selectorUsage,
		Example: fmt.Sprintf("  apsctl %[1]s orders-07\n  apsctl %[1]s --yes --plan orders 'orders-*' --exclude orders-00\n  apsctl %[1]s team=a,state=%[2]s", verb.name, verb.from),
		Args:    mustSay,
		RunE:    c.run,
	}
	c.chosen.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.target.addLockFlag(cmd)
	c.output.addFlag(cmd)
	c.settings.addLifeFlags(cmd, verb.name)
	flags := cmd.Flags()
	usual := "none"
	if verb.most != nil {
		usual = verb.most.String()
	}
	flags.Var(limitFlag{&c.most}, "max-"+verb.name, "refuse to "+verb.name+" more jobs than this limit, a number or a share of those that exist (default "+usual+")")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask; required where there is no terminal")
	flags.BoolVar(&c.full, "full", false, "list every job, however many")
	return cmd
}

// addLifeFlags adds those flags of a run that matter to jobs that exist.
func (s *settings) addLifeFlags(cmd *cobra.Command, verb string) {
	flags := cmd.Flags()
	s.unknown = string(plan.Recreate)
	flags.IntVar(&s.parallel, "parallel", runner.ParallelDefault, "requests in flight at once")
	flags.Float64Var(&s.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&s.settle, "settle", runner.SettleDefault, "time after which a request without an answer can no longer take effect")
	s.addShortSettle(flags)
	flags.IntVar(&s.maxAttempts, "max-attempts", runner.MaxAttemptsDefault, "most tries for one job in this run")
	flags.DurationVar(&s.maxElapsed, "max-elapsed", runner.MaxElapsedDefault, "most time for one job in this run, waiting included")
	flags.Var(limitFlag{&s.limits.MaxFailures}, "max-failures", "stop after more jobs that failed to "+verb+" than this limit, a number or a share of those chosen (default none)")
}

func (c *lifeCommand) run(cmd *cobra.Command, args []string) error {
	if !c.yes {
		if err := c.app.checkAsking(cmd, c.output); err != nil {
			return err
		}
	}
	if err := c.settings.check(cmd); err != nil {
		return err
	}
	if err := c.chosen.read(cmd, args); err != nil {
		return err
	}
	c.chosen.living = true
	c.commands = commandsOf(cmd)
	if c.most == nil {
		c.most = c.verb.most
	}
	ctx, stop := c.interrupts.listen(cmd.Context())
	defer stop()
	ledger, err := c.target.openLocked(ctx, c.verb.name+" "+c.chosen.said())
	if err != nil {
		return err
	}
	defer ledger.close()
	crashpoint.At(crashpoint.LockTaken)
	service, err := c.app.openService(c.target, c.settings.rate)
	if err != nil {
		return err
	}
	defer service.close()
	if err := c.settings.checkSettle(service.Service()); err != nil {
		return err
	}
	reading, cancel := c.interrupts.untilDrain(ctx)
	defer cancel()
	if err := checkAccount(reading, ledger.Ledger, service); err != nil {
		return err
	}
	return c.record(ctx, ledger.Ledger, service)
}

// record keeps a record of the run around the work, and prints the result.
func (c *lifeCommand) record(ctx context.Context, ledger *store.Ledger, service *service) error {
	holder := newHolder(c.verb.name)
	run := plan.RunRecord{
		ID: newRunID(), Command: holder.Command, Plan: c.chosen.plan, Host: holder.Host, User: holder.User,
		PID: holder.PID, Version: version(), StartedAt: holder.Started,
	}
	if err := ledger.BeginRun(ctx, run); err != nil {
		return err
	}
	result, failed := c.work(ctx, ledger, service, run.ID)
	code, _ := classify(failed)
	if result != nil {
		code = result.exitCode(failed)
	}
	end := c.app.runEnd(code, struct{}{}, service.Calls(), failed)
	if result != nil {
		end.counts = result.report.Counts()
		end = end.with(result.report)
	}
	return c.app.conclude(ctx, ledger, run.ID, end, failed, func() error {
		if result == nil {
			return nil
		}
		return c.print(*result, code)
	})
}

// work chooses, shows, asks and carries out. The result is nil when it ended
// before anything was to be carried out.
func (c *lifeCommand) work(ctx context.Context, ledger *store.Ledger, service *service, runID string) (*lifeResult, error) {
	reading, cancel := c.interrupts.untilDrain(ctx)
	defer cancel()
	all, places, err := c.chosen.entries(reading, ledger, func(ctx context.Context, region string) (plan.Listing, error) {
		return service.List(ctx, region, false)
	})
	if err != nil {
		return nil, err
	}
	display := newDisplay(c.app)
	service.scanned = display.scanned
	run := runner.New(&plan.Plan{}, ledger, service, c.app.secrets(service), service.governor, runner.SystemClock(), runner.Options{
		RunID: runID, Endpoint: service.Service(), Parallel: c.settings.parallel, Settle: c.settings.settle,
		MaxAttempts: c.settings.maxAttempts, MaxElapsed: c.settings.maxElapsed,
		MaxFailures: c.settings.failureCap(len(places)), ByHand: true,
		Observe: display.observe, Warn: display.warn, Commands: c.commands,
	})
	display.start(nil)
	changes, err := run.PrepareByHand(reading, c.verb.kind, pick(all, places))
	display.stop()
	if err != nil {
		return nil, err
	}
	if err := c.check(all, changes); err != nil {
		return nil, err
	}
	if err := c.confirm(changes); err != nil {
		return nil, err
	}
	display.start(run.Picture)
	report, err := run.Apply(ctx, c.interrupts.draining, changes)
	display.stop()
	return newLifeResult(runID, c.verb, changes, report), err
}

// check holds the changes against the limit. The error is a *plan.LimitError.
func (c *lifeCommand) check(all []plan.Entry, changes []plan.Change) error {
	if c.most == nil {
		return nil
	}
	n, exist := 0, 0
	for _, change := range changes {
		if change.Kind == c.verb.kind {
			n++
		}
	}
	for _, entry := range all {
		if entry.State == plan.StateCreated {
			exist++
		}
	}
	if n <= c.most.Of(exist) {
		return nil
	}
	return &plan.LimitError{
		What: fmt.Sprintf("%s would be %s", plan.Count(n, "job"), c.verb.done), Limit: *c.most,
		Flag: fmt.Sprintf("--max-%s %d", c.verb.name, n),
	}
}

// confirm shows the changes and, where there is something to do, asks.
func (c *lifeCommand) confirm(changes []plan.Change) error {
	if c.output.json() {
		return nil
	}
	todo, err := writeLifePreview(c.app.stdout, c.verb, changes, c.full)
	if err != nil || c.yes || todo == 0 {
		return err
	}
	return c.app.confirm(c.interrupts.draining)
}

func (c *lifeCommand) print(result lifeResult, code int) error {
	crashpoint.At(crashpoint.ReportBegun)
	if c.output.json() {
		return writeJSON(c.app.stdout, result.json(code))
	}
	return result.write(c.app.stdout)
}
