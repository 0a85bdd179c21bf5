package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
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
	exitDenied      = 12
	exitLedger      = 13
	exitInterrupted = 130
)

// exitOutcomes are the outcomes of runs by exit code, OutcomeError for any other code.
var exitOutcomes = map[int]notice.Outcome{
	exitDone:        notice.OutcomeDone,
	exitFailure:     notice.OutcomeError,
	exitFailed:      notice.OutcomeFailed,
	exitUnknown:     notice.OutcomeUnknown,
	exitLimit:       notice.OutcomeRefused,
	exitLeft:        notice.OutcomeLeft,
	exitInvalid:     notice.OutcomeInvalid,
	exitLocked:      notice.OutcomeLocked,
	exitDenied:      notice.OutcomeDenied,
	exitLedger:      notice.OutcomeLedger,
	exitInterrupted: notice.OutcomeInterrupted,
}

// outcomeOf is the outcome of a run that ended with an exit code.
func outcomeOf(code int) notice.Outcome { return cmp.Or(exitOutcomes[code], notice.OutcomeError) }

// exitError ends a command whose output has said all there is to say: an answer
// such as "changes exist", or a report that names what went wrong. An error that
// has still to be said has a code; see coded.
type exitError struct{ code int }

func (e *exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func exitWith(code int) error { return &exitError{code} }

// explain prints what a person needs to know about err, with its code, and
// returns the exit code. It is the only place that turns errors into either.
func (a *app) explain(err error) int {
	exit, said := classify(err)
	if said {
		return exit
	}
	if skipped := (*skippedError)(nil); errors.As(err, &skipped) {
		fmt.Fprintf(a.stderr, "apsctl: %s\n", printable.Line(skipped.Error()))
		return exit
	}
	code := codeOf(err)
	var problems plan.Problems
	if errors.As(err, &problems) {
		fmt.Fprintf(a.stderr, "%s\napsctl: %s in the plan [%s]\n", problems.Error(), plan.Count(len(problems), "mistake"), code)
		return exit
	}
	text := err.Error()
	if code == codeInterrupted {
		text = "interrupted before anything was changed; run it again"
	}
	fmt.Fprintf(a.stderr, "apsctl: %s [%s]\n", printable.Line(a.redactor.Clean(text)), code)
	if hint := hintFor(err); hint != "" {
		fmt.Fprintf(a.stderr, "  %s\n", printable.Line(hint))
	}
	return exit
}

// classify maps an error to its exit code; said is true when there is nothing
// left to print.
func classify(err error) (exit int, said bool) {
	if err == nil {
		return exitDone, true
	}
	if said := (*exitError)(nil); errors.As(err, &said) {
		return said.code, true
	}
	if errors.As(err, new(*skippedError)) {
		return exitDone, false
	}
	entry, _ := entryOf(codeOf(err))
	return entry.Exit, false
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
