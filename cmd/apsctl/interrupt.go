package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// interrupts turns SIGINT, SIGTERM and SIGHUP into stages for a command that has
// requests on the wire: the first closes draining, the second ends the context
// that listen returned, and a third ends the process. Commands that change
// nothing do not listen: there a signal ends the process at once.
type interrupts struct {
	draining chan struct{}
	stderr   io.Writer
	exit     func(code int)
}

func newInterrupts(stderr io.Writer) *interrupts {
	return &interrupts{draining: make(chan struct{}), stderr: stderr, exit: os.Exit}
}

// listen returns a context that the second signal ends. stop gives the signals
// back.
func (i *interrupts) listen(parent context.Context) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(parent)
	signals := make(chan os.Signal, 3)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	outliveReader()
	done := make(chan struct{})
	go func() {
		for count := 1; ; count++ {
			select {
			case <-done:
				return
			case <-signals:
				i.stage(count, cancel)
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}

// outliveReader keeps a reader of our output that goes away from ending a run
// half-way: the books are in the ledger, and how the run ended is still to come.
// The signal is caught and not ignored, since what is ignored would be ignored by a
// password's command as well.
func outliveReader() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }

func (i *interrupts) stage(count int, cancel func()) {
	switch count {
	case 1:
		fmt.Fprintln(i.stderr, "apsctl: interrupted: nothing new is started, open requests are awaited (again to leave at once)")
		close(i.draining)
	case 2:
		fmt.Fprintln(i.stderr, "apsctl: leaving at once: open requests are recorded as unknown, the next run settles them")
		cancel()
	default:
		i.exit(exitInterrupted)
	}
}

// untilDrain returns a context that also ends with the first signal, for work
// that changes nothing and can be dropped at any time.
func (i *interrupts) untilDrain(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		select {
		case <-i.draining:
			cancel()
		case <-ctx.Done():
		}
	}()
	return ctx, cancel
}
