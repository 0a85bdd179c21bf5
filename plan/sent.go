package plan

import "time"

// Sent is a create that was promised, as it was noted beside the ledger.
type Sent struct {
	Plan     string
	Attempt  int
	SignedAt time.Time
}
