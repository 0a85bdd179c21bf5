package plan

import (
	"errors"
	"slices"
	"time"
)

// State is what the ledger knows about one job. The creation protocol
// (docs/protocol.md) says which state follows which.
type State string

const (
	// StateNone: the ledger has no entry for the job.
	StateNone State = ""
	// StateIntent: an attempt was committed and may be on the wire right now.
	// Only the run that wrote it may move it on by an answer; found at the start
	// of a run, it was left by a dead run and counts as unknown.
	StateIntent State = "intent"
	// StateUnknown: a create was sent and its outcome is not known. Nothing more
	// is sent for the job until it is found or proven absent.
	StateUnknown State = "unknown"
	// StateCreated: the service has the job; JobID is set.
	StateCreated State = "created"
	// StateRejected: the service refused the last attempt before doing anything.
	StateRejected State = "rejected"
	// StateNotSent: the last attempt failed before a connection was handed over.
	StateNotSent State = "not-sent"
	// StateAbsent: the last attempt was unknown and has an absence certificate (it
	// did not happen and can no longer happen), or its job was deleted by us and is gone
	// (ReasonDeleted).
	StateAbsent State = "absent"
	// StateConflict: a job of that name is on the service that is not as the
	// attempt said. A person settles it.
	StateConflict State = "conflict"
	// StateDuplicate: two or more jobs on the service match. A person settles it.
	StateDuplicate State = "duplicate"
	// StateLost: the job was created and is now gone from complete listings. It
	// is never made again silently. A person settles it.
	StateLost State = "lost"
)

// States lists every state that an entry can be stored in.
var States = []State{
	StateIntent, StateUnknown, StateCreated, StateRejected, StateNotSent,
	StateAbsent, StateConflict, StateDuplicate, StateLost,
}

// Unresolved reports whether a create was sent whose outcome is not known.
func (s State) Unresolved() bool { return s == StateIntent || s == StateUnknown }

// HasNoJob reports whether it is sure that the service has no job of the last attempt,
// or that there was none.
func (s State) HasNoJob() bool {
	switch s {
	case StateNone, StateRejected, StateNotSent, StateAbsent:
		return true
	}
	return false
}

// NeedsPerson reports whether only a person can move the entry on.
func (s State) NeedsPerson() bool {
	return s == StateConflict || s == StateDuplicate || s == StateLost
}

// Entry is one job's row in the ledger, with what its latest attempt said.
type Entry struct {
	Plan, Name string
	State      State
	// Attempt numbers the create requests of this job; it only grows. An
	// adopted job that was never sent has 0.
	Attempt int
	// Region, Digest and Spec are those of the latest attempt (or of the
	// adopted job), not of the plan as it reads today.
	Region, Digest string
	Spec           Spec
	Labels         map[string]string
	// JobID is the service's ApsJobId, set when and only when State is created
	// or lost.
	JobID string
	// Candidates are the job ids that a conflict or duplicate is about.
	Candidates []string
	// Reason says in one line why the state is what it is; Code is the
	// service's error code where there was one. Both may be empty.
	Reason, Code string
	// SignedAt is the date that the latest attempt's request carried.
	SignedAt time.Time
	// Settle and OnUnknown are what the run that sent it went by: how long until absence
	// is proof, and what follows it. Zero and empty where the ledger does not say, as
	// versions before did not.
	Settle    time.Duration
	OnUnknown OnUnknown
	// Baseline are the ids that were listed under the job's name before the
	// latest attempt was sent, or when the job was adopted or an order of a person
	// was carried out: none of them can be a job that nobody has judged yet.
	Baseline  []string
	RequestID string
	UpdatedAt time.Time
	// Pending is the change of the job that was promised and is not confirmed.
	Pending Pending
	// Life is what the plan last said of the job beside its spec, see Life.Kept.
	Life Life
	// Doing is what the job was last put to or found at, "" when nobody asked.
	Doing DesiredState
	// ComparedAt is when the job's details were last held against the entry, zero
	// for never, and Differed the fields, by comma, in which the service had something
	// else then.
	ComparedAt time.Time
	Differed   string
}

// MayHaveJob reports whether the service has or may have a job for the entry.
func (e Entry) MayHaveJob() bool {
	return e.State != StateRejected && e.State != StateNotSent && e.State != StateAbsent
}

// Renamable reports whether the entry may get another name: one whose outcome is
// open, or about a name, is looked for by its name.
func (e Entry) Renamable() bool {
	return !e.State.Unresolved() && e.State != StateConflict && e.State != StateDuplicate
}

// Pending is a change of an existing job that may take effect any time until its
// date is too old. The zero Pending is none.
type Pending struct {
	Operation Operation
	// Digest is that of what the job is to be, for OperationModify. Another operation has
	// it from a modification that it stands in for: one that may have taken effect, too,
	// and that nobody has seen since. "" for none.
	Digest   string
	SignedAt time.Time
	// Confirmed says that the job was seen to be so since: the change can only
	// repeat that.
	Confirmed bool
}

// Snapshot is the ledger's content for one plan, read in one transaction. The
// zero Snapshot is that of a ledger that does not exist yet.
type Snapshot struct {
	Lineage string // identity of the ledger file, "" when there is none
	Serial  int64  // number of commits so far
	Entries map[string]Entry
	// Elsewhere are the entries of other plans that are open or lost: a job may exist, or
	// come to exist, for which nothing accounts yet. A plan that was given another
	// name must not create it again.
	Elsewhere []Entry
}

// Intent is the durable promise that exactly one create request, with this
// nonce and date, is about to be sent. It is committed before the request.
type Intent struct {
	Plan, Name string
	// From and Attempt are the compare-and-swap guard: the entry must be in
	// state From (StateNone: absent from the ledger) at attempt Attempt-1.
	From    State
	Attempt int
	Spec    Spec
	Digest  string
	Labels  map[string]string
	Life    Life
	// Nonce and SignedAt are sent as x-acs-signature-nonce and x-acs-date.
	Nonce    string
	SignedAt time.Time
	// Settle and OnUnknown are what this run goes by, see Entry.
	Settle    time.Duration
	OnUnknown OnUnknown
	// ServerOffset is the service's clock minus ours, by the last Date header.
	ServerOffset time.Duration
	Endpoint     string
	Baseline     []string
	RunID        string
	At           time.Time
}

// IsSet reports whether there is one.
func (p Pending) IsSet() bool { return p.Operation != OperationNone }

// unconfirmed reports whether one of operations may have taken effect and nobody
// has seen the job since.
func (p Pending) unconfirmed(operations ...Operation) bool {
	return p.IsSet() && !p.Confirmed && slices.Contains(operations, p.Operation)
}

// modifies reports whether the objects of the job may have become what Digest says, and
// nobody has seen the job since.
func (p Pending) modifies() bool { return p.Digest != "" && !p.Confirmed }

// Modification is what is left of p when its own operation is settled: the modification
// that it stood in for, or the zero Pending. It bears the date of p, which is later than
// the modification's own, so that it is waited for too long at worst.
func (p Pending) Modification() Pending {
	if p.Digest == "" {
		return Pending{}
	}
	p.Operation = OperationModify
	return p
}

// Note is what a plan says of a job that the service sees nothing of.
type Note struct {
	Life   Life
	Labels map[string]string
}

// Promise is the durable note that a request to change an existing job is about
// to be sent. It is committed before the request. With no operation it takes the
// note back, since the request is proven not to have taken effect.
type Promise struct {
	Plan, Name string
	// Attempt, JobID and Before are the compare-and-swap guard: the entry must be
	// created, at that attempt, with that id and with that pending.
	Attempt int
	JobID   string
	Before  Pending
	Pending Pending
	Reason  string // one line, for the history
	RunID   string
	At      time.Time
}

// Transition moves one entry from one state to another.
type Transition struct {
	Plan, Name string
	// From and Attempt are the compare-and-swap guard, as in Intent but at
	// Attempt itself. From is StateNone only for an adoption of a job that the
	// ledger does not know; Spec, Digest and Labels are then required.
	From    State
	Attempt int
	To      State

	Spec   Spec
	Digest string
	Labels map[string]string
	Life   Life
	// Before belongs to the guard of a step from created to created: what must be
	// pending. Pending is what stays so beside a new Spec.
	Before  Pending
	Pending Pending
	// Doing is what the job is doing then. A step from created to created of the same job
	// keeps what is on record with "": another process may have suspended it since.
	Doing DesiredState
	// Compared says that the job's details were read and agree with Spec. A step from
	// created to created without it changes no Spec: the entry must have that Digest.
	Compared bool

	JobID      string   // required for created; kept as it was for lost
	Candidates []string // required for conflict and duplicate
	Baseline   []string // none keeps the one on record
	RequestID  string   // "" keeps the one on record
	Code       string
	Reason     string
	Evidence   string // JSON: how we know, e.g. an absence certificate
	RunID      string
	At         time.Time

	// Queued is called, from the goroutine that settles, once the order of this
	// transition among the ledger's changes is fixed: what is asked for later is not on
	// disk before it. It must return at once, since the ledger's next transaction waits
	// for it. nil for nobody; a ledger need not call it.
	Queued func()
}

// RunRecord is one execution of a command that may change something.
type RunRecord struct {
	ID         string
	Command    string
	Plan       string
	PlanDigest string
	Host       string
	User       string
	PID        int
	Version    string
	StartedAt  time.Time
}

// ErrMovedOn is returned by the ledger when a compare-and-swap finds that the
// entry is no longer in the state or at the attempt that the caller saw.
// Whoever gets it re-reads and sends nothing.
var ErrMovedOn = errors.New("the ledger entry has moved on since it was read")

// ErrTaken is returned by the ledger when another entry has the job's id.
var ErrTaken = errors.New("another ledger entry has this job")
