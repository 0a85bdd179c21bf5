package runner

import "fmt"

// LedgerError says that the ledger could not be read or written. Nothing more
// is sent after it.
type LedgerError struct {
	Doing string
	Err   error
}

func (e *LedgerError) Error() string { return fmt.Sprintf("%s: %v", e.Doing, e.Err) }
func (e *LedgerError) Unwrap() error { return e.Err }

func ledgerFailed(doing string, err error) error { return &LedgerError{doing, err} }
