package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// Exit codes. Scripts rely on them: codes are added, never changed.
const (
	exitDone        = 0
	exitFailure     = 1
	exitChanges     = 2
	exitFailed      = 3
	exitUnknown     = 4
	exitLimit       = 5
	exitLeft        = 6
	exitInvalid     = 10
	exitLocked      = 11
	exitRefused     = 12
	exitLedger      = 13
	exitInterrupted = 130
)

// exitError ends a command with a code of its own. err may be nil when all has
// been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}
func (e *exitError) Unwrap() error { return e.err }

func exitWith(code int) error { return &exitError{code: code} }

// explain prints what a person needs to know about err and returns the exit
// code. It is the only place that turns errors into either.
func (a *app) explain(err error) int {
	code, said := classify(err)
	if err == nil || said {
		return code
	}
	var problems plan.Problems
	if errors.As(err, &problems) {
		fmt.Fprintln(a.stderr, problems.Error())
		return code
	}
	text := err.Error()
	if code == exitInterrupted {
		text = "interrupted before anything was created; run it again"
	}
	fmt.Fprintf(a.stderr, "apsctl: %s\n", printable.Line(a.redactor.Clean(text)))
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(a.stderr, "  %s\n", printable.Line(hint))
	}
	return code
}

// classify maps an error to its exit code; said is true when there is nothing
// left to print.
func classify(err error) (code int, said bool) {
	var (
		exit     *exitError
		bad      *usageError
		problems plan.Problems
		locked   *store.LockedError
		foreign  *store.ForeignError
		ledger   *store.Error
		sameID   *store.SameIDError
		failed   *runner.LedgerError
		skew     *runner.SkewError
		call     *plan.CallError
		address  *endpointError
		limit    *plan.LimitError
		missing  *plan.SelectorError
	)
	switch {
	case err == nil:
		return exitDone, true
	case errors.As(err, &exit):
		return exit.code, exit.err == nil
	case errors.Is(err, context.Canceled):
		// Before what it cut off, a call or a look into the ledger, which failed for
		// no reason of its own: only a signal ends a command's context.
		return exitInterrupted, false
	case errors.As(err, &bad), errors.As(err, &problems), errors.As(err, &address), errors.As(err, &missing):
		return exitInvalid, false
	case errors.As(err, &locked):
		return exitLocked, false
	case errors.As(err, &foreign), errors.As(err, &ledger), errors.As(err, &sameID), errors.As(err, &failed):
		return exitLedger, false
	case errors.As(err, &skew), errors.As(err, &limit):
		return exitLimit, false
	case errors.As(err, &call):
		return exitForFailure(call.Failure), false
	}
	return exitFailure, false
}

func exitForFailure(f plan.Failure) int {
	if f == plan.FailureCredentials || f == plan.FailurePermission {
		return exitRefused
	}
	return exitFailure
}

// hintFor names the next step where the error itself does not.
func hintFor(err error) string {
	var (
		bad     *usageError
		call    *plan.CallError
		address *endpointError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return ""
	case errors.As(err, &bad):
		return fmt.Sprintf("%s --help lists the flags", bad.command)
	case errors.As(err, &address):
		return "the address comes from --endpoint or $" + endpointVariable + ", or from --sts-endpoint or --kms-endpoint"
	case errors.As(err, &call) && call.Failure == plan.FailureTemporary:
		return "nothing was created; check the network and the endpoint, then run it again"
	case errors.As(err, &call) && call.Failure == plan.FailureThrottled:
		return "nothing was created; run it again later, or with a lower --rate"
	}
	return ""
}
