package plan

import "slices"

// Kind says what one job needs.
type Kind string

const (
	KindCreate  Kind = "create"  // the service lacks it: send CreateAPSJob
	KindAdopt   Kind = "adopt"   // the service has it, the ledger does not, and adoption was asked for
	KindUpdate  Kind = "update"  // it exists and differs in what ModifyApsJob can change
	KindReplace Kind = "replace" // it exists and differs in what only delete and create can change
	KindDelete  Kind = "delete"  // it left the plan, and is to go
	KindStart   Kind = "start"   // it exists and is to run
	KindSuspend Kind = "suspend" // it exists and is to stand still
	KindKeep    Kind = "keep"    // it exists as the plan says
	KindResolve Kind = "resolve" // a create was sent and its outcome is not known
	KindBlocked Kind = "blocked" // nothing is sent: something else has to be settled first, not always by a person
	// KindLeftOver is a job that the ledger has and the plan no longer lists.
	// It is reported and left alone.
	KindLeftOver Kind = "left-over"
)

// Kinds lists the kinds in the order in which summaries show them.
var Kinds = []Kind{
	KindCreate, KindAdopt, KindUpdate, KindReplace, KindDelete, KindStart, KindSuspend, KindResolve, KindBlocked,
	KindLeftOver, KindKeep,
}

// Change is what one job needs, and why.
type Change struct {
	Kind Kind
	Name string
	// Job is the job as the plan wants it; nil for one that left the plan.
	Job *Job
	// Entry is the job's row in the ledger; nil when there is none.
	Entry *Entry
	// Remote are the jobs that the service lists under this name, the one to adopt
	// first; or the one to adopt under another name. It is empty when the service was
	// not asked.
	Remote []RemoteJob
	// Seen is what the service shows of the entry's job; nil when nobody asked.
	Seen *Seen
	// Fields are the differences of an update or replace, in fixed order, and those of
	// a job that left the plan from what the ledger has of it.
	Fields []FieldChange
	// Reason says in one line why the change is needed, "" for the usual one.
	Reason string
	// Cause is Reason in a few words without names and ids: changes of one kind that
	// are needed for like reasons have the same.
	Cause string
	// NoCreate says why no create is sent should it come to one, "" where nothing is in
	// the way.
	NoCreate string
}

// Attempt is the number of create requests sent for the job so far.
func (c Change) Attempt() int {
	if c.Entry == nil {
		return 0
	}
	return c.Entry.Attempt
}

// State is the job's state in the ledger.
func (c Change) State() State {
	if c.Entry == nil {
		return StateNone
	}
	return c.Entry.State
}

// Region is where the job lives, or is to live.
func (c Change) Region() string {
	if c.Job != nil {
		return c.Job.Region
	}
	return c.Entry.Region
}

// Updated is what the job is to be after an update in place: as the plan wants
// it, but for objects whose differences it ignores, which stay as they are, and for the
// name, which the service keeps.
func (c Change) Updated() Spec {
	spec := c.Job.Spec
	spec.Name = c.Entry.Spec.Name
	has := c.Seen.shows(c.Entry.Spec, spec)
	if c.Job.Ignore.Has("db_list") {
		spec.DBList = has.DBList
	}
	if c.Job.Ignore.Has("partition_list") {
		spec.PartitionList = has.PartitionList
	}
	return spec
}

// OnlyRecorded reports whether the service was seen to have everything as the plan
// wants it already.
func (c Change) OnlyRecorded() bool {
	return len(c.Fields) > 0 && !slices.ContainsFunc(c.Fields, func(f FieldChange) bool { return f.Effect != EffectRecord })
}

// Puts is what an existing job is to be put to after whatever else it needs: "" for
// nothing.
func (c Change) Puts() DesiredState {
	switch {
	case c.Kind == KindStart:
		return Running
	case c.Kind == KindSuspend:
		return Suspended
	case c.said() != "":
		return c.said()
	case c.Paused() && c.Kind != KindReplace: // that is another job then
		return Running
	}
	return ""
}

// said is what the plan says of the state, or said when the job left it.
func (c Change) said() DesiredState {
	switch {
	case c.Job != nil:
		return c.Job.State
	case c.Entry.Life.OnRemove == OnRemoveSuspend:
		return Suspended
	}
	return ""
}

// Paused reports whether apsctl suspended the job to change or delete it, and it is to run
// again, whatever else it needs.
func (c Change) Paused() bool {
	return c.Entry != nil && c.Entry.State == StateCreated && c.Entry.Doing == Paused && c.said() != Suspended
}

// Adopted is what the ledger is to have of a job that is taken over, and its digest: what
// the plan wants, but for the name, which the service keeps.
func (c Change) Adopted() (Spec, string) {
	spec := c.Job.Spec
	if c.Remote[0].Name == spec.Name {
		return spec, c.Job.Digest
	}
	spec.Name = c.Remote[0].Name
	return spec, HashSpec(spec)
}

// Spec is what the plan wants, or for a left-over what the ledger has.
func (c Change) Spec() Spec {
	if c.Job != nil {
		return c.Job.Spec
	}
	return c.Entry.Spec
}

// IsChange reports whether the change is more than a note that all is well.
func (c Change) IsChange() bool { return c.Kind != KindKeep && c.Kind != KindLeftOver }

// Effect says what it takes to change one field of an existing job.
type Effect string

const (
	EffectInPlace Effect = "in place" // ModifyApsJob
	EffectReplace Effect = "replace"  // delete and create: a full re-sync
	// EffectBlind marks user names: the service never returns them, so the
	// difference is known from the ledger only, and cannot be changed in place.
	EffectBlind Effect = "blind"
	// EffectRecord marks what the service has already as the plan wants it.
	EffectRecord Effect = "ledger only"
)

// FieldChange is one field in which plan, ledger and service are not of one mind.
// Field is the plan's key, for example "source.instance".
type FieldChange struct {
	Field string
	// Old is what the service has, as far as it was seen, and else what the ledger
	// has. New is what the plan wants.
	Old, New string
	Effect   Effect
	// Differs says who stands alone, "" where the service was not asked.
	Differs Party
	// Ledger is what the ledger has.
	Ledger string
}
