// Package report says what a migration is and how far it is. Build works it out of
// what the ledger, and the service if it was asked, say; WriteHTML, WriteMarkdown
// and WriteCSV render it, and a Report in JSON is the fourth form. Nothing here
// reads a ledger, a clock or the network.
package report

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
)

// Bounds of what a report shows of a kind. The forms json and csv have every job.
const (
	runsReported    = 20
	slowestReported = 20
)

// Facts is what a report is made of. All of it is of the plans that the report is
// about.
type Facts struct {
	Now     time.Time
	Version string // of apsctl
	Ledger  jsonform.Ledger
	Plans   []string // those that were asked for; none means all
	Jobs    []Job    // in the order in which they are to be listed
	// Attempts are what the timeline counts, in any order.
	Attempts []Attempt
	Runs     []Run    // newest first
	Asked    []Region // none: the service was not asked
	Settle   time.Duration
	Advice   Advice
}

// Job is one job as the ledger and, if asked, the service have it.
type Job struct {
	plan.Entry
	Asked      bool
	Remote     *plan.RemoteJob // nil when not asked, or not listed
	Duplicates int             // listed jobs of the same name, source and destination
	Logs       []plan.ActionLog
	Failure    plan.Failure // the class of the entry's Code
	WayOut     string       // how it gets out of its state, "" when there is nothing to get out of
}

// Attempt is one create: what is known of it, and when that was recorded. One that
// is under way counts when it was promised.
type Attempt struct {
	At      time.Time
	Outcome plan.State
	Failure plan.Failure // the class of the service's code
}

// Run is one run. Ended says in words what its exit code means, "" for one whose
// end is not known.
type Run struct {
	jsonform.Run
	Ended string `json:"-"`
}

// Region is a region that was listed, and when by the service's clock where it told
// its time.
type Region struct {
	Region string    `json:"region"`
	At     time.Time `json:"at"`
	Jobs   int       `json:"jobs"` // listed, of whatever plan
}

// Advice has the next steps that the program gives on its own errors, each a
// sentence or a few, so that a report says the same.
type Advice struct {
	Unhealthy string // a job that exists and does not run
	NotTried  string // a job whose turn did not come
	Person    string // a job that only a person can settle
	NotSent   string // a create that never left
	// Refused is by the class of the service's refusal; one that is not there is told
	// to mend what the service complains about.
	Refused map[plan.Failure]string
	// Codes is by the code of an error in the record of a run.
	Codes map[string]string
}

// Build works out the report. It does no I/O and reads no clock: equal facts give
// equal reports.
func Build(f Facts) Report {
	r := Report{
		Title: title(f.Plans, f.Jobs), GeneratedAt: f.Now.UTC(), Version: f.Version, Ledger: f.Ledger,
		Asked: f.Asked, Settle: f.Settle.Milliseconds(),
		Sources: []sourceStand{}, Failures: []failureGroup{}, Unknown: []unknownStand{}, Runs: []Run{}, Jobs: []jobStand{},
	}
	for _, j := range f.Jobs {
		r.Jobs = append(r.Jobs, newJobStand(j))
		if j.State.Unresolved() {
			r.Unknown = append(r.Unknown, newUnknownStand(j.Entry, f.Now, f.Settle))
		}
	}
	slices.SortStableFunc(r.Unknown, func(x, y unknownStand) int { return compareTimes(x.SettlesAt, y.SettlesAt) })
	r.Plans = planStands(r.Jobs, f.Runs)
	r.Endpoints = countEndpoints(r.Jobs)
	r.countStands()
	r.Sources = sourceStands(r.Jobs)
	r.Timeline = newTimeline(f.Attempts)
	r.Failures = failureGroups(f, r.Jobs)
	if len(f.Asked) > 0 {
		r.Sync = newSyncStand(r.Jobs)
	}
	r.Runs = append(r.Runs, f.Runs[:min(len(f.Runs), runsReported)]...)
	return r
}

// title names the plans, as long as they are few.
func title(plans []string, jobs []Job) string {
	if len(plans) == 0 {
		for _, j := range jobs {
			plans = append(plans, j.Plan)
		}
		slices.Sort(plans)
		plans = slices.Compact(plans)
	}
	if len(plans) == 0 || len(plans) > 3 {
		return fmt.Sprintf("%d plans", len(plans))
	}
	return strings.Join(plans, ", ")
}
