package plan

import (
	"fmt"
	"strings"
)

// DiffOptions are the choices that change what a difference means.
type DiffOptions struct {
	// Adopt takes over a job that the service already has under a wanted name,
	// where it agrees with the plan. Off, such a job blocks, unless the plan says
	// adopt of it.
	Adopt bool
	// Delete removes the jobs that left the plan also where the plan did not say
	// on_remove: delete of them.
	Delete bool
	// Replace deletes and creates again what differs in what cannot be changed in place.
	Replace bool
	// Seen is what the service shows of jobs that the ledger has as created, by id. A
	// job that is not in it is taken on the ledger's word.
	Seen map[string]Seen
	// Owners are the entries of all plans that have a job, by its id. What belongs
	// to one entry is never taken over by another.
	Owners map[string]Entry
	// Left is what the service tells of the jobs of InTheWay, by id. One that is not in it
	// is taken on the ledger's word.
	Left map[string]Shown
	// Commands writes the commands that reasons name.
	Commands Commands
}

// Diff compares the wanted jobs with the ledger and, for the regions found in
// listings, with the service. It returns one Change per job of p, in plan
// order, then one per left-over, by name. It does no I/O and reads no clock:
// equal input gives equal output.
//
// A region without a listing is taken on the ledger's word, which is enough to
// show what is to be done but not to send a create.
func Diff(p *Plan, ledger Snapshot, listings map[string]Listing, o DiffOptions) []Change {
	changes := make([]Change, 0, len(p.Jobs))
	wanted := make(map[string]bool, len(p.Jobs))
	indexed := make(map[string]nameIndex, len(listings))
	for region, listing := range listings {
		indexed[region] = indexByName(listing)
	}
	moves := Moves(p, ledger)
	for i := range p.Jobs {
		job := &p.Jobs[i]
		wanted[job.Name] = true
		var entry *Entry
		if e, ok := ledger.Entries[job.Name]; ok {
			entry = &e
		} else if e, ok := moves[job.Name]; ok {
			wanted[e.Name] = true
			entry = &e
		}
		_, listed := indexed[job.Region]
		changes = append(changes, diffJob(job, entry, indexed[job.Region][job.Name], listed, o))
	}
	left := leftOvers(ledger, wanted, o)
	holdRenames(changes, left)
	holdMoved(changes, p, ledger, indexed, o)
	holdElsewhere(changes, ledger.Elsewhere, o.Commands)
	holdSame(changes, left, listings, o)
	return append(changes, left...)
}

// Moves are the entries that the plan gives a new name, by that name. One whose
// create has no answer yet keeps its name until it is settled, since it is looked
// for by it.
func Moves(p *Plan, ledger Snapshot) map[string]Entry {
	moves := map[string]Entry{}
	for old, now := range p.Moved {
		entry, ok := ledger.Entries[old]
		_, taken := ledger.Entries[now]
		if ok && !taken && entry.Renamable() {
			moves[now] = entry
		}
	}
	return moves
}

// nameIndex finds the listed jobs of one name without a walk per job.
type nameIndex map[string][]RemoteJob

func indexByName(listing Listing) nameIndex {
	index := make(nameIndex, len(listing.Jobs))
	for _, remote := range listing.Jobs {
		index[remote.Name] = append(index[remote.Name], remote)
	}
	return index
}

// diffJob compares one job. remote are the jobs of its name where its region is
// listed.
func diffJob(job *Job, entry *Entry, remote []RemoteJob, listed bool, o DiffOptions) Change {
	c := Change{Name: job.Name, Job: job, Entry: entry, Remote: remote, Seen: o.seen(entry)}
	switch state := c.State(); {
	case state.Unresolved():
		c.Kind, c.Reason = KindResolve, "a create was sent and its outcome is not known yet"
		c.Cause = "a create without an answer"
	case state.NeedsPerson():
		c.Kind, c.Reason, c.Cause = KindBlocked, personReason(*entry), string(state)
	case state == StateCreated && entry.Pending.Operation == OperationDelete:
		c.Kind, c.Reason = KindResolve, "its deletion was sent and has no answer yet"
		c.Cause = "a deletion without an answer"
	case state == StateCreated:
		diffCreated(&c, o)
	case job.Adopt.ID != "":
		diffPinned(&c, listed, o)
	default:
		diffMissing(&c, o)
	}
	return c
}

// seen is what the service shows of the job of an entry, nil where nobody asked.
func (o DiffOptions) seen(entry *Entry) *Seen {
	if entry == nil || entry.State != StateCreated {
		return nil
	}
	if seen, ok := o.Seen[entry.JobID]; ok {
		return &seen
	}
	return nil
}

func personReason(entry Entry) string {
	switch entry.State {
	case StateDuplicate:
		return fmt.Sprintf("several jobs may be this one (%s)", strings.Join(entry.Candidates, ", "))
	case StateLost:
		return fmt.Sprintf("job %s was created and is gone from the service", entry.JobID)
	}
	reason := entry.Reason
	if reason == "" {
		reason = "a job of this name is not as the attempt said"
	}
	return reason
}
