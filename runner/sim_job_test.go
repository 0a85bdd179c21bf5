package runner_test

import (
	"time"

	"github.com/apsctl/apsctl/plan"
)

// simJob is one job that was made, or is being made.
type simJob struct {
	id, name, region string
	source, dest     string
	dbList           string // as it was made
	edits            []simEdit
	nonce            string // "" for a job that apsctl did not ask for
	at, listedAt     time.Time
	gone             time.Time // zero while it stays
	deleted          bool      // by us
	behindUs         bool      // changed by others
	pausing          bool      // what suspends it last was not asked for by a plan
}

// simEdit is a change of a job and when it takes effect: of its objects, or of
// what it is doing.
type simEdit struct {
	at             time.Time
	dbList, status string
	pauses         bool // suspended by an update, which is to start it again
}

func (j *simJob) ours() bool                  { return j.nonce != "" }
func (j *simJob) stays(now time.Time) bool    { return j.gone.IsZero() || now.Before(j.gone) }
func (j *simJob) exists(now time.Time) bool   { return !now.Before(j.at) && j.stays(now) }
func (j *simJob) isListed(now time.Time) bool { return !now.Before(j.listedAt) && j.stays(now) }

// take carries a change out at that moment.
func (j *simJob) take(r simRequest, at time.Time) {
	switch r.op {
	case opModify:
		j.edits = append(j.edits, simEdit{at: at, dbList: r.form.Get("DbList")})
	case opStart:
		j.edits = append(j.edits, simEdit{at: at, status: "Running"})
	case opSuspend:
		j.edits = append(j.edits, simEdit{at: at, status: "Suspended", pauses: j.pausing})
	case opDelete:
		if j.gone.IsZero() || at.Before(j.gone) {
			j.gone, j.deleted = at, true
		}
	}
}

// latest is what the last edit before that moment says, as part has it.
func (j *simJob) latest(now time.Time, first string, part func(simEdit) string) string {
	text, latest := first, time.Time{}
	for _, e := range j.edits {
		if part(e) != "" && !e.at.After(now) && !e.at.Before(latest) {
			text, latest = part(e), e.at
		}
	}
	return text
}

func (j *simJob) objects(now time.Time) string {
	return j.latest(now, j.dbList, func(e simEdit) string { return e.dbList })
}

func (j *simJob) status(now time.Time, needsStart bool) string {
	first := "Running"
	if needsStart {
		first = "NotStarted"
	}
	return j.latest(now, first, func(e simEdit) string { return e.status })
}

// isPaused reports whether we suspended it and nothing was done about that
// since.
func (j *simJob) isPaused(now time.Time) bool {
	pauses, latest := false, time.Time{}
	for _, e := range j.edits {
		if e.status != "" && !e.at.After(now) && !e.at.Before(latest) {
			pauses, latest = e.pauses, e.at
		}
	}
	return pauses
}

// doesAs reports whether j synchronises now what spec says.
func (j *simJob) doesAs(spec plan.Spec) bool {
	return j.region == spec.Region && j.source == spec.Source.Instance && j.dest == spec.Destination.Instance &&
		plan.SameJSON(j.objects(time.Now()), spec.DBList)
}

// agrees reports whether j is as spec says. What was edited since is a matter of
// checkObjects.
func (j *simJob) agrees(spec plan.Spec) bool {
	return j.name == spec.Name && j.region == spec.Region && j.source == spec.Source.Instance &&
		j.dest == spec.Destination.Instance && (j.behindUs || j.objects(time.Now()) != j.dbList || plan.SameJSON(j.dbList, spec.DBList))
}
