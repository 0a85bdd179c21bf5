package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/metrics"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type applyCommand struct {
	app      *app
	files    planFiles
	target   target
	output   outputFormat
	settings settings
	rollout  rolloutFlags
	alone    unattended
	chosen   selection
	choice   plan.Choice    // what chosen comes to
	spread   runner.Rollout // what rollout comes to
	yes      bool
	adopt    bool
	full     bool
	refresh  refreshFlag

	unchanged *unchangedRun // nil if the plan was read

	savedPath string
	saved     *plan.Saved // nil unless savedPath is set

	interrupts *interrupts
	line       resolveLine
	resolve    string // the command that looks now at what is left open
}

func newApplyCommand(a *app) *cobra.Command {
	c := &applyCommand{app: a, interrupts: newInterrupts(a.stderr)}
	cmd := &cobra.Command{
		Use:   "apply [FILE...]",
		Short: "Create the jobs that are missing, each exactly once",
		Long: `apply settles what earlier runs left open, compares the plan with the ledger
and with a complete listing of each region, shows what it would do, and does it.
It can be stopped at any moment, by whatever means, and run again: no job is
created a second time. The first Ctrl-C waits for the open requests, the second
leaves at once.

With --saved it does what plan --out saved, exactly that and once; see
docs/saved-plans.md.

With --refresh, what was changed outside apsctl is put back as the plan says, as
far as that goes in place; the rest takes --allow replace. Where the service
changes no job that runs, --allow suspend has it suspended, changed, and started
again.

The plan's own run: and limits: sections set defaults for the flags below.
` + planUsage + "\n\n" + selectorUsage,
		Example: "  apsctl apply --emulator --yes examples/quickstart.yaml\n  apsctl apply --yes --rate 5 -o json migration.yaml > result.json",
		RunE: func(cmd *cobra.Command, args []string) error {
			err := c.run(cmd, args)
			c.alone.over(cmd.Context(), a, err)
			return err
		},
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.target.addLockFlag(cmd)
	c.output.addFlag(cmd)
	c.settings.addFlags(cmd)
	c.rollout.addFlags(cmd)
	c.alone.addFlags(cmd)
	c.chosen.addFlags(cmd)
	c.refresh.addFlag(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask; required where there is no terminal, and with a plan from standard input")
	addAdoptFlag(flags, &c.adopt)
	flags.StringVar(&c.savedPath, "saved", "", "do what plan --out saved in this `file`, once, exactly, or not at all; it holds the plan, so no FILE is given")
	flags.BoolVar(&c.full, "full", false, "list every change with every field")
	return cmd
}

func (c *applyCommand) run(cmd *cobra.Command, args []string) error {
	if err := c.alone.begin(cmd, c.app, inUse{c.target.ledgerPath(), args}); err != nil {
		return err
	}
	if !c.yes && slices.Contains(args, plan.StdinPath) {
		return usagef(cmd, "apply asks before it changes anything, and the plan comes from where the answer would: add --yes")
	}
	if !c.yes {
		if err := c.app.checkAsking(cmd, c.output); err != nil {
			return err
		}
	}
	wanted, err := c.load(cmd, args)
	c.alone.loaded(wanted, args)
	if err != nil {
		return err
	}
	if err := c.settings.merge(cmd, wanted); err != nil {
		return err
	}
	if c.spread, err = c.rollout.rollout(cmd, wanted); err != nil {
		return err
	}
	c.line = newResolveLine(cmd, args)
	if c.saved != nil {
		c.line = ledgerResolveLine(cmd)
	}
	c.resolve = c.line.look(wanted.Name)
	crashpoint.At(crashpoint.PlanLoaded)
	ctx, stop := c.interrupts.listen(cmd.Context())
	defer stop()
	lock, err := c.lock(ctx, wanted)
	if err != nil {
		return err
	}
	defer lock.Release()
	crashpoint.At(crashpoint.LockTaken)
	c.alone.atWork(ctx)
	service, err := c.app.openService(c.target, c.settings.rate)
	if err != nil {
		return err
	}
	defer service.close()
	return c.onLedger(ctx, wanted, service)
}

// load reads the plan and what is chosen of it.
func (c *applyCommand) load(cmd *cobra.Command, args []string) (wanted *plan.Plan, err error) {
	if c.savedPath != "" {
		if wanted, err = c.openSaved(cmd, args); err != nil {
			return nil, err
		}
	}
	if c.choice, err = c.chosen.choice(cmd); err != nil || wanted != nil {
		return wanted, err
	}
	c.files.quiet, c.files.tell = c.alone.quiet, c.alone.stream.warner()
	if c.notes() {
		if wanted = c.recall(cmd, args); wanted != nil {
			return wanted, nil
		}
	}
	return c.files.load(c.app, cmd, args)
}

// lock takes the lock of the ledger.
func (c *applyCommand) lock(ctx context.Context, wanted *plan.Plan) (*store.Lock, error) {
	reading, cancel := c.reading(ctx)
	defer cancel()
	lock, err := c.target.acquireLock(reading, newHolder("apply "+wanted.File))
	var skipped *skippedError
	if !errors.As(err, &skipped) {
		return lock, c.alone.late(reading, err)
	}
	c.alone.skipped = true
	switch {
	case c.alone.quiet:
		return nil, exitWith(exitDone)
	case c.output.json():
		if err := writeJSON(c.app.stdout, applyJSON{Plan: wanted.Name, Jobs: []resultJSON{}, Skipped: skipped.Error()}); err != nil {
			return nil, err
		}
	}
	return nil, err
}

// reading returns a context for work that changes nothing: the first signal and
// --max-runtime end it.
func (c *applyCommand) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, stopDrain := c.interrupts.untilDrain(ctx)
	ctx, stop := c.alone.reading(ctx)
	return ctx, func() {
		stop()
		stopDrain()
	}
}

// onLedger opens the ledger, binds it to the account, and runs. The account is
// asked for first: a wrong key must not leave a new ledger behind.
func (c *applyCommand) onLedger(ctx context.Context, wanted *plan.Plan, service *service) error {
	if err := c.settings.checkSettle(service.Service()); err != nil {
		return err
	}
	reading, cancel := c.reading(ctx)
	defer cancel()
	identity, err := service.CallerIdentity(reading)
	if err != nil {
		return c.alone.late(reading, err)
	}
	ledger, err := store.Open(ctx, c.target.ledgerPath(), store.Options{
		Create: c.saved == nil || c.saved.Ledger.Lineage == "", Settle: c.settings.settle,
	})
	if err != nil {
		return err
	}
	defer ledger.Close()
	if err := ledger.Bind(ctx, identity.AccountID, service.Service()); err != nil {
		return err
	}
	record := newRunRecord(wanted)
	if c.saved != nil {
		if err := c.checkSaved(ctx, ledger); err != nil {
			return err
		}
		record.Command = savedCommand(c.saved)
	}
	if err := ledger.BeginRun(ctx, record); err != nil {
		return err
	}
	c.alone.news.Record = record
	c.alone.stream.begin(record)
	report, err := c.apply(ctx, wanted, service, ledger, record.ID)
	c.alone.news.Report, c.alone.seen.Calls = report, service.Calls()
	return c.finish(ctx, wanted, service, ledger, record.ID, report, err)
}

// apply prepares, shows, asks and carries out. report is nil when it ended
// before anything was to be carried out.
func (c *applyCommand) apply(ctx context.Context, wanted *plan.Plan, service *service, ledger *store.Ledger, runID string) (*runner.Report, error) {
	display := newDisplay(c.app)
	if err := putBy(c.reservePath()); err != nil {
		display.warn("no disk space could be put by for an emergency: " + whyNoReserve(err))
	}
	unchanged, err := c.stillUnchanged(ctx, wanted, ledger)
	if err != nil {
		return nil, err
	}
	service.scanned = display.scanned
	run := runner.New(wanted, ledger, service, c.app.secrets(service), service.governor, runner.SystemClock(),
		c.options(wanted, service, display, runID))
	reading, cancel := c.reading(ctx)
	defer cancel()
	var changes []plan.Change
	if !unchanged {
		display.start(nil)
		changes, err = c.noting(reading, wanted, ledger, run.Prepare)
		display.stop()
	}
	c.alone.seen.Delays = metrics.Delays(run.Listings())
	if err != nil {
		return nil, c.alone.late(reading, err)
	}
	if err := c.agree(wanted, changes, run.Listings()); err != nil {
		return nil, err
	}
	if c.saved != nil {
		// On disk before anything is sent: whatever happens from here on, apply with the
		// plan files takes up what is left, and this plan is not applied again.
		if err := ledger.Spend(ctx, c.saved.ID, runID, time.Now()); err != nil {
			return nil, err
		}
	}
	spareCollector(len(changes))
	display.start(run.Picture)
	report, err := run.Apply(ctx, c.interrupts.draining, changes)
	display.stop()
	if err := ledger.SentTrouble(); err != nil {
		display.warn("what was sent could not be noted beside the ledger; should the ledger be lost now, wait for the settle time before you apply again: " + err.Error())
	}
	if unchanged {
		report.Results = keptAll(c.unchanged.Plan.Jobs)
	}
	return &report, err
}

// reservePath is where disk space is put by.
func (c *applyCommand) reservePath() string { return c.target.ledgerPath() + reserveSuffix }

// options are what flags and plan ask of the run, and how display and stream are told
// of it.
func (c *applyCommand) options(wanted *plan.Plan, service *service, display *display, runID string) runner.Options {
	options := runner.Options{
		RunID: runID, Endpoint: service.Service(),
		Parallel: c.settings.parallel, Settle: c.settings.settle,
		MaxAttempts: c.settings.maxAttempts, MaxElapsed: c.settings.maxElapsed, Until: c.alone.until(),
		MaxFailures: c.settings.failureCap(len(wanted.Jobs)), OnUnknown: c.settings.onUnknown(), Adopt: c.adopt, Refresh: c.refresh.Refresh,
		Choice: c.choice, Rollout: c.spread, AllowReplace: c.settings.allows(allowReplace), AllowDelete: c.settings.allows(allowDelete), AllowSuspend: c.settings.allows(allowSuspend),
		FreeReserve: func() error { return giveBack(c.reservePath()) },
		Observe:     display.observe, Warn: display.warn, Emergency: c.app.emergency(c.target.ledgerPath(), c.line),
		Commands: c.line.commands,
	}
	c.alone.listen(&options, service.governor, display)
	return options
}

// agree returns nil if the changes may be carried out: by the saved plan, by the
// limits, and by who is asked.
func (c *applyCommand) agree(wanted *plan.Plan, changes []plan.Change, listings map[string]plan.Listing) error {
	if c.saved != nil {
		if err := c.sameAsSaved(changes); err != nil {
			return err
		}
	}
	if err := c.settings.limits.Check(changes, c.settings.allows(allowReplace)); err != nil {
		return err
	}
	preview := newPreview(wanted, changes, listings, c.settings.limits, plan.Pace{
		Parallel: c.settings.parallel, Rate: c.settings.rate, AllowReplace: c.settings.allows(allowReplace),
	})
	return c.confirm(preview, plan.Summarize(changes))
}

// confirm shows the changes and, where there are some, asks.
func (c *applyCommand) confirm(preview plan.Preview, summary plan.Summary) error {
	if c.output.json() {
		warn := c.alone.stream.warner()
		if warn == nil {
			warn = c.app.warn
		}
		for _, crowds := range preview.Crowds {
			warn(fmt.Sprint(crowds))
		}
	}
	if c.output.json() || c.alone.silentPlan(summary) {
		return nil
	}
	render := func() error { return plan.Render(c.app.stdout, preview, plan.RenderOptions{Full: c.full}) }
	if c.unchanged != nil {
		render = func() error { return plan.RenderNothing(c.app.stdout, preview.Plan, c.unchanged.Plan.Jobs) }
	}
	if err := render(); err != nil {
		return err
	}
	if c.yes || summary.Changes() == 0 {
		return nil
	}
	return c.app.confirm(c.interrupts.draining)
}
