package plan

import "maps"

// diffState decides whether a job that is otherwise as it should be has to be
// started or suspended. What the service lists counts before what it was last put
// to.
func diffState(c *Change) {
	wanted := c.Puts()
	if wanted == "" {
		return
	}
	doing := c.Doing()
	switch {
	case wanted == Running && c.Paused():
		c.Kind, c.Reason, c.Cause = KindStart, "apsctl suspended it, and it is to run again", "to run again"
	case doing == wanted && !c.Entry.Pending.unconfirmed(OperationStart, OperationSuspend):
	case wanted == Running:
		c.Kind, c.Reason, c.Cause = KindStart, "the plan wants it running", "to run"
	default:
		c.Kind, c.Reason, c.Cause = KindSuspend, "the plan wants it suspended", "to stand still"
	}
	if c.IsChange() && c.Entry.Doing == wanted && c.Seen != nil && c.Seen.Job != nil {
		c.Reason = "changed outside apsctl: " + c.putOtherwise()
	}
}

// Doing is what the job does as far as it is listed, and else what it was last put
// to. A job that was never started stands still.
func (c *Change) Doing() DesiredState {
	if c.Entry.Doing == Paused {
		return Paused // whatever is listed: it is to be recorded, too, that it runs again
	}
	listed := c.Remote
	if c.Seen != nil && c.Seen.Job != nil {
		listed = []RemoteJob{*c.Seen.Job}
	}
	for _, remote := range listed {
		if remote.ID != c.Entry.JobID {
			continue
		}
		if stands := Stands(remote.Status); stands == Running || stands != "" && (c.Seen != nil || !NotStarted(remote.Status)) {
			return stands
		}
	}
	return c.Entry.Doing
}

// Stands is what a status word says that a job does, "" where it says neither.
func Stands(status string) DesiredState {
	switch class := ClassOf(status); {
	case class == ClassRunning:
		return Running
	case class == ClassSuspended, NotStarted(status):
		return Suspended
	}
	return ""
}

// Notes are what the ledger should know of existing jobs that it does not yet: the
// parts of a plan that no request carries. What a change will record by itself is
// not among them.
func Notes(changes []Change) map[string]Note {
	notes := map[string]Note{}
	for _, c := range changes {
		if c.Kind != KindKeep && c.Kind != KindStart && c.Kind != KindSuspend || c.Job == nil {
			continue
		}
		if c.Job.Life.Kept() != c.Entry.Life.Kept() || !maps.Equal(c.Job.Labels, c.Entry.Labels) {
			notes[c.Name] = Note{c.Job.Life, c.Job.Labels}
		}
	}
	return notes
}
