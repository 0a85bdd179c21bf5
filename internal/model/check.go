package model

import "strings"

// Bad is a set of ways in which a state is bad.
type Bad uint8

const (
	Duplicate   Bad = 1 << iota // two jobs of one name, both made by apsctl
	Orphan                      // a job that the ledger neither has nor covers
	Unwitnessed                 // a create left whose nonce is not on disk
	Early                       // an attempt was promised before an earlier one was closed
)

// AnyBad is every way; Harm is what a user is left with.
const (
	AnyBad = Duplicate | Orphan | Unwitnessed | Early
	Harm   = Duplicate | Orphan
)

func (b Bad) String() string {
	var words []string
	for i, word := range []string{"duplicate", "orphan", "unwitnessed", "early"} {
		if b&(1<<i) != 0 {
			words = append(words, word)
		}
	}
	return strings.Join(words, " and ")
}

// judge adds what can be seen to be bad in the state itself. The steps add what
// is bad about a step.
func (c *Config) judge(s *State) {
	for name := range c.Names {
		if job := &s.Jobs[name]; job.Made != 0 && !job.covered() {
			s.Bad |= Orphan
		}
	}
}

// covered reports whether the ledger has the job on the service, or says that
// there may be one.
func (j *Job) covered() bool {
	switch j.Row {
	case rowIntent, rowUnknown, rowDuplicate:
		return true
	case rowCreated:
		return j.ID == j.Made
	}
	return false
}
