package runner

import (
	"errors"
	"fmt"

	"github.com/apsctl/apsctl/plan"
)

// describe says in one line what an outcome was, the service's words last.
func describe(o plan.Outcome) string {
	text := o.Why
	switch {
	case o.Code != "" && o.Message != "":
		text += fmt.Sprintf(" (%s: %s)", o.Code, o.Message)
	case o.Code != "":
		text += fmt.Sprintf(" (%s)", o.Code)
	}
	if o.RequestID != "" && o.Verdict != plan.VerdictCreated {
		text += ", request " + o.RequestID
	}
	return text
}

// reasonOf is describe without what the ledger has columns for.
func reasonOf(o plan.Outcome) string {
	if o.Message == "" || o.Verdict == plan.VerdictCreated {
		return o.Why
	}
	return o.Why + ": " + o.Message
}

// causeOf is what outcomes are grouped by in a summary.
func causeOf(o plan.Outcome) string {
	if o.Code != "" {
		return o.Code
	}
	return o.Why
}

// failureOf classifies an error of a repeatable call.
func failureOf(err error) plan.Failure {
	if call := callOf(err); call != nil {
		return call.Failure
	}
	return plan.FailureOther
}

// callOf returns the refused or failed call in err, nil if it is about something else.
func callOf(err error) *plan.CallError {
	var call *plan.CallError
	errors.As(err, &call)
	return call
}

func stopFor(f plan.Failure) Stop {
	if f == plan.FailureConfig {
		return StopConfiguration
	}
	return StopRefused
}

func unknownBudgetDetail(unknown int) string {
	return fmt.Sprintf("%d creates of this run have no answer yet, twice the number of workers; no more are sent until they are settled", unknown)
}
