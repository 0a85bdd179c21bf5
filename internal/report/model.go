package report

import (
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
)

// Report is what is said. Every form of it renders these fields and works nothing
// out by itself; the form json is these fields, which are added and never renamed.
// Lists are empty rather than nil, but for Asked.
type Report struct {
	Title       string          `json:"title"`
	GeneratedAt time.Time       `json:"generated_at"`
	Version     string          `json:"version"`
	Ledger      jsonform.Ledger `json:"ledger"`
	Asked       []Region        `json:"asked"` // empty: from the ledger alone
	Settle      int64           `json:"settle_ms"`

	Plans     []planStand    `json:"plans"`
	Endpoints endpointCounts `json:"endpoints"`
	Total     int            `json:"total"` // jobs, with those that are not in the ledger yet
	Stands    []standCount   `json:"stands"`
	States    []stateCount   `json:"states"`
	Sources   []sourceStand  `json:"sources"`
	Timeline  timeline       `json:"timeline"`
	Sync      *syncStand     `json:"sync,omitempty"`
	Failures  []failureGroup `json:"failures"`
	Unknown   []unknownStand `json:"unknown"`
	Runs      []Run          `json:"runs"` // the newest
	Jobs      []jobStand     `json:"jobs"`
}

// planStand is one plan as its last apply and the ledger have it.
type planStand struct {
	Plan    string `json:"plan"`
	Jobs    int    `json:"jobs"`    // in the ledger
	Missing int    `json:"missing"` // that the last apply of the whole plan wanted and the ledger has no entry of
	Created int    `json:"created"`
	LastRun string `json:"last_run"`
}

// endpointCounts says how wide the migration is.
type endpointCounts struct {
	Regions      []string `json:"regions"`
	Sources      int      `json:"sources"`
	Destinations int      `json:"destinations"`
}

// stand is how a job stands in the words that the report counts by. Each job has
// exactly one.
type stand string

const (
	standRunning    stand = "running"
	standCreated    stand = "created" // the service was not asked, or says neither of the others
	standSuspended  stand = "suspended"
	standStarting   stand = "starting"
	standUnhealthy  stand = "failed on the service"
	standUnlisted   stand = "not listed"
	standUnknown    stand = "unknown"
	standFailed     stand = "not created"
	standPerson     stand = "waiting for a person"
	standNotStarted stand = "not in the ledger yet"
)

// tone is how serious a stand is; it picks the colour.
type tone string

const (
	toneGood    tone = "good"
	toneNeutral tone = "neutral"
	toneWait    tone = "wait"
	toneBad     tone = "bad"
	tonePerson  tone = "person"
)

// stands lists every stand in the order in which reports show them.
var stands = []struct {
	stand   stand
	tone    tone
	meaning string
}{
	{standRunning, toneGood, "the service runs it"},
	{standCreated, toneGood, "the service has it"},
	{standStarting, toneNeutral, "the service has it and does not run it yet"},
	{standSuspended, toneNeutral, "the service has it, suspended"},
	{standNotStarted, toneNeutral, "the last apply wanted it, and nothing was sent for it yet"},
	{standUnknown, toneWait, "a create was sent and no answer says what became of it"},
	{standFailed, toneBad, "refused, never sent, or proven absent; the next apply tries again"},
	{standUnhealthy, toneBad, "it exists, and the service shows an error"},
	{standUnlisted, toneBad, "it was created, and the listing does not show it"},
	{standPerson, tonePerson, "conflict, duplicate or lost: only a person can settle it"},
}

func (s stand) tone() tone {
	for _, known := range stands {
		if known.stand == s {
			return known.tone
		}
	}
	return toneNeutral
}

// exists reports whether the job is on the service, as far as is known.
func (s stand) exists() bool {
	switch s {
	case standRunning, standCreated, standStarting, standSuspended, standUnhealthy:
		return true
	}
	return false
}

type standCount struct {
	Stand   stand  `json:"stand"`
	Tone    tone   `json:"-"`
	Meaning string `json:"meaning"`
	Jobs    int    `json:"jobs"`
}

type stateCount struct {
	State plan.State `json:"state"`
	Jobs  int        `json:"jobs"`
}

// sourceStand is one source instance and how its jobs stand.
type sourceStand struct {
	Region string       `json:"region"`
	Source string       `json:"source"`
	Jobs   int          `json:"jobs"`
	Exist  int          `json:"exist"` // on the service, as far as is known
	Stands []standCount `json:"stands"`
}

// timeline counts the creates by when their outcome was recorded.
type timeline struct {
	From                      time.Time    `json:"from"`
	StepMs                    int64        `json:"step_ms"`
	Buckets                   []timeBucket `json:"buckets"` // without gaps; nil when nothing was created
	Created, Throttled, Other int          `json:"-"`
}

// timeBucket is what was recorded from At until the next bucket.
type timeBucket struct {
	At        time.Time `json:"at"`
	Created   int       `json:"created"`
	Throttled int       `json:"throttled"`
	Other     int       `json:"other"` // refused, not sent, unknown, absent
}

// syncStand is how the jobs on the service run, as one listing shows it.
type syncStand struct {
	Running    int        `json:"running"`
	MaxDelay   int64      `json:"max_delay"` // of running jobs, in the service's unit
	Delays     []rangeOf  `json:"delays"`
	Progresses []rangeOf  `json:"progress"`
	Slowest    []jobStand `json:"-"` // by delay, at most slowestReported
}

// rangeOf counts jobs whose value is within a range.
type rangeOf struct {
	Range string `json:"range"`
	Jobs  int    `json:"jobs"`
}

// failureGroup is a number of jobs that fail alike.
type failureGroup struct {
	Stand stand    `json:"stand"` // or what the last apply came to with them
	Tone  tone     `json:"-"`
	Cause string   `json:"cause"` // the service's code, the state, or the cause in the record of the apply
	Words string   `json:"words"` // the service's or the run's, of one of them
	Next  string   `json:"next"`
	Jobs  int      `json:"jobs"`
	Names []string `json:"names"` // the first few, as far as they are known

	told int // of Jobs, those that other groups have too, at most
}

// unknownStand is a create without an answer.
type unknownStand struct {
	Plan      string     `json:"plan"`
	Name      string     `json:"name"`
	Attempt   int        `json:"attempt"`
	Reason    string     `json:"reason"`
	SentAt    *time.Time `json:"sent_at,omitempty"`
	SettlesAt *time.Time `json:"settles_at,omitempty"` // by the service's clock
	Due       bool       `json:"due"`                  // that time has come: the next look settles it
}

// jobStand is one job.
type jobStand struct {
	Plan        string      `json:"plan"`
	Name        string      `json:"name"`
	Stand       stand       `json:"stand"`
	Tone        tone        `json:"-"`
	State       plan.State  `json:"state"`
	Region      string      `json:"region"`
	Source      string      `json:"source"`
	Destination string      `json:"destination"`
	JobID       string      `json:"aps_job_id"`
	Attempts    int         `json:"attempts"`
	UpdatedAt   time.Time   `json:"updated_at"`
	Code        string      `json:"code"`
	Reason      string      `json:"reason"`
	WayOut      string      `json:"way_out"`
	Service     *jobListing `json:"service,omitempty"` // nil: not asked, or not listed

	failure plan.Failure // the class of Code
}

// jobListing is what the service's listing says of a job.
type jobListing struct {
	Status     string `json:"status"`
	Progress   string `json:"progress"`
	Delay      int64  `json:"delay"`
	Message    string `json:"message"`
	Duplicates int    `json:"duplicates"`
	// Logs are the last ones of a job that failed, of the first few of those.
	Logs []jsonform.Log `json:"logs,omitempty"`
}
