package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// From one look of --watch to the next.
const (
	watchDefault = 10 * time.Second
	watchLeast   = time.Second
)

func (c *statusCommand) checkWatch(cmd *cobra.Command) error {
	switch {
	case !c.watch && cmd.Flags().Changed("interval"):
		return usagef(cmd, "--interval goes with --watch")
	case !c.watch:
		return nil
	case c.output.json():
		return usagef(cmd, "--watch is for people; for a program, run status -o json as often as it needs it")
	case c.full:
		return usagef(cmd, "--watch shows what has room on the terminal; leave --full out, or choose jobs with a selector")
	case c.interval < watchLeast:
		return usagef(cmd, "--interval is at least %s, not %s", watchLeast, c.interval)
	}
	return nil
}

// keepWatching shows the jobs again and again until a signal, which is how it is
// meant to end: then it returns nil. Where nobody can be shown anything any more, it
// ends too.
func (c *statusCommand) keepWatching(parent context.Context, ledger *store.Ledger, regions *listedRegions) error {
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	show, end := c.watchOn()
	defer end()
	for {
		view, err := c.lookAgain(ctx, ledger, regions)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			return err
		}
		view.again = time.Now().Add(c.interval)
		if err := show(view); err != nil {
			return err
		}
		select {
		case <-time.After(c.interval):
		case <-ctx.Done():
			return nil
		}
	}
}

// lookAgain takes a new listing of each region. What may be well the next time is
// trouble in the view and no error.
func (c *statusCommand) lookAgain(ctx context.Context, ledger *store.Ledger, regions *listedRegions) (statusView, error) {
	regions.forget()
	jobs, err := c.inLedger(ctx, ledger, regions)
	if err == nil && len(jobs) > 0 {
		err = c.list(ctx, regions, jobs)
	}
	view := statusView{jobs: jobs, asked: time.Now()}
	if passing(err) {
		view.jobs, view.trouble = nil, printable.Line(c.app.redactor.Clean(err.Error()))
		err = nil
	}
	return view, err
}

// passing reports whether the same may succeed later without anybody's doing.
func passing(err error) bool {
	var call *plan.CallError
	if errors.As(err, &call) {
		return !call.Failure.StopsRun()
	}
	return errors.As(err, new(*aps.IncompleteError))
}

// watchOn returns what shows a view: over and over in one place on a terminal, and
// as lines on stdout elsewhere. end leaves the last view there.
func (c *statusCommand) watchOn() (show func(statusView) error, end func()) {
	screen := c.app.screen
	if screen == nil || !c.app.stdoutTerminal {
		return func(v statusView) error {
			_, err := fmt.Fprintln(c.app.stdout, v.line())
			return err
		}, func() {}
	}
	var mu sync.Mutex
	var shown statusView
	stop := screen.keepPainting(func() layout {
		mu.Lock()
		defer mu.Unlock()
		shown.now = time.Now()
		return shown.lines
	})
	return func(v statusView) error {
			mu.Lock()
			defer mu.Unlock()
			if v.trouble != "" { // the last good look stays
				shown.trouble, shown.again = v.trouble, v.again
				return nil
			}
			shown = v
			return nil
		}, func() {
			stop()
			screen.leave()
		}
}
