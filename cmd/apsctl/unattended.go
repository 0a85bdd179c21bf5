package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// unattended are the flags of a run that nobody watches, as cron and CI start it.
type unattended struct {
	maxRuntime time.Duration // 0 means no end
	quiet      bool

	started time.Time
}

func (u *unattended) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.DurationVar(&u.maxRuntime, "max-runtime", 0, "take up nothing more after this `time`, waiting for a lock included; what is on the wire is awaited, and what is left is for the next run (default no end)")
	flags.BoolVarP(&u.quiet, "quiet", "q", false, "print only what changed and what is wrong: nothing at all when there is nothing to do")
}

// begin checks the flags and starts the clock.
func (u *unattended) begin(cmd *cobra.Command) error {
	u.started = time.Now()
	if u.maxRuntime < 0 || u.maxRuntime == 0 && cmd.Flags().Changed("max-runtime") {
		return usagef(cmd, "--max-runtime is more than nothing, not %s", u.maxRuntime)
	}
	return nil
}

// until is when the run takes up nothing more; zero for no end.
func (u *unattended) until() time.Time {
	if u.maxRuntime == 0 {
		return time.Time{}
	}
	return u.started.Add(u.maxRuntime)
}

// errTimeOver is the cause of a context that --max-runtime ended.
var errTimeOver = errors.New("the time for this run is over")

// reading returns a context that ends with --max-runtime, for work that changes
// nothing and can be dropped at any time.
func (u *unattended) reading(ctx context.Context) (context.Context, context.CancelFunc) {
	if u.maxRuntime == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithDeadlineCause(ctx, u.until(), errTimeOver)
}

// late turns what a context of reading ended into what a person needs to know.
func (u *unattended) late(ctx context.Context, err error) error {
	if errors.Is(err, context.DeadlineExceeded) && context.Cause(ctx) == errTimeOver {
		return coded(codeStopTime, fmt.Errorf("%w, before it was known what is to be done: nothing was created; the next run starts anew, or give it more than --max-runtime %s", errTimeOver, u.maxRuntime))
	}
	return err
}

// silent reports whether there is nothing to print of a run.
func (u *unattended) silent(report runner.Report, code int) bool {
	return u.quiet && code == exitDone && nothingToDo(report.Counts(), report)
}

// silentPlan does the same before the run, for what it is about to do.
func (u *unattended) silentPlan(summary plan.Summary) bool {
	return u.quiet && summary.Changes() == 0
}
