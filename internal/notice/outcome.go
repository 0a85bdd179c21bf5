package notice

import (
	"maps"
	"slices"
)

// Outcome is the class of how a run ended: what a message is sent about is that it is
// another one than people were told last. Outcomes are added, never renamed.
type Outcome string

// The outcomes that a run tells of itself; outcomeWords says what each means.
const (
	OutcomeDone        Outcome = "done"
	OutcomeError       Outcome = "error"
	OutcomeFailed      Outcome = "failed"
	OutcomeUnknown     Outcome = "unknown"
	OutcomeRefused     Outcome = "refused"
	OutcomeLeft        Outcome = "left"
	OutcomeInvalid     Outcome = "invalid"
	OutcomeLocked      Outcome = "locked"
	OutcomeDenied      Outcome = "denied"
	OutcomeLedger      Outcome = "ledger"
	OutcomeInterrupted Outcome = "interrupted"
)

// outcomeDied is that of a run whose process is gone without a word.
const outcomeDied Outcome = "died"

var outcomeWords = map[Outcome]string{
	OutcomeDone:        "everything is as the plan says",
	OutcomeError:       "the run failed",
	OutcomeFailed:      "some jobs failed",
	OutcomeUnknown:     "outcomes are unknown, or something has to be settled first",
	OutcomeRefused:     "a limit or a protection refused it",
	OutcomeLeft:        "stopped early, and work is left",
	OutcomeInvalid:     "the plan or the flags are invalid",
	OutcomeLocked:      "another run is at work",
	OutcomeDenied:      "credentials or a permission were refused",
	OutcomeLedger:      "there is trouble with the ledger",
	OutcomeInterrupted: "it was interrupted",
}

// Outcomes returns the outcomes that a run tells of itself, sorted.
func Outcomes() []Outcome { return slices.Sorted(maps.Keys(outcomeWords)) }
