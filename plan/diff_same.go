package plan

import "fmt"

// causeSame is the cause of what holdSame blocks.
const causeSame = "is for the same as a job that is there"

// holdSame blocks what would have a job load the same as another one that the ledger has
// and that goes on: one that left the plan, and mostly is the same job, renamed without a
// word in the plan, or before the ledger was put back; or one whose own change is blocked.
// One that is on its way out is in no one's way.
func holdSame(changes, left []Change, listings map[string]Listing, o DiffOptions) {
	var stay []*Change // and whom they are in the way of has not been looked for
	for i := range left {
		if left[i].staysLeft() {
			stay = append(stay, &left[i])
		}
	}
	for i := range changes {
		if changes[i].staysBehind(o) {
			stay = append(stay, &changes[i])
		}
	}
	if len(stay) == 0 {
		return
	}
	x := newSameIndex(changes)
	ids := listedIDs(stay, listings)
	for len(stay) > 0 {
		one := stay[0]
		stay = stay[1:]
		for _, held := range x.heldBy(one, o.Left) {
			c := held.Change
			if c == one || c.NoCreate != "" || !sameRegion(one.Entry.Spec.Source.Region, c.Job.Source.Region) {
				continue
			}
			c.bar(causeSame, c.sameReason(one, held.why, ids, o.Commands), o)
			if c.staysBehind(o) {
				stay = append(stay, c) // it does not make room for another one either
			}
		}
	}
}

// sameRegion compares regions that need not be said.
func sameRegion(a, b string) bool { return a == "" || b == "" || a == b }

// becomes returns what the job of c is to load that it does not load yet.
func (c *Change) becomes() (data, bool) {
	switch {
	case c.MayCreate():
		return c.Job.data(), true
	case c.Kind == KindUpdate:
		updated := c.Updated()
		to := updated.data()
		return to, to != c.Entry.Spec.data()
	}
	return data{}, false
}

// staysLeft reports whether the job of a left-over goes on.
func (c *Change) staysLeft() bool {
	switch c.State() {
	case StateCreated:
		return c.Kind != KindDelete && c.Entry.Pending.Operation != OperationDelete
	case StateDuplicate:
		return true
	}
	return false
}

// staysBehind reports whether the job of a wanted one goes on to load what the plan does
// not have it load any more.
func (c *Change) staysBehind(o DiffOptions) bool {
	waits := c.Kind == KindBlocked || c.Kind == KindReplace && !o.Replace
	return waits && c.State() == StateCreated && c.Job.data() != c.Entry.Spec.data()
}

// listedIDs are the ids in the listings of the regions of these jobs; of a region without
// a listing there is nothing.
func listedIDs(of []*Change, listings map[string]Listing) map[string]map[string]bool {
	ids := map[string]map[string]bool{}
	for _, c := range of {
		listing, ok := listings[c.Entry.Region]
		if !ok || ids[c.Entry.Region] != nil {
			continue
		}
		listed := make(map[string]bool, len(listing.Jobs))
		for _, job := range listing.Jobs {
			listed[job.ID] = true
		}
		ids[c.Entry.Region] = listed
	}
	return ids
}

// sameReason says which job is in the way of c, and each way out.
func (c *Change) sameReason(one *Change, why sameWhy, ids map[string]map[string]bool, commands Commands) string {
	e := one.Entry
	const same = "the same source, destination and objects"
	if e.State != StateCreated {
		return fmt.Sprintf("job %s, which left the plan, is for %s and is in state %s: %s settles it", e.Name, same, e.State, commands.Resolve(e.Plan))
	}
	if one.Job != nil {
		return fmt.Sprintf("job %s of this plan %s for %s now (%s), and is not changed to what the plan says before what is in its way is settled",
			one.Name, why.is(), same, e.JobID)
	}
	if listed := ids[e.Region]; listed != nil && !listed[e.JobID] && why.unread == nil {
		return fmt.Sprintf("job %s, as %s, which left the plan, %s for %s, and a complete listing does not show it: one that is new may be listed later; "+
			"check what these credentials may see; if it was deleted, %s", e.JobID, e.Name, why.is(), same, commands.Forget(*e))
	}
	reason := fmt.Sprintf("job %s exists for %s, as %s, which left the plan", e.JobID, same, e.Name)
	switch {
	case why.unread != nil:
		reason = fmt.Sprintf("whether job %s, as %s, which left the plan, is for %s cannot be read (%v); the next run asks again, and of one that is new the service may tell only then",
			e.JobID, e.Name, same, why.unread)
	case why.pending:
		reason = fmt.Sprintf("job %s, as %s, which left the plan, may be for %s (a change to that was sent and has no answer)", e.JobID, e.Name, same)
	}
	var or string
	if c.Entry == nil {
		reason += fmt.Sprintf(": moved: {%s: %s} in the plan makes it the same job", yamlText(e.Name), yamlText(c.Name))
		or = "; if it is another job, and to go,"
	} else {
		or = ": if it is to go,"
	}
	if e.Life.Protect {
		return reason + or + " name it in the plan without protect, and take it out again then"
	}
	return reason + or + " " + commands.Delete(e.JobID) + " deletes it"
}

// AsksOfSame reports whether c is blocked by a job of which a listing may show that it
// is gone.
func (c *Change) AsksOfSame() bool { return c.Kind == KindBlocked && c.Cause == causeSame }
