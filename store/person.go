package store

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Person is who changed an entry by hand, and why. It is kept in the evidence
// of the event that the change leaves.
type Person struct {
	Who, Reason string // Reason may not be ""
	RunID       string // "" outside of runs
	At          time.Time
}

// PersonEvidence is the JSON that says that a person vouches for a step. Fields
// that are "" or nil are left out of it.
type PersonEvidence struct {
	Kind   string `json:"kind"` // "person"
	Who    string `json:"who"`
	Reason string `json:"reason"`
	Forced bool   `json:"forced,omitempty"` // --force overrode a refusal
	// Seen says what the service listed under the job's name at that time.
	Seen string `json:"seen,omitempty"`
	// RenamedFrom and RenamedTo are job names of the same plan.
	RenamedFrom string `json:"renamed_from,omitempty"`
	RenamedTo   string `json:"renamed_to,omitempty"`
	// Forgotten is what a removed entry and its attempts said.
	Forgotten *Forgotten `json:"forgotten,omitempty"`
}

// JSON returns the evidence as one line.
func (e PersonEvidence) JSON() string {
	e.Kind = "person"
	text, err := json.Marshal(e)
	if err != nil {
		panic("store: evidence cannot fail to marshal: " + err.Error())
	}
	return string(text)
}

// Mark names an entry as it was read: the guard of a compare-and-swap.
type Mark struct {
	Plan, Name string
	State      plan.State
	Attempt    int
}

// MarkOf is the mark of an entry that was just read.
func MarkOf(e plan.Entry) Mark { return Mark{e.Plan, e.Name, e.State, e.Attempt} }

func (p Person) check() error {
	switch {
	case p.Who == "" || p.Reason == "":
		return errors.New("a change by hand says who makes it and why")
	case p.At.IsZero():
		return errors.New("the time must be set")
	}
	return nil
}
