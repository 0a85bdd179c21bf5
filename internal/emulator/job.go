package emulator

import (
	"crypto/rand"
	"strings"
	"time"
)

// job is one APS job as the state keeps it. Values are never changed in place:
// a change is a new value, so that readers need no lock once they hold one.
// User names and passwords are not in here; the API never returns them.
type job struct {
	ID              string `json:"id"`
	Seq             int64  `json:"seq"` // order of creation
	Account         string `json:"account"`
	Region          string `json:"region"`
	Name            string `json:"name"`
	Source          string `json:"source"`
	SourceRegion    string `json:"source_region"`
	Destination     string `json:"destination"`
	DbList          string `json:"db_list"`
	PartitionList   string `json:"partition_list"`
	TargetTableMode string `json:"target_table_mode,omitempty"`

	// Times are milliseconds since 1970, UTC. Zero means not.
	CreatedMs   int64 `json:"created_ms"`
	ResumedMs   int64 `json:"resumed_ms,omitempty"`   // start of the stretch that runs now
	ActiveMs    int64 `json:"active_ms,omitempty"`    // length of the earlier stretches
	SuspendedMs int64 `json:"suspended_ms,omitempty"` // when it was suspended

	// Failing: its first stretch ends in a failure; see Options.FailShare.
	Failing bool `json:"failing,omitempty"`
}

// place is where a job belongs: nobody sees it from elsewhere.
type place struct{ account, region string }

// identity is a job's natural key. Two live jobs that share one are duplicates.
type identity struct {
	place
	name, source, destination string
}

func (j *job) place() place { return place{j.Account, j.Region} }

func (j *job) identity() identity {
	return identity{j.place(), j.Name, j.Source, j.Destination}
}

func (j *job) created() time.Time { return time.UnixMilli(j.CreatedMs) }
func (j *job) started() bool      { return j.ResumedMs != 0 || j.SuspendedMs != 0 }
func (j *job) suspended() bool    { return j.SuspendedMs != 0 }

// life is how jobs come up; see Options.FirstStatus and Options.Initializing.
type life struct {
	first        string
	initializing time.Duration
}

// phase is what a listing tells about a job at one moment.
type phase struct {
	status, sub string
	progress    int   // percent
	delay       int64 // seconds behind the source
	message     string
}

// What a failed job shows. The words are plausible, not documented.
const (
	failedProgress = 42
	failedMessage  = "The table orders.items has no primary key."
)

// active is how long the job has been at work.
func (j *job) active(now time.Time) time.Duration {
	active := time.Duration(j.ActiveMs) * time.Millisecond
	if j.ResumedMs != 0 {
		active += max(0, now.Sub(time.UnixMilli(j.ResumedMs)))
	}
	return active
}

// failed tells whether the job stands still since its initialising went wrong.
func (j *job) failed(now time.Time, l life) bool {
	return j.Failing && j.started() && !j.suspended() && j.active(now) >= l.initializing
}

// phaseAt is a pure function of the job's times and now; nothing runs in the
// background. Status words are plausible, not documented (section 5).
func (j *job) phaseAt(now time.Time, l life) phase {
	active := j.active(now)
	progress := 100
	if active < l.initializing {
		progress = int(100 * active / l.initializing)
	}
	switch {
	case j.suspended():
		behind := int64(max(0, now.Sub(time.UnixMilli(j.SuspendedMs))) / time.Second)
		return phase{"Suspended", "-", progress, behind, "OK"}
	case !j.started():
		first := l.first
		if first == "" {
			first = "NotStarted"
		}
		return phase{first, "-", 0, 0, "OK"}
	case progress < 100:
		first := l.first
		if first == "" {
			first = "Initializing"
		}
		return phase{first, "FullDataSync", progress, 0, "OK"}
	case j.failed(now, l):
		return phase{"InitializeFailed", "FullDataSync", failedProgress, 0, failedMessage}
	}
	return phase{"Running", "IncrementalSync", 100, (now.Unix() + j.Seq) % 3, "OK"}
}

// resume and suspend return the job after the change. One that failed and is
// started again comes up: whoever starts it has mended the cause.
func (j *job) resume(now time.Time, l life) *job {
	next := *j
	next.Failing = j.Failing && !j.failed(now, l)
	next.ResumedMs, next.SuspendedMs = now.UnixMilli(), 0
	return &next
}

func (j *job) suspend(now time.Time) *job {
	next := *j
	if j.ResumedMs != 0 {
		next.ActiveMs += max(0, now.UnixMilli()-j.ResumedMs)
	}
	next.ResumedMs, next.SuspendedMs = 0, now.UnixMilli()
	return &next
}

// newJobID returns an id in the shape of the documented samples: aps-, the
// initials of the region, random letters. Its order tells nothing.
func newJobID(region string) string {
	var initials strings.Builder
	for part := range strings.SplitSeq(region, "-") {
		initials.WriteString(part[:1])
	}
	return "aps-" + initials.String() + strings.ToLower(rand.Text()[:16])
}
