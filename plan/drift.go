package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// DriftKind says in what a job is not as it was left, or what there is to note.
type DriftKind string

// What counts as drift, in the order in which it is shown.
const (
	DriftMissing   DriftKind = "missing"   // the service does not have it any more
	DriftDuplicate DriftKind = "duplicate" // it has it more than once
	DriftFailed    DriftKind = "failed"    // its status says so
	DriftChanged   DriftKind = "changed"   // it was changed outside apsctl
	DriftState     DriftKind = "state"     // it runs or stands still, and should not
)

// What is only noted.
const (
	NoteUnsettled DriftKind = "unsettled" // a create has no answer yet, or is in conflict
	NoteNew       DriftKind = "new"       // it is not listed yet
	NoteFollowed  DriftKind = "followed"  // it was changed outside apsctl, to what the plan wants
	NoteUnplanned DriftKind = "unplanned" // a job that no plan knows, under a wanted name or from and to the same instances
)

var driftOrder = []DriftKind{
	DriftMissing, DriftDuplicate, DriftFailed, DriftChanged, DriftState, NoteUnsettled, NoteNew, NoteFollowed, NoteUnplanned,
}

// Drift is one thing about one job.
type Drift struct {
	Kind         DriftKind
	Name, Region string
	JobID        string // "" where there is none or more than one
	Status       string // as it is listed
	Text         string // one line
	Fields       []FieldChange
	// SeenAt is when it was seen, for what was not looked at again; else zero.
	SeenAt time.Time
}

// Drifts is what the service shows otherwise than plan and ledger.
type Drifts struct {
	Drifts, Notes []Drift // by kind, then in plan order
	// Jobs are those that the ledger has as created, Compared those whose details
	// were read, and Busy those of which a create or change is under way or has no answer yet:
	// they were not judged.
	Jobs, Compared, Busy int
	// Waiting are the changes of the plan that no run has carried out yet.
	Waiting int
}

// FindDrift holds what was seen against plan and ledger. changes are those of a look;
// owners are the entries of all plans that have a job in the listed regions, by its id.
func FindDrift(changes []Change, listings map[string]Listing, owners map[string]Entry) Drifts {
	var d Drifts
	for _, c := range changes {
		d.add(c)
	}
	d.unplanned(changes, listings, owners)
	byKind := func(a, b Drift) int {
		return cmp.Compare(slices.Index(driftOrder, a.Kind), slices.Index(driftOrder, b.Kind))
	}
	slices.SortStableFunc(d.Drifts, byKind)
	slices.SortStableFunc(d.Notes, byKind)
	return d
}

func (d *Drifts) drift(c Change, kind DriftKind, text string, args ...any) *Drift {
	d.Drifts = append(d.Drifts, c.says(kind, text, args...))
	return &d.Drifts[len(d.Drifts)-1]
}

func (d *Drifts) note(c Change, kind DriftKind, text string, args ...any) {
	d.Notes = append(d.Notes, c.says(kind, text, args...))
}

func (c Change) says(kind DriftKind, text string, args ...any) Drift {
	one := Drift{Kind: kind, Name: c.Name, Region: c.Region(), Text: fmt.Sprintf(text, args...)}
	if c.Entry != nil {
		one.Region, one.JobID = c.Entry.Region, c.Entry.JobID
	}
	if c.Seen != nil && c.Seen.Job != nil {
		one.Status = c.Seen.Job.Status
	}
	return one
}

// add judges one job by its state, and one that is created by what was seen.
func (d *Drifts) add(c Change) {
	switch state := c.State(); state {
	case StateLost:
		d.drift(c, DriftMissing, "it was created and is gone from the service")
	case StateDuplicate:
		d.drift(c, DriftDuplicate, "several jobs may be this one (%s)", strings.Join(c.Entry.Candidates, ", "))
	case StateConflict:
		d.note(c, NoteUnsettled, "%s", personReason(*c.Entry))
	case StateIntent, StateUnknown:
		d.note(c, NoteUnsettled, "a create was sent and its outcome is not known yet")
	case StateCreated:
		d.Jobs++
		if c.Seen == nil {
			d.Busy++
		} else {
			d.created(c)
		}
	}
	if c.IsChange() && c.Kind != KindBlocked && c.Kind != KindResolve && !c.drifted() {
		d.Waiting++
	}
}

// drifted reports whether a change is due to what was done outside apsctl.
func (c Change) drifted() bool {
	return c.Seen != nil && (len(c.outside()) > 0 || (c.Kind == KindStart || c.Kind == KindSuspend) && c.putOtherwise() != "")
}

// created judges a job by how it is listed and, if they were read, by its details.
func (d *Drifts) created(c Change) {
	if c.Seen.Job == nil {
		if c.Seen.New {
			d.note(c, NoteNew, "it was created a short time ago and is not listed yet")
			return
		}
		d.drift(c, DriftMissing, "a complete listing does not show it, and nothing proves that it is gone: check what these credentials may see")
		return
	}
	if job := c.Seen.Job; ClassOf(job.Status) == ClassFailed {
		d.drift(c, DriftFailed, "%s", failedText(*job))
	}
	if c.Seen.Detail != nil {
		d.Compared++
	}
	d.changed(c)
	if is := c.putOtherwise(); is != "" {
		d.drift(c, DriftState, "%s", is)
	}
}

func failedText(job RemoteJob) string {
	text := "its status is " + job.Status
	if job.SubStatus != "" && job.SubStatus != "-" {
		text += " (" + job.SubStatus + ")"
	}
	if job.ErrorMessage != "" && !strings.EqualFold(job.ErrorMessage, "OK") {
		text += ": " + job.ErrorMessage
	}
	return text
}

// changed tells what the service has otherwise than the ledger. What an earlier
// comparison found counts until the details are read again.
func (d *Drifts) changed(c Change) {
	var odd, followed []FieldChange
	for _, f := range c.outside() {
		if f.Differs == PartyLedger {
			followed = append(followed, f)
		} else {
			odd = append(odd, f)
		}
	}
	switch {
	case len(odd) > 0:
		d.drift(c, DriftChanged, "%s changed outside apsctl", fieldNames(odd)).Fields = odd
	case len(followed) > 0:
		d.note(c, NoteFollowed, "%s changed outside apsctl, to what the plan wants", fieldNames(followed))
	case c.Seen.Detail == nil && c.Entry.Differed != "":
		d.drift(c, DriftChanged, "%s changed outside apsctl, when it was last compared",
			strings.ReplaceAll(c.Entry.Differed, ",", ", ")).SeenAt = c.Entry.ComparedAt
	}
}

// putOtherwise says how a listed job runs or stands still other than the plan says
// or, where that says nothing, other than it was last put to. It is "" when all is
// well, and when the plan changed and no run has followed yet.
func (c Change) putOtherwise() string {
	is, wanted, put := Stands(c.Seen.Job.Status), c.Puts(), c.Entry.Doing
	wants := "the plan wants it " + string(wanted)
	if put == Paused && is == Suspended && c.Paused() {
		return "its status is " + c.Seen.Job.Status + ": apsctl suspended it, and the next apply starts it again"
	}
	if wanted == "" {
		wanted, wants = put.aim(), "it was put to "+string(put.aim())
	}
	if is == "" || wanted == "" || is == wanted || is == put.aim() {
		return ""
	}
	return fmt.Sprintf("its status is %s, and %s", c.Seen.Job.Status, wants)
}

// unplanned notes listed jobs that no plan knows and that have a wanted name, or the
// source and destination of a wanted job.
func (d *Drifts) unplanned(changes []Change, listings map[string]Listing, owners map[string]Entry) {
	known, named, pairs := map[string]bool{}, map[[2]string]bool{}, map[[3]string]string{}
	for id := range owners {
		known[id] = true
	}
	for _, c := range changes {
		if c.Entry != nil {
			known[c.Entry.JobID] = true
			for _, id := range c.Entry.Candidates {
				known[id] = true
			}
		}
		spec := c.Spec()
		named[[2]string{c.Region(), c.Name}] = true
		pairs[[3]string{c.Region(), spec.Source.Instance, spec.Destination.Instance}] = c.Name
	}
	for _, region := range slices.Sorted(maps.Keys(listings)) {
		for _, job := range listings[region].Jobs {
			like, same := pairs[[3]string{region, job.SourceInstance, job.DestinationInstance}]
			if known[job.ID] || !same && !named[[2]string{region, job.Name}] {
				continue
			}
			one := Drift{Kind: NoteUnplanned, Name: job.Name, Region: region, JobID: job.ID, Status: job.Status}
			if one.Text = "no plan of this ledger knows it, and it has the name of a job of the plan"; same {
				one.Text = fmt.Sprintf("no plan of this ledger knows it, and it goes from %s to %s as %s does", job.SourceInstance, job.DestinationInstance, like)
			}
			d.Notes = append(d.Notes, one)
		}
	}
}
