package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// waitTimeoutDefault is how long wait waits unless told otherwise.
const waitTimeoutDefault = time.Hour

type waitCommand struct {
	app     *app
	chosen  jobChoice
	target  target
	output  outputFormat
	wanted  string
	timeout time.Duration
	rate    float64
	full    bool

	condition plan.Condition // what wanted comes to
}

func newWaitCommand(a *app) *cobra.Command {
	c := &waitCommand{app: a}
	cmd := &cobra.Command{
		Use:   "wait SELECTOR... --for CONDITION",
		Short: "Wait until jobs run, are suspended, gone or up to date",
		Long: `wait looks at complete listings, one a region for all jobs at a time, with pauses
that grow from 2 to 30 seconds, until each job was seen as --for says:

  running      its status says so
  suspended    the same, or it was never started
  gone         two complete listings in a row do not show it, and one did before, or
               it was created more than 31 minutes ago
  delay<=30s   it runs and its delay is at most that; the service does not say
               in which unit it tells delays, and seconds are assumed

It changes nothing and can run beside an apply. It ends early when a job failed or
can no longer come to be so, and shows the service's message and the job's last
logs: exit code 3. When the time is over it exits with 6.

` + selectorUsage,
		Example: "  apsctl apply --yes migration.yaml && apsctl wait --plan orders-migration '*' --for running --timeout 2h\n  apsctl wait team=orders --for 'delay<=30s'",
		Args:    mustSay,
		RunE:    c.run,
	}
	c.chosen.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.output.addFlag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.wanted, "for", "", "`condition` to wait for: running, suspended, gone or delay<=30s")
	flags.DurationVar(&c.timeout, "timeout", waitTimeoutDefault, "most time to wait")
	flags.Float64Var(&c.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.BoolVar(&c.full, "full", false, "list every job, however many")
	_ = cmd.RegisterFlagCompletionFunc("for", cobra.FixedCompletions([]string{"running", "suspended", "gone", "delay<=30s"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *waitCommand) run(cmd *cobra.Command, args []string) error {
	var err error
	if c.wanted == "" {
		return usagef(cmd, "wait needs to know for what: add --for running, suspended, gone or 'delay<=30s'")
	}
	if c.condition, err = plan.ParseCondition(c.wanted); err != nil {
		return usagef(cmd, "--for: %w", err)
	}
	if c.timeout <= 0 {
		return usagef(cmd, "--timeout is more than nothing, not %s", c.timeout)
	}
	if !(c.rate >= 0) {
		return usagef(cmd, "--rate is a number of calls per second, or 0 for no ceiling, not %v", c.rate)
	}
	if err := c.chosen.read(cmd, args); err != nil {
		return err
	}
	c.chosen.living = !c.condition.Gone()
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		return err
	}
	defer service.close()
	if err := checkAccount(ctx, ledger, service); err != nil {
		return err
	}
	return c.wait(ctx, ledger, service)
}

// wait chooses the jobs once, and waits for these.
func (c *waitCommand) wait(ctx context.Context, ledger *store.Ledger, service *service) error {
	waiting, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	started := time.Now()
	all, places, err := c.chosen.entries(waiting, ledger, func(ctx context.Context, region string) (plan.Listing, error) {
		return service.List(ctx, region, false)
	})
	if err != nil {
		return err
	}
	if len(places) == 0 {
		return coded(codeNoSuchJob, fmt.Errorf("no job of ledger %s fits %s: there is nothing to wait for", ledger.Path(), c.chosen.said()))
	}
	waiter := runner.NewWaiter(ledger, service, c.condition, pick(all, places), runner.Options{
		Warn: c.app.warn,
	})
	observe, stop := c.observer(pick(all, places))
	jobs, err := waiter.Wait(waiting, observe)
	stop()
	timedOut := errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	if err != nil && !timedOut {
		return err
	}
	result := newWaitResult(c.condition, jobs, time.Since(started))
	if result.logs = c.app.lastLogs(ctx, service, result.unhealthy()); ctx.Err() != nil {
		return ctx.Err()
	}
	return c.report(result, timedOut)
}

func (c *waitCommand) report(result waitResult, timedOut bool) error {
	code := exitDone
	switch {
	case result.failed():
		code = exitFailed
	case timedOut:
		code = exitLeft
	}
	var err error
	if c.output.json() {
		err = writeJSON(c.app.stdout, result.json(code))
	} else {
		err = result.write(c.app.stdout, c.full)
	}
	if err != nil || code == exitDone {
		return err
	}
	if code == exitLeft {
		return coded(codeWaitTimeout, fmt.Errorf("waited for %s: %s", c.timeout, result.summary()))
	}
	return exitWith(code)
}

// observer tells how it stands, on standard error: in a view on a terminal, and
// elsewhere in a line when that changed. stop takes the view away.
func (c *waitCommand) observer(entries []plan.Entry) (observe func([]runner.Awaited), stop func()) {
	if screen := c.app.screen; screen != nil {
		now := time.Now()
		w := &watcher{view: waitView{condition: c.condition, began: now, until: now.Add(c.timeout)}}
		for _, entry := range entries {
			w.view.jobs = append(w.view.jobs, runner.Awaited{Entry: entry})
		}
		stopPainting := screen.keepPainting(func() layout { return w.lines })
		return w.observe, func() {
			stopPainting()
			screen.erase()
		}
	}
	last := ""
	return func(jobs []runner.Awaited) {
		if line := waitProgress(c.condition, jobs); line != last {
			fmt.Fprintln(c.app.stderr, line)
			last = line
		}
	}, func() {}
}
