// Package plan is the domain of apsctl: what is wanted (jobs, read from YAML
// plan files), what is known (ledger entries, the service's listing), and the
// difference between the two (changes). It does no network, no SQL and reads no
// clock; every other package of ours may import it, and it imports none of them
// but leaf packages that know nothing of jobs.
package plan

import (
	"fmt"
	"time"
)

// Plan is one desired state: all jobs that share one plan name, after defaults.
type Plan struct {
	// Name identifies the plan in the ledger, together with each job's name.
	Name string
	// File is the plan file as the command named it; several are joined by ", ".
	File string
	// Jobs are in source order, with distinct names. It may be empty.
	Jobs []Job
	// Run holds the plan's own defaults for the flags of apply.
	Run RunSettings
	// Limits holds the plan's own caps on what one run may do; nil means that the
	// plan does not say.
	Limits Limits
	// Moved leads from the old names of renamed jobs to their new ones. nil means
	// that none is said to be renamed.
	Moved map[string]string
	// Digest is the digest of the whole desired state: every job's name and
	// digest, in order of name. Comments, order and layout do not change it.
	Digest string
	// Warnings are about things that are allowed and rarely meant, in source order:
	// the first 1,000, or all of them with Options.AllWarnings.
	Warnings Problems
	// Warned is how many warnings there were.
	Warned int
	// Repeated counts the jobs that synchronise the same as one before them, by
	// source instance, most first.
	Repeated []Tally
	// Origins tells where each value of the jobs came from that Options.Trace
	// names, in the order of Jobs. nil unless that was asked for.
	Origins []JobOrigins
	dir     string // of its first file
}

// RunSettings are a plan's `run:` section. A nil field was not said; a flag
// on the command line wins over a field here.
type RunSettings struct {
	Parallel    *int           // workers, 1 to 256
	Rate        *float64       // calls per second and operation; 0 means no ceiling
	Settle      *time.Duration // see docs/plan.md, run.settle
	MaxAttempts *int           // create attempts for one job in one run, at least 1
	MaxElapsed  *time.Duration // time one job may take in one run, waiting included
	OnUnknown   *OnUnknown     // what follows when an unknown create is proven absent
	// Wave are the sizes of the waves but the last, which is the rest; nil when no
	// waves were asked for, and empty for one wave of all.
	Wave         []int
	Wait         *Wait          // when a wave is over
	WaitTimeout  *time.Duration // without news, while jobs are waited for
	WaveFailures *Limit         // of the jobs of the waves so far; a share is rounded down
	// PerSource and PerDestination are the most jobs of one instance that may be
	// initialising at once, at least 1.
	PerSource, PerDestination *int
}

// OnUnknown says what a run does with an unknown create that a complete
// listing does not show, once its absence certificate can be had.
type OnUnknown string

const (
	Recreate OnUnknown = "recreate" // the default: create it again
	Hold     OnUnknown = "hold"     // leave it unknown until a person settles it
)

// Position is a place in a plan file. Line and Column count from 1, Column in
// characters; the zero Position means "nowhere in particular".
type Position struct {
	File         string
	Line, Column int
}

// String formats p as file:line:column, as compilers do.
func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// NearestJobs returns the names of the few jobs that name was probably meant to
// be, the nearest first, or none.
func (p *Plan) NearestJobs(name string) []string {
	names := make([]string, len(p.Jobs))
	for i, job := range p.Jobs {
		names[i] = job.Name
	}
	return nearestFew(name, names, 3)
}
