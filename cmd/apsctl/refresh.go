package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// refreshFlag is the value of --refresh.
type refreshFlag struct{ plan.Refresh }

func (f *refreshFlag) Type() string { return "none|changed|sample:N|all" }
func (f *refreshFlag) Set(text string) (err error) {
	f.Refresh, err = plan.ParseRefresh(text)
	return err
}

func (f *refreshFlag) addFlag(cmd *cobra.Command) {
	cmd.Flags().Var(f, "refresh", "compare jobs that exist with the service: changed lists each region and asks for the details of what differs anyway, sample:5% also for those of a rotating part, all for all")
	_ = cmd.RegisterFlagCompletionFunc("refresh", cobra.FixedCompletions([]string{"none", "changed", "sample:5%", "all"}, cobra.ShellCompDirectiveNoFileComp))
}

// looker holds a plan against the ledger and the service, and changes nothing at
// either. It takes no lock: it reads what is committed, and what a run beside it
// moves on meanwhile is not judged.
type looker struct {
	app    *app
	target *target
	rate   float64
	settle time.Duration
	quiet  bool // says nothing on the way
	// needsLedger makes it an error that there is none yet.
	needsLedger bool
}

func (l *looker) addFlags(cmd *cobra.Command) {
	l.target.addServiceFlags(cmd)
	flags := cmd.Flags()
	flags.Float64Var(&l.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&l.settle, "settle", runner.SettleDefault, "time after which absence from the listing counts")
}

// look prepares as a run with these choices would. The run tells what was compared.
func (l *looker) look(cmd *cobra.Command, wanted *plan.Plan, o runner.Options) (*runner.Run, []plan.Change, error) {
	if err := l.merge(cmd, wanted); err != nil {
		return nil, nil, err
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ledger, err := l.open(ctx)
	if err != nil {
		return nil, nil, err
	}
	var reader runner.Reader // nil without a ledger
	if ledger != nil {
		defer ledger.Close()
		reader = ledger
	}
	service, err := l.app.openService(*l.target, l.rate)
	if err != nil {
		return nil, nil, err
	}
	defer service.close()
	if ledger != nil {
		if err := checkAccount(ctx, ledger, service); err != nil {
			return nil, nil, err
		}
	}
	display := newDisplay(l.app)
	o.Commands = commandsOf(cmd)
	run := runner.NewLook(wanted, reader, service, service.governor, runner.SystemClock(), l.options(wanted, o, display))
	if !l.quiet {
		service.scanned = display.scanned
	}
	display.start(nil)
	changes, err := run.Prepare(ctx)
	display.stop()
	if noted := l.note(context.WithoutCancel(ctx), wanted.Name, run.Compared()); noted != nil && err == nil {
		display.warn("which jobs were compared could not be noted, so the next sample may be of the same: " + noted.Error())
	}
	return run, changes, err
}

func (l *looker) options(wanted *plan.Plan, o runner.Options, display *display) runner.Options {
	o.Settle = l.settle
	if wanted.Run.Parallel != nil {
		o.Parallel = *wanted.Run.Parallel
	}
	if !l.quiet {
		o.Observe, o.Warn = display.observe, display.warn
	}
	return o
}

func (l *looker) merge(cmd *cobra.Command, wanted *plan.Plan) error {
	from(&l.rate, wanted.Run.Rate, cmd.Flags().Changed("rate"))
	from(&l.settle, wanted.Run.Settle, cmd.Flags().Changed("settle"))
	switch {
	case !(l.rate >= 0 && l.rate <= 1e6):
		return usagef(cmd, "--rate is a number of calls per second up to 1000000, or 0 for no ceiling, not %v", l.rate)
	case l.settle <= 0:
		return usagef(cmd, "--settle is more than nothing, not %s", l.settle)
	}
	return nil
}

// open opens the ledger for reading; nil where there is none yet, which it says.
func (l *looker) open(ctx context.Context) (*store.Ledger, error) {
	ledger, err := store.OpenReadOnly(ctx, l.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) && !l.needsLedger {
		fmt.Fprintf(l.app.stderr, "apsctl: no ledger at %s yet: everything counts as not created\n", printable.Line(l.target.ledgerPath()))
		return nil, nil
	}
	return ledger, err
}

// note writes down which jobs were compared, for the next sample. It is the only
// thing that a look writes, and no step of any job.
func (l *looker) note(ctx context.Context, planName string, comparisons []plan.Comparison) error {
	if len(comparisons) == 0 {
		return nil
	}
	ledger, err := store.Open(ctx, l.target.ledgerPath(), store.Options{})
	if err != nil {
		return err
	}
	return errors.Join(ledger.Compared(ctx, planName, comparisons), ledger.Close())
}
