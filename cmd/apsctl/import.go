package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type importCommand struct {
	app      *app
	target   target
	output   outputFormat
	choice   importChoice
	list     bool
	regions  []string
	generate string
	plan     string
	parallel int
	rate     float64
	yes      bool
	full     bool

	commands plan.Commands
}

func newImportCommand(a *app) *cobra.Command {
	c := &importCommand{app: a}
	cmd := &cobra.Command{
		Use:   "import --all | --name GLOB | --ids FILE | --list",
		Short: "Take over jobs that exist, and write a plan for them",
		Long: `import writes jobs that the service has and no plan knows, for example those made
in the console, into the ledger, as jobs of a plan. With --generate it also writes
that plan: plan shows no changes for it. It creates, changes and starts nothing.
It takes one complete listing of each region and asks for the details of each job
that it imports. It can be stopped and run again.

The service tells neither users nor passwords: the plan has none, and says so. Jobs
that cannot be in it, for example two of one name, are left out, with the reason and
the way out, and the exit code is 4.

--list imports nothing. It shows the jobs that no plan in the ledger knows, and
those that load the same objects from one source to one destination.

To take over jobs that a plan lists already, use apply --adopt. docs/import.md has
more.`,
		Example: `  apsctl import --list --region cn-hangzhou
  apsctl import --all --region cn-hangzhou --plan-name orders --generate orders.yaml
  apsctl plan orders.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd) },
	}
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.target.addLockFlag(cmd)
	c.output.addFlag(cmd)
	c.choice.addFlags(cmd.Flags())
	flags := cmd.Flags()
	flags.BoolVar(&c.list, "list", false, "import nothing: show what no plan knows, and what is there twice")
	flags.StringArrayVar(&c.regions, "region", nil, "look in this `region`; may be repeated (default: those of the jobs in the ledger)")
	flags.StringVar(&c.generate, "generate", "", "write a plan with the jobs to this new `file`")
	flags.StringVar(&c.plan, "plan-name", "imported", "`name` of the plan that the jobs become part of")
	flags.IntVar(&c.parallel, "parallel", runner.ParallelDefault, "requests in flight at once")
	flags.Float64Var(&c.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.BoolVarP(&c.yes, "yes", "y", false, "do not ask; required where there is no terminal")
	flags.BoolVar(&c.full, "full", false, "list every job, however many")
	return cmd
}

func (c *importCommand) run(cmd *cobra.Command) error {
	if err := c.check(cmd); err != nil {
		return err
	}
	c.commands = commandsOf(cmd)
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	entries, err := readEntries(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	if c.regions = lookIn(c.regions, entries); len(c.regions) == 0 {
		return usagef(cmd, "the ledger has no jobs whose regions could be looked in: add --region")
	}
	if c.list {
		return c.show(ctx, entries)
	}
	return c.locked(ctx)
}

// check finds mistakes before anything is asked or written.
func (c *importCommand) check(cmd *cobra.Command) error {
	if c.parallel < 1 || c.parallel > runner.ParallelMax {
		return usagef(cmd, "--parallel is from 1 to %d, not %d", runner.ParallelMax, c.parallel)
	}
	for _, region := range c.regions {
		if err := plan.CheckRegion(region); err != nil {
			return usagef(cmd, "--region: %v", err)
		}
	}
	if c.list {
		if c.choice.given(cmd) > 0 || c.generate != "" {
			return usagef(cmd, "--list shows all jobs and writes nothing: leave --all, --name, --ids and --generate out")
		}
		return nil
	}
	if c.choice.given(cmd) != 1 {
		return usagef(cmd, "say which jobs with one of --all, --name and --ids, or --list to see them")
	}
	if err := plan.CheckPlanName(c.plan); err != nil {
		return usagef(cmd, "--plan-name: %v", err)
	}
	if c.generate == plan.StdinPath {
		return usagef(cmd, "--generate is the name of a new file, not %q", c.generate)
	}
	if err := c.choice.read(cmd); err != nil {
		return err
	}
	if !c.yes {
		if err := c.app.checkAsking(cmd, c.output); err != nil {
			return err
		}
	}
	return c.checkFile()
}

// checkFile refuses a file that could not be written in the end.
func (c *importCommand) checkFile() error {
	if c.generate == "" {
		return nil
	}
	if _, err := os.Lstat(c.generate); err == nil {
		return planFileError(c.generate, fs.ErrExist)
	}
	_, err := os.Stat(filepath.Dir(c.generate))
	return planFileError(c.generate, err)
}

// lookIn lists the regions that were given or else those of entries.
func lookIn(regions []string, entries []plan.Entry) []string {
	if len(regions) == 0 {
		for _, e := range entries {
			regions = append(regions, e.Region)
		}
	}
	slices.Sort(regions)
	return slices.Compact(regions)
}

// locked does the work while no other run can change the ledger. The account is
// asked for before the ledger is opened: a wrong key must not leave a new one.
func (c *importCommand) locked(ctx context.Context) error {
	holder := newHolder("import into " + c.plan)
	lock, err := c.target.acquireLock(ctx, holder)
	if err != nil {
		return err
	}
	defer lock.Release()
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		return err
	}
	defer service.close()
	identity, err := service.CallerIdentity(ctx)
	if err != nil {
		return err
	}
	ledger, err := store.Open(ctx, c.target.ledgerPath(), store.Options{Create: true})
	if err != nil {
		return err
	}
	defer ledger.Close()
	if err := ledger.Bind(ctx, identity.AccountID, service.Service()); err != nil {
		return err
	}
	record := plan.RunRecord{
		ID: newRunID(), Command: "import", Plan: c.plan, Host: holder.Host, User: holder.User,
		PID: holder.PID, Version: version(), StartedAt: holder.Started,
	}
	if err := ledger.BeginRun(ctx, record); err != nil {
		return err
	}
	return c.record(ctx, ledger, service, record.ID)
}

// record keeps a record of the run around the work, and prints the result.
func (c *importCommand) record(ctx context.Context, ledger *store.Ledger, service *service, runID string) error {
	result, failed := c.work(ctx, ledger, service, runID)
	code, _ := classify(failed)
	if failed == nil {
		code = result.exitCode()
	}
	if n := result.counts().Imported; failed != nil && n > 0 {
		fmt.Fprintf(c.app.stderr, "apsctl: %s in the ledger by now; the same command goes on from there\n", plan.Count(n, "job"))
	}
	end := c.app.runEnd(code, result.counts(), service.Calls(), failed)
	return c.app.conclude(ctx, ledger, runID, end, failed, func() error {
		if failed != nil {
			return nil
		}
		return c.print(result)
	})
}

// work looks, shows, asks, imports, and writes the plan last: a plan whose jobs
// the ledger does not know would show them as to be created.
func (c *importCommand) work(ctx context.Context, ledger *store.Ledger, service *service, runID string) (importResult, error) {
	result := importResult{run: runID}
	display := newDisplay(c.app)
	importer := runner.NewImporter(ledger, service, runner.SystemClock(), runner.Options{
		RunID: runID, Parallel: c.parallel, Observe: display.observe, Commands: c.commands,
	})
	entries, err := ledger.Entries(ctx, store.Filter{})
	if err != nil {
		return result, err
	}
	found, err := importer.Look(ctx, c.regions, entries)
	if err != nil {
		return result, err
	}
	chosen := c.choice.of(found)
	result.missing = c.choice.missing(found)
	result.keepOthers(chosen, c.plan, entries, c.commands)
	if err := c.preview(ctx, &result); err != nil {
		return result, err
	}
	display.start(nil)
	result.jobs, err = importer.Import(ctx, c.plan, result.chosen)
	display.stop()
	if err != nil {
		return result, err
	}
	return result, c.writePlan(&result)
}

// writePlan writes the plan of what is in the ledger now.
func (c *importCommand) writePlan(result *importResult) error {
	specs := result.specs()
	if c.generate == "" || len(specs) == 0 {
		return nil
	}
	text, err := plan.Imported(c.plan, specs)
	if err == nil {
		err = createDurably(c.generate, text)
	}
	if err = planFileError(c.generate, err); err != nil {
		return fmt.Errorf("%w; the jobs are in the ledger, and the same command writes the plan later", err)
	}
	result.file = c.generate
	return nil
}
