package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/apsctl/apsctl/store"
)

// beforeOutput are the exit codes that win over that of a result which cannot be
// written, as the README orders them.
var beforeOutput = []int{exitLedger, exitDenied, exitInterrupted, exitUnknown}

// conclude prints the result of a run and records its end, in this order: that
// nobody got the result is part of how the run ended, and the process, the ledger
// and all who are told say the same of it. failed is what ended the run altogether,
// or nil. What is worse than a result that is lost stays the error, and the loss is
// a line on stderr beside it.
func (a *app) conclude(ctx context.Context, ledger *store.Ledger, runID string, end runEnd, failed error, print func() error) error {
	lost := print()
	if lost != nil && failed == nil && !slices.Contains(beforeOutput, end.code) {
		failed, lost = lost, nil
		end.code, _ = classify(failed)
		end.detail.Error = a.redactor.Clean(failed.Error())
	}
	if err := end.record(ctx, ledger, runID); err != nil && (failed == nil || end.code != exitLedger) {
		if lost == nil {
			lost = failed
		}
		failed = err
	}
	if _, said := classify(lost); !said {
		a.warn(fmt.Sprintf("%s [%s]", lost, codeOf(lost)))
	}
	switch {
	case failed != nil:
		return failed
	case end.code != exitDone:
		return exitWith(end.code)
	}
	return nil
}
