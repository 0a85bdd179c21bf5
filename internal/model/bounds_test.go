package model

import "flag"

var (
	long   = flag.Bool("model.long", false, "search the large bounds to their end as well: minutes, and about 2 GB")
	states = flag.Int("model.states", 0, "search the largest bounds for this many states; with -model.long 0 is ten million")
)

const stateCountDefault = 10_000_000

// small is what the rules are left out of, one by one.
var small = Config{Procs: 2, Names: 1, Creates: 2, Copies: 1, Crashes: Unlimited, Rules: Everything}

// scenario is small with what it takes for the rule to matter.
func scenario(r Rule) Config {
	c := small
	switch r {
	case TwoScans:
		c.Torn = true
	case Presence:
		c.LedgerLost = true
	case Canary, SomeVisible:
		c.Procs, c.Names, c.Hidden = 1, 2, true
	case Baseline:
		c.Foreign = true
	}
	return c
}

// bounds is one search of the full protocol that is to find nothing.
type bounds struct {
	name   string
	config Config
}

// quick are the bounds of each test run: over a million states, in seconds.
var quick = []bounds{
	{"2_processes_3_creates", Config{Procs: 2, Names: 1, Creates: 3, Copies: 1, Crashes: Unlimited}},
	{"3_processes_3_crashes", Config{Procs: 3, Names: 1, Creates: 2, Copies: 1, Crashes: 3}},
	{"1_process_2_names", Config{Procs: 1, Names: 2, Creates: 2, Copies: 1, Crashes: Unlimited}},
	{"3_processes_2_names_with_the_lock", Config{Procs: 3, Names: 2, Creates: 2, Crashes: 3, Lock: true}},
	{"torn_listings", Config{Procs: 2, Names: 1, Creates: 2, Copies: 2, Crashes: Unlimited, Torn: true}},
	{"ledger_lost", Config{Procs: 2, Names: 1, Creates: 2, Copies: 1, Crashes: Unlimited, LedgerLost: true}},
	{"hidden_listings", Config{Procs: 1, Names: 2, Creates: 2, Crashes: Unlimited, Hidden: true}},
}

// large are searched to their end on demand.
var large = []bounds{
	{"3_processes_3_creates", Config{Procs: 3, Names: 1, Creates: 3, Copies: 1, Crashes: Unlimited}},
	{"2_processes_2_names", Config{Procs: 2, Names: 2, Creates: 2, Copies: 1, Crashes: Unlimited}},
	{"3_processes_2_names_3_crashes_with_the_lock", Config{Procs: 3, Names: 2, Creates: 3, Copies: 1, Crashes: 3, Lock: true}},
}

// largest cannot be searched to its end in minutes.
var largest = Config{Procs: 3, Names: 2, Creates: 2, Copies: 1, Crashes: 3, Rules: Everything}
