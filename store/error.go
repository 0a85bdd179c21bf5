package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/mattn/go-sqlite3"

	"github.com/apsctl/apsctl/plan"
)

// The kinds of trouble with a ledger file. An [*Error] matches its kind by
// errors.Is. A ledger that does not exist matches [fs.ErrNotExist].
var (
	ErrNewer      = errors.New("the ledger was written by a newer apsctl")
	ErrOlder      = errors.New("the ledger was written by an older apsctl")
	ErrForeign    = errors.New("the ledger belongs to something else")
	ErrDamaged    = errors.New("the ledger is damaged")
	ErrNotLedger  = errors.New("the file is not a ledger")
	ErrFileSystem = errors.New("the file system cannot keep a ledger")
	// ErrSeveralNames is about hard links; a symbolic link is no second name.
	ErrSeveralNames = errors.New("the ledger has several names")
	ErrPermission   = errors.New("the ledger may not be used by this user")
	ErrFull         = errors.New("no space is left for the ledger")
	ErrIO           = errors.New("the ledger cannot be read or written")
	ErrBusy         = errors.New("the ledger is in use by another program")
	ErrReplaced     = errors.New("the ledger was deleted or replaced while in use")
	ErrSettings     = errors.New("the ledger could not be opened safely")
	ErrClosed       = errors.New("the ledger is closed")
)

// ErrIllegal is wrapped by the error for an intent or a transition that the
// creation protocol does not have. It is a defect of the caller; nothing was
// written.
var ErrIllegal = errors.New("not a step of the creation protocol")

// Error is trouble with the ledger file itself. The run stops at it.
type Error struct {
	Kind error  // one of the kinds above, or fs.ErrNotExist
	Path string // the ledger file
	Text string // what is wrong and what to do next
	Err  error  // the cause; may be nil
}

func (e *Error) Error() string {
	text := "ledger " + e.Path + ": " + e.Text
	if e.Err != nil {
		text += " (" + e.Err.Error() + ")"
	}
	return text
}

func (e *Error) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// ForeignError says that the ledger belongs to another account or service. It
// matches ErrForeign. Its message shows the ends of the accounts only.
type ForeignError struct {
	Path                   string
	Account, Service       string // on record
	GotAccount, GotService string // asked for
}

func (e *ForeignError) Error() string {
	return fmt.Sprintf("ledger %s: it belongs to account %s at %s, and this run uses account %s at %s; "+
		"use the credentials and endpoint of that account, or name another ledger",
		e.Path, mask(e.Account), e.Service, mask(e.GotAccount), e.GotService)
}

func (e *ForeignError) Is(target error) bool { return target == ErrForeign }

// mask hides the middle of an account.
func mask(account string) string {
	shown := min(4, len(account)/4)
	return account[:shown] + strings.Repeat("*", len(account)-2*shown) + account[len(account)-shown:]
}

// SameIDError says that the service answered for one job with the id that
// another entry already has. Nothing was written; the run stops, since no answer
// of such a service can be trusted.
type SameIDError struct {
	JobID                string
	Plan, Name           string // the job that was to get the id
	OtherPlan, OtherName string // the entry that has it
}

// Is makes a SameIDError a plan.ErrTaken.
func (e *SameIDError) Is(target error) bool { return target == plan.ErrTaken }

func (e *SameIDError) Error() string {
	return fmt.Sprintf("the service gave the id %s to job %q of plan %q, but job %q of plan %q has it already",
		e.JobID, e.Name, e.Plan, e.OtherName, e.OtherPlan)
}

// adviceRestore puts a ledger back, or rebuilds one from what the service lists. The
// creates of late, which may not be listed yet, are in the file of what was sent.
const adviceRestore = "leave its .sent file where it is, and restore the last backup; " +
	"without one, apply --adopt, and once more when the jobs that it calls unknown have settled"

// What to do about each kind of trouble. None of it makes a new ledger: its
// content is the only proof of what was already sent.
const (
	adviceFull    = "no space is left; free some on its disk (or raise the quota) and run again, nothing is lost"
	adviceIO      = "it cannot be read or written; check the disk and the kernel's log before running again"
	adviceBusy    = "another program has kept it locked for too long; let that end (a backup, a shell of SQLite?) and run again"
	adviceDamaged = "it is damaged; do not delete it: move it and its -wal and -shm files away, " + adviceRestore
	adviceMode    = "this user may not write it, a file beside it (-wal, -shm, .lock) or its folder; run as its owner, or correct the owner and mode"
	// Also to look into it: SQLite needs -wal and -shm for that.
	adviceReadOnly  = "its file system is mounted read-only, and a ledger is not even read without files beside it; mount it for writing, or copy it with its -wal file, if it has one, to where this user may write"
	adviceNotLedger = "it is not a ledger, or its first bytes are damaged; check the path, and if it is right move the file away, " + adviceRestore
)

// trouble turns an error of the driver into an *Error for path. Errors of a
// context and of this package pass as they are; op says what was being done.
func trouble(path, op string, err error) error {
	if err == nil {
		return nil
	}
	if own := (*Error)(nil); errors.As(err, &own) {
		if own.Path != "" {
			return err
		}
		named := *own
		named.Path = path
		return &named
	}
	if errors.As(err, new(*ForeignError)) || errors.As(err, new(*SameIDError)) {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%s: %w", op, err)
	}
	advice, kind := classify(err)
	if kind == nil {
		return fmt.Errorf("ledger %s: %s: %w", path, op, err)
	}
	if kind == ErrPermission && readOnlyFileSystem(NearestFolder(path)) {
		advice = adviceReadOnly
	}
	return &Error{Kind: kind, Path: path, Text: advice, Err: fmt.Errorf("%s: %w", op, err)}
}

// classify returns the kind of an error, and what to do about it; a nil kind for
// an error that is not about the file.
func classify(err error) (advice string, kind error) {
	var cause sqlite3.Error
	if !errors.As(err, &cause) {
		switch {
		case errors.Is(err, fs.ErrPermission):
			return adviceMode, ErrPermission
		case errors.Is(err, syscall.EROFS):
			return adviceReadOnly, ErrPermission
		case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
			return adviceFull, ErrFull
		}
		return "", nil
	}
	switch cause.Code {
	case sqlite3.ErrFull:
		return adviceFull, ErrFull
	case sqlite3.ErrIoErr:
		if cause.SystemErrno == syscall.ENOSPC || cause.SystemErrno == syscall.EDQUOT {
			return adviceFull, ErrFull
		}
		return adviceIO, ErrIO
	case sqlite3.ErrBusy, sqlite3.ErrLocked, sqlite3.ErrProtocol:
		return adviceBusy, ErrBusy
	case sqlite3.ErrCorrupt,
		sqlite3.ErrError, sqlite3.ErrSchema, sqlite3.ErrMismatch, sqlite3.ErrFormat: // not our tables
		return adviceDamaged, ErrDamaged
	case sqlite3.ErrNotADB:
		return adviceNotLedger, ErrNotLedger
	case sqlite3.ErrReadonly, sqlite3.ErrPerm, sqlite3.ErrAuth, sqlite3.ErrCantOpen:
		return adviceMode, ErrPermission
	}
	return "", nil
}
