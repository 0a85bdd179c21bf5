package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/store"
)

const (
	lockedFail = "fail"
	lockedSkip = "skip"
	lockedWait = "wait:" // and a duration

	// A lock that is waited for is tried this often: once the holder is gone,
	// nothing tells.
	lockPauseFirst = 50 * time.Millisecond
	lockPauseMax   = time.Second
)

// ifLocked is the value of --if-locked: what a command does that finds the ledger
// in use by a live run. The zero value fails.
type ifLocked struct {
	skip bool
	wait time.Duration
}

func (l *ifLocked) Type() string { return "fail|skip|wait:D" }

func (l *ifLocked) String() string {
	switch {
	case l.skip:
		return lockedSkip
	case l.wait > 0:
		return lockedWait + l.wait.String()
	}
	return lockedFail
}

func (l *ifLocked) Set(text string) error {
	switch text {
	case lockedFail:
		*l = ifLocked{}
		return nil
	case lockedSkip:
		*l = ifLocked{skip: true}
		return nil
	}
	if duration, ok := strings.CutPrefix(text, lockedWait); ok {
		if wait, err := time.ParseDuration(duration); err == nil && wait > 0 {
			*l = ifLocked{wait: wait}
			return nil
		}
	}
	return errors.New("want fail, skip, or wait:30s with any duration")
}

// addLockFlag adds the flag of commands that take the lock of the ledger.
func (t *target) addLockFlag(cmd *cobra.Command) {
	cmd.Flags().Var(&t.ifLocked, "if-locked", "when another run is at work on the ledger, end with exit code 11 (fail) or 0 (skip), or first wait for its end so long (wait:30s)")
	_ = cmd.RegisterFlagCompletionFunc("if-locked", cobra.FixedCompletions([]string{lockedFail, lockedSkip, "wait:30s"}, cobra.ShellCompDirectiveNoFileComp))
}

// skippedError ends a command, with exit code 0, that leaves the ledger to another
// run.
type skippedError struct{ locked *store.LockedError }

func (e *skippedError) Error() string {
	who := e.locked.Holder.String()
	if who == "" {
		who = "another run"
	}
	return fmt.Sprintf("skipped: ledger %s is in use by %s; nothing was done", e.locked.Path, who)
}

// refuseForeign refuses what was never locked and is no ledger, so that no lock file
// is left beside it. It says nothing of a ledger: that is for behind the lock.
func (t *target) refuseForeign(ctx context.Context) error {
	path := t.ledgerPath()
	if _, err := os.Lstat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ledger, err := store.OpenReadOnly(ctx, path)
	if err == nil {
		err = ledger.Close()
	}
	if errors.Is(err, store.ErrNotLedger) {
		return err
	}
	return nil
}

// acquireLock takes the lock of the ledger, with the patience that --if-locked
// says. A skip is a *skippedError. It returns the
// context's error when ctx ends first.
func (t *target) acquireLock(ctx context.Context, holder store.Holder) (*store.Lock, error) {
	outliveReader()
	if err := t.refuseForeign(ctx); err != nil {
		return nil, err
	}
	patience := t.ifLocked
	deadline := time.Now().Add(patience.wait)
	for pause := lockPauseFirst; ; pause = min(2*pause, lockPauseMax) {
		lock, err := store.AcquireLock(t.ledgerPath(), holder)
		var locked *store.LockedError
		if !errors.As(err, &locked) {
			return lock, err
		}
		left := time.Until(deadline)
		switch {
		case patience.skip:
			return nil, &skippedError{locked}
		case left <= 0 && patience.wait > 0:
			return nil, fmt.Errorf("after waiting for %s: %w", patience.wait, err)
		case left <= 0:
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(min(pause, left)):
		}
	}
}
