package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/internal/probe"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// errorCode names a kind of error for people and scripts, such as
// E-LEDGER-FOREIGN. Codes are added, never changed. What each means stands in
// errorTable.
type errorCode string

// codedError is an error whose kind only the command knows that met it. One of
// the other packages has a type or a value of its own, which codeOf knows.
type codedError struct {
	code errorCode
	err  error
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// coded gives err its code, and with it its exit code.
func coded(code errorCode, err error) error { return &codedError{code, err} }

// codeOf is the code of err, which is not nil. It is the only place that tells
// errors apart; what nothing here knows is codeUnexpected.
func codeOf(err error) errorCode {
	if given := (*codedError)(nil); errors.As(err, &given) {
		return given.code
	}
	if errors.Is(err, context.Canceled) {
		// Before what it cut off, a call or a look into the ledger, which failed for
		// no reason of its own: only a signal ends a command's context.
		return codeInterrupted
	}
	for _, kind := range errorTypes {
		if code := kind(err); code != "" {
			return code
		}
	}
	for _, known := range errorValues {
		if errors.Is(err, known.value) {
			return known.code
		}
	}
	return fileCode(err)
}

// errorTypes give the code of an error by its type, or "" for another type, in
// the order in which they are asked: outer errors before those that they wrap.
var errorTypes = []func(error) errorCode{
	ofType(func(*usageError) errorCode { return codeUsage }),
	ofType(func(plan.Problems) errorCode { return codePlan }),
	ofType(func(*endpointError) errorCode { return codeEndpoint }),
	ofType(func(*plan.SelectorError) errorCode { return codeNoSuchJob }),
	ofType(func(*plan.SavedError) errorCode { return codeSavedFile }),
	ofType(func(*store.SpentError) errorCode { return codeSavedSpent }),
	ofType(func(*store.LockedError) errorCode { return codeLocked }),
	ofType(func(*store.ForeignError) errorCode { return codeLedgerForeign }),
	ofType(func(*store.SameIDError) errorCode { return codeSameID }),
	ofType(func(e *store.Error) errorCode { return ledgerCode(e.Kind) }),
	ofType(func(*runner.LedgerError) errorCode { return codeLedgerTrouble }),
	ofType(func(*store.QueryError) errorCode { return codeQuery }),
	ofType(func(*probe.JournalError) errorCode { return codeProbeJournal }),
	ofType(func(*probe.UnknownError) errorCode { return codeProbeUnknown }),
	ofType(func(e *probe.RefusedError) errorCode { return probeCode(e.Outcome.Failure) }),
	ofType(func(*runner.SkewError) errorCode { return codeSkew }),
	ofType(func(*runner.RefusedError) errorCode { return codeOrder }),
	ofType(func(*plan.LimitError) errorCode { return codeLimit }),
	ofType(func(*aps.IncompleteError) errorCode { return codeListing }),
	ofType(func(e *plan.CallError) errorCode { return callCode(e.Failure) }),
}

// ofType asks code of an error of type E.
func ofType[E error](code func(E) errorCode) func(error) errorCode {
	return func(err error) errorCode {
		var found E
		if !errors.As(err, &found) {
			return ""
		}
		return code(found)
	}
}

// errorValues are errors that are told by comparing.
var errorValues = []struct {
	value error
	code  errorCode
}{
	{aps.ErrDebug, codeDebug},
	{emulator.ErrInUse, codeEmulatorInUse},
	{store.ErrBackupExists, codeExists},
	{store.ErrNameTaken, codeNameTaken},
	{plan.ErrMovedOn, codeMovedOn},
	{plan.ErrTaken, codeSameID},
	{store.ErrIllegal, codeDefect},
}

// ledgerCodes are the codes of the kinds of a *store.Error.
var ledgerCodes = []struct {
	kind error
	code errorCode
}{
	{fs.ErrNotExist, codeLedgerMissing},
	{store.ErrNewer, codeLedgerNewer},
	{store.ErrOlder, codeLedgerOlder},
	{store.ErrForeign, codeLedgerForeign},
	{store.ErrDamaged, codeLedgerDamaged},
	{store.ErrNotLedger, codeNotLedger},
	{store.ErrFileSystem, codeLedgerFileSystem},
	{store.ErrSeveralNames, codeLedgerNames},
	{store.ErrPermission, codeLedgerPermission},
	{store.ErrFull, codeLedgerFull},
	{store.ErrIO, codeLedgerIO},
	{store.ErrBusy, codeLedgerBusy},
	{store.ErrReplaced, codeLedgerReplaced},
	{store.ErrSettings, codeLedgerSettings},
	{store.ErrClosed, codeLedgerTrouble},
}

func ledgerCode(kind error) errorCode {
	for _, known := range ledgerCodes {
		if errors.Is(kind, known.kind) {
			return known.code
		}
	}
	return codeLedgerTrouble
}

func callCode(failure plan.Failure) errorCode {
	switch failure {
	case plan.FailureThrottled:
		return codeThrottled
	case plan.FailureTemporary:
		return codeTemporary
	case plan.FailureCredentials:
		return codeCredentials
	case plan.FailurePermission:
		return codePermission
	case plan.FailureConfig:
		return codeConfig
	}
	return codeRefused
}

// probeCode is the code of a throw-away job that was not created: what is wrong
// with the key or the endpoint is no matter of the probe.
func probeCode(failure plan.Failure) errorCode {
	if failure == plan.FailureOther {
		return codeProbeRefused
	}
	return callCode(failure)
}

// fileCode is the code of an error of the operating system about a file, else
// codeUnexpected.
func fileCode(err error) errorCode {
	var path *fs.PathError
	switch {
	case !errors.As(err, &path):
		return codeUnexpected
	case path.Op == "write" && (path.Path == os.Stdout.Name() || path.Path == os.Stderr.Name()):
		return codeOutput
	}
	return codeFile
}

// entryOf returns what errorTable says of a code, whatever its case.
func entryOf(code errorCode) (errorEntry, bool) {
	for _, entry := range errorTable {
		if strings.EqualFold(string(entry.Code), string(code)) {
			return entry, true
		}
	}
	return errorEntry{}, false
}
