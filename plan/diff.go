package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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
	// Seen is what the service shows of jobs that the ledger has as created, by id. A
	// job that is not in it is taken on the ledger's word.
	Seen map[string]Seen
	// Owners are the entries of all plans that have a job, by its id. What belongs
	// to one entry is never taken over by another.
	Owners map[string]Entry
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
	holdElsewhere(changes, ledger.Elsewhere)
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

// holdRenames blocks creates of what an unresolved left-over synchronises: the
// job was probably renamed, and both may come to exist. Once the left-over is
// settled, the create is free.
func holdRenames(changes, left []Change) {
	unresolved := map[[4]string]string{} // what is synchronised → name
	for _, c := range left {
		if c.State().Unresolved() {
			unresolved[c.Entry.Spec.work()] = c.Name
		}
	}
	if len(unresolved) == 0 {
		return
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind != KindCreate {
			continue
		}
		if name, ok := unresolved[c.Job.work()]; ok {
			c.Kind, c.Cause = KindBlocked, "may be a job that left the plan"
			c.Reason = fmt.Sprintf("job %s, which left the plan, synchronises the same and its create has no answer yet: it is created once that is settled", name)
		}
	}
}

// holdElsewhere blocks creates of what an open entry of another plan may already
// be: the plan was probably given another name.
func holdElsewhere(changes []Change, elsewhere []Entry) {
	if len(elsewhere) == 0 {
		return
	}
	named, working := map[[2]string]Entry{}, map[[4]string]Entry{}
	for _, e := range elsewhere {
		named[[2]string{e.Region, e.Spec.Name}] = e
		if e.State.Unresolved() {
			working[e.Spec.work()] = e
		}
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind != KindCreate && c.Kind != KindAdopt {
			continue
		}
		e, ok := named[[2]string{c.Job.Region, c.Name}]
		if !ok && c.Kind == KindCreate {
			e, ok = working[c.Job.work()]
		}
		if ok {
			c.Kind, c.Cause = KindBlocked, "may be a job of another plan"
			c.Reason = fmt.Sprintf("job %s of plan %s may be the same and is %s: apsctl resolve settles it; "+
				"if the plan was renamed, name it %[2]s again until then", e.Name, e.Plan, e.State)
		}
	}
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
		diffCreated(&c)
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

// diffMissing decides about a job that, by the ledger, the service lacks.
func diffMissing(c *Change, o DiffOptions) {
	switch {
	case len(c.Remote) == 0:
		c.Kind, c.Reason = KindCreate, missingReason(c.Entry)
		c.Cause = cmp.Or(c.Reason, "new")
	case c.owned(c.Remote, o):
	case len(c.Remote) > 1:
		c.Kind, c.Cause = KindBlocked, "several jobs of the name exist"
		c.Reason = fmt.Sprintf("%d jobs of this name exist already (%s): rename or delete the surplus ones", len(c.Remote), remoteIDs(c.Remote))
	case c.Job.Adopt.Never:
		c.Kind, c.Cause = KindBlocked, "a job of the name exists, and adopt: false"
		c.Reason = fmt.Sprintf("a job of this name exists already (%s) and the plan says adopt: false: rename one of the two", c.Remote[0].ID)
	case !o.Adopt && !c.Job.Adopt.Any:
		c.Kind, c.Cause = KindBlocked, "a job of the name exists, and the ledger does not know it"
		c.Reason = fmt.Sprintf("a job of this name exists already (%s) and the ledger does not know it: apply --adopt takes it over if it agrees with the plan", c.Remote[0].ID)
	default:
		diffAdopted(c)
	}
}

// owned blocks c, which by the ledger has no job, if another entry has one of
// jobs, and reports whether it did.
func (c *Change) owned(jobs []RemoteJob, o DiffOptions) bool {
	for _, job := range jobs {
		if owner, ok := o.Owners[job.ID]; ok {
			c.Kind, c.Reason = KindBlocked, fmt.Sprintf("job %s has this name and %s", job.ID, owner.Owns())
			c.Cause = "another entry has the job of the name"
			return true
		}
	}
	return false
}

// Owns says of a job that e has it, and what to do when another entry wants it.
func (e Entry) Owns() string {
	return fmt.Sprintf("is job %s of plan %s by this ledger: rename one of the two; or if it is that no longer, "+
		"apsctl ledger forget %[1]s --plan %[2]s --reason WHY, and then apply --adopt", e.Name, e.Plan)
}

// diffAdopted decides about the one job that is to be taken over.
func diffAdopted(c *Change) {
	if differs := DisagreeListed(c.Job.Spec, c.Remote[0]); len(differs) > 0 {
		c.Kind, c.Cause = KindBlocked, "a job of the name exists, and is not as the plan says"
		c.Reason = fmt.Sprintf("job %s has this name but %s: rename one of the two", c.Remote[0].ID, strings.Join(differs, ", "))
		return
	}
	c.Kind, c.Reason = KindAdopt, fmt.Sprintf("job %s exists and is not in the ledger", c.Remote[0].ID)
	c.Cause = "it exists"
}

// diffPinned decides about a job whose id the plan names: it is that one or none.
func diffPinned(c *Change, listed bool, o DiffOptions) {
	id := c.Job.Adopt.ID
	i := slices.IndexFunc(c.Remote, func(r RemoteJob) bool { return r.ID == id })
	switch {
	case !listed:
		c.Kind, c.Reason = KindAdopt, fmt.Sprintf("the plan says that it is job %s", id)
		c.Cause = "the plan says that it exists"
	case i < 0:
		c.Kind, c.Cause = KindBlocked, "the job to adopt is not listed"
		c.Reason = fmt.Sprintf("the plan says that it is job %s, and the service lists no such job under this name: correct adopt, or remove it to have the job created", id)
	case c.owned(c.Remote[i:i+1], o):
	default:
		c.Remote = slices.Concat(c.Remote[i:i+1], c.Remote[:i], c.Remote[i+1:])
		diffAdopted(c)
	}
}

// missingReason says why a job that was tried before is to be created.
func missingReason(entry *Entry) string {
	if entry == nil {
		return ""
	}
	switch entry.State {
	case StateRejected:
		return "the last attempt was refused" + codeSuffix(entry.Code)
	case StateNotSent:
		return "the last attempt was never sent"
	case StateAbsent:
		if entry.Reason == ReasonDeleted {
			return "it was deleted"
		}
		return "the last attempt is proven not to have happened"
	}
	return ""
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

func codeSuffix(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

// diffCreated decides about a job that exists by the ledger.
func diffCreated(c *Change) {
	pending := c.Entry.Pending.unconfirmed(OperationModify)
	versions := diffVersions(c.Entry.Life, c.Job.Life)
	if c.Entry.Digest == c.Job.Digest && !pending && len(versions) == 0 && c.Seen == nil {
		c.Kind = KindKeep
		diffState(c)
		return
	}
	c.Fields = slices.DeleteFunc(append(diffFields(c.Entry.Spec, c.Job.Spec, c.Seen), versions...), func(f FieldChange) bool { return c.Job.Ignore.Has(f.Field) })
	c.Kind, c.Cause = KindUpdate, "differs in "+fieldNames(c.Fields)
	for _, f := range c.Fields {
		if f.Effect != EffectInPlace && f.Effect != EffectRecord {
			c.Kind = KindReplace
		}
	}
	switch {
	case c.Seen.unlisted():
		diffUnlisted(c)
	case c.Kind == KindReplace && !c.Job.Protect && !c.Entry.Life.Protect:
		c.Reason = fmt.Sprintf("it differs in %s, which only deleting and creating it again changes: a full re-sync; apply --allow replace does that", fieldNames(c.Fields))
	case pending && c.Kind == KindUpdate:
		// It may be as it was, as that change would have it, or neither.
		c.Reason = "a change of its objects was sent and is not confirmed"
		c.Cause = "a change that is not confirmed"
	case c.Kind == KindReplace && (c.Job.Protect || c.Entry.Life.Protect):
		c.Kind, c.Cause = KindBlocked, "protected, and "+c.Cause
		c.Reason = fmt.Sprintf("it differs in %s, which only deleting and creating it again changes, and it is protected", fieldNames(c.Fields))
	case len(c.Fields) > 0:
		if c.Reason = outsideReason(c.Fields); c.Reason != "" {
			c.Cause = c.Reason // it names fields only
		}
	default:
		// Only ignored fields differ, or none: the canonical form changed between
		// two versions of apsctl. The job is as the plan wants it.
		c.Kind, c.Cause = KindKeep, ""
		diffState(c)
	}
}

// diffUnlisted decides about a created job that a complete listing does not show,
// without a proof that it is gone.
func diffUnlisted(c *Change) {
	if c.Seen.New {
		c.Kind, c.Reason, c.Cause = KindKeep, "it is new, and not listed yet", ""
		return
	}
	c.Kind, c.Cause = KindBlocked, "a complete listing does not show it"
	c.Reason = fmt.Sprintf("a complete listing does not show job %s, and nothing proves that it is gone: check what these credentials may see; "+
		"if it was deleted, apsctl ledger forget %s --plan %s --reason WHY", c.Entry.JobID, c.Entry.Name, c.Entry.Plan)
}

func (s *Seen) unlisted() bool { return s != nil && s.Job == nil }

// outsideReason says of an update what was changed outside apsctl, "" for nothing.
func outsideReason(fields []FieldChange) string {
	var back, same []FieldChange
	for _, f := range fields {
		switch {
		case f.Differs == PartyLedger:
			same = append(same, f)
		case f.Differs.Outside():
			back = append(back, f)
		}
	}
	switch {
	case len(back) > 0:
		return "changed outside apsctl: " + fieldNames(back)
	case len(same) == len(fields):
		return "changed outside apsctl to what the plan wants: only the ledger is brought up to date"
	}
	return ""
}

// fieldNames lists fields for a reason.
func fieldNames(fields []FieldChange) string { return fieldNamesBy(fields, ", ") }

func fieldNamesBy(fields []FieldChange, separator string) string {
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Field
	}
	return strings.Join(names, separator)
}

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
	case wanted == Running && c.paused():
		c.Kind, c.Reason, c.Cause = KindStart, "an update suspended it, and it is to run again", "to run again"
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
	if c.paused() {
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

// diffVersions lists the passwords that are another version by now. One whose
// version nobody said before is no change.
func diffVersions(old, new Life) []FieldChange {
	var fields []FieldChange
	for _, v := range []struct{ field, was, is string }{
		{"source.password_version", old.SourcePasswordVersion, new.SourcePasswordVersion},
		{"destination.password_version", old.DestinationPasswordVersion, new.DestinationPasswordVersion},
	} {
		if v.was != "" && v.is != "" && v.was != v.is {
			fields = append(fields, FieldChange{Field: v.field, Old: v.was, New: v.is, Effect: EffectBlind, Ledger: v.was})
		}
	}
	return fields
}

// leftOvers are the jobs that left the plan, as far as they exist or may.
func leftOvers(ledger Snapshot, wanted map[string]bool, o DiffOptions) []Change {
	var left []Change
	for name, entry := range ledger.Entries {
		if wanted[name] {
			continue
		}
		if !entry.State.Unresolved() && !entry.State.NeedsPerson() && entry.State != StateCreated {
			continue // there is nothing to be left over
		}
		left = append(left, diffLeftOver(name, &entry, o))
	}
	slices.SortFunc(left, func(a, b Change) int { return strings.Compare(a.Name, b.Name) })
	return left
}

// diffLeftOver decides about one job that left the plan.
func diffLeftOver(name string, entry *Entry, o DiffOptions) Change {
	c := Change{Kind: KindLeftOver, Name: name, Entry: entry, Reason: "no longer in the plan; left as it is", Cause: "left the plan", Seen: o.seen(entry)}
	c.Fields = diffFields(entry.Spec, entry.Spec, c.Seen)
	switch {
	case entry.State.Unresolved():
		c.Reason = "no longer in the plan, and a create was sent for it whose outcome is not known yet"
		c.Cause = "left the plan with a create without an answer"
	case entry.State != StateCreated:
	case (entry.Life.OnRemove == OnRemoveDelete || o.Delete) && entry.Life.Protect:
		c.Reason = "no longer in the plan; protected, so it is left as it is"
		c.Cause = "left the plan, and is protected"
	case entry.Life.OnRemove == OnRemoveDelete:
		c.Kind, c.Reason = KindDelete, "no longer in the plan, which said on_remove: delete"
	case o.Delete:
		c.Kind, c.Reason = KindDelete, "no longer in the plan"
	case entry.Pending.Operation == OperationDelete:
		c.Reason = "no longer in the plan; its deletion was sent and is not confirmed"
		c.Cause = "left the plan with a deletion without an answer"
	case c.paused() && c.Puts() == Running:
		c.Kind, c.Reason, c.Cause = KindStart, "no longer in the plan; an update suspended it, and it is to run again", "to run again"
	case c.Puts() != "" && (c.Doing() != c.Puts() || entry.Pending.unconfirmed(OperationSuspend)):
		c.Kind, c.Reason = KindSuspend, "no longer in the plan, which said on_remove: suspend"
	}
	return c
}

func remoteIDs(jobs []RemoteJob) string {
	ids := make([]string, len(jobs))
	for i, job := range jobs {
		ids[i] = job.ID
	}
	return strings.Join(ids, ", ")
}
