package runner

import (
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Result is what became of one job in a run.
type Result struct {
	Name   string
	Action plan.Kind // what the job needed when the run started applying
	// Left says that the job left the plan: it is not one of those planned.
	Left bool
	// State is the job's state in the ledger afterwards; StateNone when the
	// ledger still has no entry for it.
	State   plan.State
	JobID   string
	Attempt int // create requests sent for the job over all runs
	// Ending says how the job is counted.
	Ending Ending
	// Error says in one line what is wrong, "" when nothing is. It may hold
	// text of the service, with secrets removed: encode it for where it goes.
	Error string
	// Cause groups errors: the service's code, or a few words of ours.
	Cause string
	// SettlesAt is set for an unknown job: the moment, by the service's clock,
	// from which absence can be proven.
	SettlesAt time.Time
	// Held says of an unknown job that it is proven absent and waits for a person,
	// as Options.OnUnknown says.
	Held bool
	// Due says of an unknown job that SettlesAt has come and that a look proved
	// nothing all the same: Error says what a proof lacks.
	Due bool
}

// Ending is how a job is counted in a report. Each wanted job has exactly one.
type Ending string

const (
	EndCreated   Ending = "created"
	EndAdopted   Ending = "adopted"
	EndUpdated   Ending = "updated"  // changed in place
	EndReplaced  Ending = "replaced" // deleted, and created again
	EndDeleted   Ending = "deleted"
	EndStarted   Ending = "started"
	EndSuspended Ending = "suspended"
	EndKept      Ending = "kept"
	EndUnhealthy Ending = "unhealthy" // changed by this run, and the service shows it as failed
	EndFailed    Ending = "failed"    // refused, or never got through; the next run tries again
	EndUnknown   Ending = "unknown"   // sent, outcome not known; settled by a later look
	EndBlocked   Ending = "blocked"   // nothing is sent: something else has to be settled first, not always by a person
	EndNotTried  Ending = "not_tried" // the run stopped before its turn
)

// Stop says why a run stopped creating before it had tried every job.
type Stop string

const (
	StopNone          Stop = ""
	StopInterrupted   Stop = "interrupted"
	StopRefused       Stop = "credentials or permission refused"
	StopConfiguration Stop = "the endpoint or its configuration is wrong"
	StopUnknownBudget Stop = "too many creates are without an answer"
	StopFailureCap    Stop = "the failure cap was passed"
	StopWave          Stop = "too many jobs of the waves so far failed"
	StopWait          Stop = "jobs do not run in time"
	StopTime          Stop = "the time for this run is over"
	StopSkew          Stop = "the clocks of this machine and the service differ too much"
	StopLedger        Stop = "the ledger could not be written"
)

// Report is what one run did. Results has one entry per wanted job, in plan
// order, then one per left-over that is still unresolved.
type Report struct {
	Results []Result
	Stop    Stop
	// StopDetail says in one line what led to Stop.
	StopDetail string
	// StopFailure classifies it when the service's answer led to it.
	StopFailure plan.Failure
	Requests    int // create requests sent
	Retries     int // of those, further ones for the same job
	Throttled   int // of those, answered with a throttling code
	Elapsed     time.Duration
}

// Counts are a report's books: Planned is the sum of the others but Deleted.
type Counts struct {
	Planned   int `json:"planned"`
	Created   int `json:"created"`
	Adopted   int `json:"adopted"`
	Updated   int `json:"updated"`
	Replaced  int `json:"replaced"`
	Deleted   int `json:"deleted"` // of jobs that left the plan: not in Planned
	Started   int `json:"started"`
	Suspended int `json:"suspended"`
	Kept      int `json:"kept"`
	Unhealthy int `json:"unhealthy"`
	Failed    int `json:"failed"`
	Unknown   int `json:"unknown"`
	Blocked   int `json:"blocked"`
	NotTried  int `json:"not_tried"`
}

// Counts adds up the wanted jobs by their ending, and the deleted ones. Other
// left-overs are not counted.
func (r Report) Counts() Counts {
	var c Counts
	for _, result := range r.Results {
		if result.Ending == EndDeleted {
			c.Deleted++
		}
		if result.Left {
			continue
		}
		c.Planned++
		switch result.Ending {
		case EndCreated:
			c.Created++
		case EndAdopted:
			c.Adopted++
		case EndUpdated:
			c.Updated++
		case EndReplaced:
			c.Replaced++
		case EndStarted:
			c.Started++
		case EndSuspended:
			c.Suspended++
		case EndKept:
			c.Kept++
		case EndUnhealthy:
			c.Unhealthy++
		case EndFailed:
			c.Failed++
		case EndUnknown:
			c.Unknown++
		case EndBlocked:
			c.Blocked++
		case EndNotTried:
			c.NotTried++
		}
	}
	return c
}

// Progress is a picture of a run on its way.
type Progress struct {
	// Wave is the current one of Waves, from 1. Starting jobs are waited for to run.
	Wave, Waves, Starting int

	Total    int // jobs that this run has to do something about
	Done     int // of those, finished for this run, well or not
	Created  int // adopted included
	Failed   int
	Unknown  int           // sent, no answer yet known
	InFlight int           // requests on the wire
	Waiting  int           // jobs that wait for their next attempt
	NextTry  time.Duration // until the first of those, when nothing is in flight
	Rate     float64       // calls per second that the governor allows now
	Cause    string        // why jobs are waiting, in a few words
	Elapsed  time.Duration
}
