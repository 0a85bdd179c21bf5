package plan

import "time"

// Sent is a create that was promised, as it was noted beside the ledger.
type Sent struct {
	Plan, Name, Region string
	// Data is the Spec.DataKey of what was sent, empty where it was not noted.
	Data     string
	Attempt  int
	SignedAt time.Time
	// Settle is what the run that sent it went by, zero where it was not noted.
	Settle time.Duration
	// Forgotten says that a person took the job out of the ledger since.
	Forgotten bool
	// OnRecord says that the ledger's history has this create, though no entry of the name
	// accounts for it: the entry was renamed or forgotten since, or another plan's.
	OnRecord bool
}
