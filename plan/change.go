package plan

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
	KindBlocked Kind = "blocked" // a person has to settle something first
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
	// first. It is empty when the service was not asked.
	Remote []RemoteJob
	// Fields are the differences of an update or replace, in fixed order.
	Fields []FieldChange
	// Reason says in one line why the change is needed, "" for the usual one.
	Reason string
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
// it, but for objects whose differences it ignores.
func (c Change) Updated() Spec {
	spec := c.Job.Spec
	if c.Job.Ignore.Has("db_list") {
		spec.DBList = c.Entry.Spec.DBList
	}
	if c.Job.Ignore.Has("partition_list") {
		spec.PartitionList = c.Entry.Spec.PartitionList
	}
	return spec
}

// Puts is what the plan wants an existing job to be put to after whatever else it
// needs: "" for nothing.
func (c Change) Puts() DesiredState {
	switch {
	case c.Job != nil:
		return c.Job.State
	case c.Entry.Life.OnRemove == OnRemoveSuspend:
		return Suspended
	}
	return ""
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
)

// FieldChange is one field that the plan says otherwise than the ledger.
// Field is the plan's key, for example "source.instance".
type FieldChange struct {
	Field    string
	Old, New string
	Effect   Effect
}
