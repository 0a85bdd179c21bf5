package plan

import "fmt"

// ReasonDeleted is the reason of an absent entry whose job was deleted by us.
const ReasonDeleted = "deleted"

// ByHand returns what has to be done so that jobs are started (KindStart),
// suspended or deleted because a person says so, whatever their plans say: one
// Change per entry, in order, none with a Job. What is so already is kept. What
// must be left alone is blocked: protected jobs are never deleted.
//
// listings are the regions of the entries that may have a job, and commands writes the
// commands that reasons name.
func ByHand(kind Kind, entries []Entry, listings map[string]Listing, commands Commands) []Change {
	listed := make(map[string]RemoteJob)
	for _, listing := range listings {
		for _, job := range listing.Jobs {
			listed[job.ID] = job
		}
	}
	changes := make([]Change, len(entries))
	for i := range entries {
		c := &changes[i]
		*c = Change{Kind: kind, Name: entries[i].Name, Entry: &entries[i]}
		if job, ok := listed[entries[i].JobID]; ok {
			c.Remote = []RemoteJob{job}
		}
		c.byHand(commands)
	}
	return changes
}

// byHand decides about one job that the person wants c.Kind for.
func (c *Change) byHand(commands Commands) {
	switch {
	case c.State().Unresolved():
		c.Kind, c.Reason = KindBlocked, "its create has no answer yet: the next apply or "+commands.Resolve(c.Entry.Plan)+" settles it"
	case c.State().NeedsPerson():
		c.Kind, c.Reason = KindBlocked, personReason(*c.Entry)
	case c.State() != StateCreated && c.Kind == KindDelete:
		c.Kind, c.Reason = KindKeep, "there is no job: "+c.Entry.noJob()
	case c.State() != StateCreated:
		c.Kind, c.Reason = KindBlocked, "there is no job: "+c.Entry.noJob()
	case c.Kind == KindDelete && c.Entry.Life.Protect:
		c.Kind, c.Reason = KindBlocked, "it is protected: its plan says protect: true"
	case c.Kind == KindDelete:
		if len(c.Remote) == 0 {
			c.Reason = "the service does not list it now"
		}
	case c.Entry.Pending.Operation == OperationDelete:
		c.Kind, c.Reason = KindBlocked, "its deletion was sent and has no answer yet"
	default:
		c.putByHand()
	}
}

func (c *Change) putByHand() {
	wanted := c.Puts()
	if len(c.Remote) == 0 {
		c.Reason = "the service does not list it now"
		return
	}
	if is := string(ClassOf(c.Remote[0].Status)) == string(wanted); !is || c.Entry.Pending.unconfirmed(OperationStart, OperationSuspend) {
		return
	}
	c.Reason = fmt.Sprintf("it is %s already", wanted)
	if c.Entry.Doing == "" || c.Entry.Doing == wanted {
		c.Kind = KindKeep
	} else {
		c.Reason += ", which the ledger does not know yet"
	}
}

// noJob says why an entry has no job.
func (e Entry) noJob() string {
	switch {
	case e.State == StateAbsent && e.Reason == ReasonDeleted:
		return "it was deleted"
	case e.State == StateRejected:
		return "its create was refused" + codeSuffix(e.Code)
	case e.State == StateNotSent:
		return "its create was never sent"
	}
	return "its create is proven not to have happened"
}
