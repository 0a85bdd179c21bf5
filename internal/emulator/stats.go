package emulator

import (
	"maps"
	"sync"
	"time"
)

// Stats is what an emulator has seen.
type Stats struct {
	// Account is the state's own account.
	Account string `json:"account"`
	// Since is when the state was opened; the counts begin there.
	Since time.Time `json:"since"`
	// Actions has an entry for every action the emulator knows.
	Actions map[string]ActionStats `json:"actions"`
	// Unrecognised requests were refused before their action was known: bad
	// form, bad signature, old date, used nonce, unknown action.
	Unrecognised int `json:"unrecognised"`
	// Creates is the number of jobs made, whatever was answered.
	Creates int `json:"creates"`
	// Jobs is the number of live jobs in the state, over all accounts.
	Jobs int `json:"jobs"`
	// Duplicates is how many of them are beyond the first of their account,
	// region, name, source and destination.
	Duplicates int `json:"duplicates"`
}

// ActionStats counts the calls of one action whose signature was good.
// Calls is AnsweredOK + Refused + Faulted, once all are answered.
type ActionStats struct {
	Calls int `json:"calls"`
	// AnsweredOK got their success, unspoiled.
	AnsweredOK int `json:"answered_ok"`
	// Refused got an error: throttled, a bad parameter, a business refusal.
	Refused int `json:"refused"`
	// Throttled were refused by the quota or by a fault of kind throttle.
	Throttled int `json:"throttled"`
	// Faulted were struck by a fault, before or after the commit.
	Faulted int `json:"faulted"`
}

type stats struct {
	mu  sync.Mutex
	sum Stats
}

func newStats(now time.Time) *stats {
	actions := map[string]ActionStats{}
	for _, op := range operations {
		actions[op.name] = ActionStats{}
	}
	return &stats{sum: Stats{Since: now.UTC(), Actions: actions}}
}

func (s *stats) snapshot() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := s.sum
	out.Actions = maps.Clone(s.sum.Actions)
	return out
}

func (s *stats) count(action string, change func(*ActionStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	entry := s.sum.Actions[action]
	change(&entry)
	s.sum.Actions[action] = entry
}

func (s *stats) called(action string) {
	s.count(action, func(a *ActionStats) { a.Calls++ })
}

func (s *stats) throttled(action string) {
	s.count(action, func(a *ActionStats) { a.Throttled++ })
}

func (s *stats) answered(action string, ok bool) {
	s.count(action, func(a *ActionStats) {
		if ok {
			a.AnsweredOK++
		} else {
			a.Refused++
		}
	})
}

func (s *stats) faulted(action string, kind FaultKind) {
	s.count(action, func(a *ActionStats) {
		a.Faulted++
		if kind == FaultThrottle {
			a.Throttled++
		}
	})
}

func (s *stats) created() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Creates++
}

func (s *stats) unrecognised() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sum.Unrecognised++
}
