package plan

import "time"

// Sent is a create that was promised, as it was noted beside the ledger.
type Sent struct {
	Attempt  int
	SignedAt time.Time
}

// KnownTo reports whether the ledger knows of the create: its entry of the job, nil
// for none, is of that attempt or of a later one. The date is compared as well, for
// a job that was forgotten begins with attempt 1 again.
func (s Sent) KnownTo(entry *Entry) bool {
	return entry != nil && entry.Attempt >= s.Attempt && !entry.SignedAt.Before(s.SignedAt)
}
