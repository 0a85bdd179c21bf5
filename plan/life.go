package plan

import (
	"encoding/json"
	"slices"
	"strings"
)

// Life is what a plan says about a job beside what it synchronises. The service
// sees none of it, and it is not part of the digest. The zero Life is the
// default: nothing is adopted, started, suspended or removed unasked.
//
// The ledger keeps it beside the entry, since a job that has left the plan says
// nothing any more; but not Adopt and Ignore, which only matter while it is there.
type Life struct {
	Adopt    Adopt
	State    DesiredState
	OnRemove OnRemove
	// Protect refuses whatever would replace or delete the job.
	Protect bool
	// Ignore are fields whose differences are not acted on.
	Ignore FieldSet
	// SourcePasswordVersion and DestinationPasswordVersion change when the
	// password that is referred to does. "" says nothing of it.
	SourcePasswordVersion, DestinationPasswordVersion string
}

// keptLife is the form in which the ledger keeps a Life.
type keptLife struct {
	State                      DesiredState `json:"state,omitempty"`
	OnRemove                   OnRemove     `json:"on_remove,omitempty"`
	Protect                    bool         `json:"protect,omitempty"`
	SourcePasswordVersion      string       `json:"source_password_version,omitempty"`
	DestinationPasswordVersion string       `json:"destination_password_version,omitempty"`
}

// Kept returns what the ledger keeps of l, as one line of JSON.
func (l Life) Kept() string {
	text, err := json.Marshal(keptLife{l.State, l.OnRemove, l.Protect, l.SourcePasswordVersion, l.DestinationPasswordVersion})
	if err != nil {
		panic("plan: only texts: " + err.Error())
	}
	return string(text)
}

// ParseLife reads what Kept returned.
func ParseLife(text string) (Life, error) {
	var k keptLife
	if err := json.Unmarshal([]byte(text), &k); err != nil {
		return Life{}, err
	}
	return Life{
		State: k.State, OnRemove: k.OnRemove, Protect: k.Protect,
		SourcePasswordVersion: k.SourcePasswordVersion, DestinationPasswordVersion: k.DestinationPasswordVersion,
	}, nil
}

// Adopt says what to do about a job that the service has under a wanted name and
// that the ledger does not know. The zero Adopt blocks, unless the command says
// otherwise.
type Adopt struct {
	Any   bool   // take it over if it agrees with the plan
	ID    string // take over this one and no other
	Never bool   // block, whatever the command says
}

// DesiredState is what an existing job should be doing. "" leaves it to people.
type DesiredState string

// The states that a plan can ask for.
const (
	Running   DesiredState = "running"
	Suspended DesiredState = "suspended"
)

// Paused is what only the ledger says of a job: apsctl suspended it, since the
// service does not change or delete it while it runs, and it is to be started again.
const Paused DesiredState = "paused"

// aim is what the service shows of a job that is put to d.
func (d DesiredState) aim() DesiredState {
	if d == Paused {
		return Suspended
	}
	return d
}

// Operation is the one that puts an existing job to d, OperationNone for "".
func (d DesiredState) Operation() Operation {
	switch d.aim() {
	case Running:
		return OperationStart
	case Suspended:
		return OperationSuspend
	}
	return OperationNone
}

// OnRemove says what becomes of a job that leaves the plan. "" is OnRemoveKeep.
type OnRemove string

// What can become of a job that leaves the plan.
const (
	OnRemoveKeep    OnRemove = "keep"
	OnRemoveSuspend OnRemove = "suspend"
	OnRemoveDelete  OnRemove = "delete"
)

// ignorable are the fields that a plan may ignore, in the order of their bits.
// What identifies the work of a job is not among them.
var ignorable = []string{
	"source.region", "source.user", "destination.user", "db_list", "partition_list", "target_table_mode", "password_version",
}

// FieldSet is a set of fields that a plan may ignore.
type FieldSet uint8

// Has reports whether the field with the plan's key name, such as
// "partition_list", is in s.
func (s FieldSet) Has(name string) bool {
	i := slices.Index(ignorable, name)
	return i >= 0 && s&(1<<i) != 0
}

// Names lists the fields in s, in the order of the plan reference.
func (s FieldSet) Names() []string {
	var names []string
	for i, name := range ignorable {
		if s&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// fields reads the list of fields to ignore.
func (d *decoder) fields(n *node, path string) (FieldSet, bool) {
	if !d.wants(n, nodeList, path) {
		return 0, false
	}
	var set FieldSet
	ok := true
	for _, item := range n.items {
		name, one := oneOf(d, item, path, ignorable...)
		if ok = ok && one; one {
			set |= 1 << slices.Index(ignorable, name)
		}
	}
	return set, ok
}

// adopt reads true, false or the id of the one job to take over.
func (d *decoder) adopt(n *node, path string) (Adopt, bool) {
	if n.kind == nodePlain && (n.text == "true" || n.text == "false") {
		return Adopt{Any: n.text == "true", Never: n.text == "false"}, true
	}
	id, ok := d.matching(n, path, instanceRule, instanceMax, "true, false or a job's id such as aps-bp1abc is due")
	if lower := strings.ToLower(id); ok && (lower == "true" || lower == "false" || lower == "yes" || lower == "no") {
		n.wrong("write true or false, without quotes", "%s cannot be %s", path, n.quoted())
		return Adopt{}, false
	}
	return Adopt{ID: id}, ok
}

// life is what the draft of a finished job says beside its spec.
func (j jobDraft) life() Life {
	return Life{
		Adopt: j.adopt.value, State: j.state.value, OnRemove: j.onRemove.value, Protect: j.protect.value, Ignore: j.ignore.value,
		SourcePasswordVersion: j.source.passwordVersion.value, DestinationPasswordVersion: j.destination.passwordVersion.value,
	}
}
