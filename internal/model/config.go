package model

// Bounds in ticks. settle exceeds the sum of the service's three by the margin.
const (
	window  = 1 // a request is accepted up to this age of its date
	backend = 1 // an accepted request is done up to this age of its acceptance
	lag     = 1 // a job is hidden from listings up to this age
	fresh   = 0 // a request is sent up to this age of its date
	settle  = window + backend + lag + 1
)

const (
	maxProcs   = 3
	maxNames   = 2
	maxCreates = 3
)

// Unlimited, for a bound, is no bound.
const Unlimited = 255

// Config says how much is modelled and which rules hold.
type Config struct {
	Procs   int   // processes, 1 to 3
	Names   int   // wanted jobs, 1 or 2
	Creates int   // create requests per name, 1 to 3
	Copies  uint8 // requests that the network duplicates
	Crashes uint8 // of all processes together, or Unlimited
	Rules   Rule  // what holds; Everything is the full protocol

	Lock       bool // one process at a time
	Torn       bool // the first listing of two may miss a job
	Hidden     bool // a run's credentials may hide every job
	LedgerLost bool // the ledger may be lost once, when all is quiet
	Foreign    bool // the service has a job of the first name from the start
}

// has reports whether all of rules hold.
func (c *Config) has(rules Rule) bool { return c.Rules&rules == rules }

// start is the state in which everything begins.
func (c *Config) start() State {
	s := State{Copies: c.Copies, Crashes: c.Crashes}
	if c.Foreign {
		s.Jobs[0].Foreign = foreignOther
	}
	if c.LedgerLost {
		s.Losses = 1
	}
	return s
}
