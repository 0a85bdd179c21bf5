package runner

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// OrderKind is what a person wants done with an entry.
type OrderKind string

const (
	OrderAdopt  OrderKind = "adopt"  // this job of the service is the one
	OrderAbsent OrderKind = "absent" // no job exists for it
	OrderForget OrderKind = "forget" // the ledger shall not know it any more
)

// Order is what a person wants done with one entry.
type Order struct {
	Kind OrderKind
	// Entry is as the ledger has it; only Plan and Name are set when it has none.
	Entry plan.Entry
	// Job is as the plan file wants it, nil without one.
	Job *plan.Job
	// JobID is the job to adopt.
	JobID string
	// Force overrides a refusal that can be overridden.
	Force bool
}

// Decision is an order that may be carried out. Nothing is written yet.
type Decision struct {
	Order
	// Spec is what an adopted job is, as far as the service tells, and otherwise
	// as it was asked for.
	Spec plan.Spec
	// Already says that the ledger is as ordered: there is nothing to write.
	Already bool
	// Forced says what Force overrode, "" when nothing.
	Forced string
	// Seen are the jobs of that name that the service lists; Notes say what a
	// person should know, one line each.
	Seen  []plan.RemoteJob
	Notes []string
}

// Baseline is the entry's own with the ids that were seen: the person has judged
// them, so that only what is listed later can be news.
func (d Decision) Baseline() []string {
	ids := slices.Clone(d.Entry.Baseline)
	for _, job := range d.Seen {
		ids = append(ids, job.ID)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// RefusedError says why an order is not carried out.
type RefusedError struct {
	Kind OrderKind
	Name string
	Why  string
	// Forcible says that Order.Force would override it.
	Forcible bool
}

func (e *RefusedError) Error() string {
	text := fmt.Sprintf("job %q is left as it is, and nothing was changed by hand: %s", e.Name, e.Why)
	if e.Forcible {
		text += fmt.Sprintf("; --force makes --%s do it all the same", e.Kind)
	}
	return text
}

// Judge holds an order against the ledger and, but for OrderForget, a complete
// listing of its region. The error is a *RefusedError when it is not to be
// carried out.
func (r *Resolver) Judge(ctx context.Context, o Order) (Decision, error) {
	d := &Decision{Order: o}
	var err error
	switch o.Kind {
	case OrderAdopt:
		err = r.judgeAdopt(ctx, d)
	case OrderAbsent:
		err = r.judgeAbsent(ctx, d)
	case OrderForget:
		err = d.judgeForget()
	default:
		panic("runner: unknown order " + string(o.Kind))
	}
	return *d, err
}

func (d *Decision) refuse(format string, args ...any) error {
	return &RefusedError{Kind: d.Kind, Name: d.Entry.Name, Why: fmt.Sprintf(format, args...)}
}

// object refuses unless the order is forced, and notes what was overridden.
func (d *Decision) object(format string, args ...any) error {
	why := fmt.Sprintf(format, args...)
	if !d.Force {
		return &RefusedError{Kind: d.Kind, Name: d.Entry.Name, Why: why, Forcible: true}
	}
	if d.Forced != "" {
		d.Forced += "; "
	}
	d.Forced += why
	return nil
}

// wanted is the spec that the job was asked for by: of the attempt while that
// is what the order is about, else of the plan.
func (o Order) wanted() (plan.Spec, bool) {
	switch {
	case o.Entry.State == plan.StateNone && o.Job == nil:
		return plan.Spec{}, false
	case o.Job == nil || open(o.Entry):
		return o.Entry.Spec, true
	}
	return o.Job.Spec, true
}

func (r *Resolver) judgeAdopt(ctx context.Context, d *Decision) error {
	spec, ok := d.wanted()
	switch {
	case !ok:
		return d.refuse("the ledger has no such job; name the plan file that wants it")
	case d.Entry.State == plan.StateCreated && d.Entry.JobID == d.JobID:
		d.Already = true
		return nil
	case d.Entry.State == plan.StateCreated:
		return d.refuse("the ledger has it as created, with the id %s; --forget it first if that is wrong", d.Entry.JobID)
	}
	v, err := r.view(ctx, spec.Region)
	if err != nil {
		return err
	}
	d.Seen = v.named[spec.Name]
	at := slices.IndexFunc(d.Seen, func(job plan.RemoteJob) bool { return job.ID == d.JobID })
	if at < 0 {
		return d.refuse("the service lists no job %s named %q in %s; %s", d.JobID, spec.Name, spec.Region, underName(d.Seen))
	}
	if owner := v.owner(d.JobID); owner != nil && (owner.Plan != d.Entry.Plan || owner.Name != d.Entry.Name) {
		return d.refuse("job %s %s", d.JobID, owner.Owns(r.run.options.Commands))
	}
	if slices.Contains(d.Entry.Baseline, d.JobID) && open(d.Entry) {
		if err := r.refuseEarly(d); err != nil {
			return err
		}
		if err := d.object("job %s was there before the create was sent, so it is not what came of it", d.JobID); err != nil {
			return err
		}
	}
	if differs := plan.DisagreeListed(spec, d.Seen[at]); len(differs) > 0 {
		if err := r.refuseEarly(d); err != nil {
			return err
		}
		if err := d.object("job %s is not what was asked for: %s", d.JobID, strings.Join(differs, ", ")); err != nil {
			return err
		}
	}
	detail, err := r.run.service.Detail(ctx, spec.Region, d.JobID)
	if err != nil {
		return err
	}
	d.Spec = asSeen(spec, d.Seen[at], detail)
	d.noteAdoption(v, detail, spec)
	return nil
}

// refuseEarly refuses to take another job for the one that was asked for while a create
// of that one may still make it: nobody would look for it any more.
func (r *Resolver) refuseEarly(d *Decision) error {
	if state := d.Entry.State; state == plan.StateLost || !open(d.Entry) || r.run.settled(d.Entry) {
		return nil
	}
	return d.refuse("job %s is not what its create would have made, which was sent at %s and can still take effect until %s: look again after that",
		d.JobID, clockTime(d.Entry.SignedAt), clockTime(r.run.settlesAt(d.Entry)))
}

func (d *Decision) noteAdoption(v *view, detail plan.RemoteDetail, spec plan.Spec) {
	if differs := plan.DisagreeDetail(spec, detail); len(differs) > 0 {
		d.Notes = append(d.Notes, "recorded as it is, not as it was asked for: "+strings.Join(differs, ", "))
	}
	for _, job := range d.Seen {
		if job.ID != d.JobID && !v.taken[job.ID] {
			d.Notes = append(d.Notes, fmt.Sprintf("job %s has the same name and stays on the service; delete it there if nobody needs it", job.ID))
		}
	}
}

// asSeen is spec with what the service says otherwise, so that the next
// difference is one with the job as it is.
func asSeen(spec plan.Spec, job plan.RemoteJob, detail plan.RemoteDetail) plan.Spec {
	spec.Source.Instance, spec.Destination.Instance = job.SourceInstance, job.DestinationInstance
	if detail.SourceRegion != "" && spec.Source.Region != "" {
		spec.Source.Region = detail.SourceRegion
	}
	spec.DBList = jsonAsSeen(spec.DBList, detail.DBList)
	if !plan.SameJSON(spec.PartitionList, detail.PartitionList) {
		spec.PartitionList = jsonAsSeen("", detail.PartitionList)
	}
	return spec
}

// jsonAsSeen keeps the form that was asked for where both say the same.
func jsonAsSeen(asked, seen string) string {
	if seen == "" || plan.SameJSON(asked, seen) {
		return asked
	}
	if canonical, err := plan.CanonicalJSON(seen); err == nil {
		return canonical
	}
	return seen
}

func (r *Resolver) judgeAbsent(ctx context.Context, d *Decision) error {
	switch state := d.Entry.State; {
	case state == plan.StateNone:
		return d.refuse("the ledger has no such job; the next apply creates it if the plan wants it")
	case state == plan.StateCreated:
		return d.refuse("the ledger has it as created, with the id %s; if that job is gone, --forget it, and the next apply creates it if the plan wants it", d.Entry.JobID)
	case state == plan.StateAbsent:
		d.Already = true
		return nil
	case !open(d.Entry):
		return d.refuse("it is %s: nothing says that it exists, and the next apply creates it if the plan wants it", state)
	}
	v, err := r.view(ctx, d.Entry.Region)
	if err != nil {
		return err
	}
	var there []plan.RemoteJob
	for _, job := range v.named[d.Entry.Spec.Name] {
		d.Seen = append(d.Seen, job)
		if owner := v.owner(job.ID); owner == nil || owner.Plan == d.Entry.Plan && owner.Name == d.Entry.Name {
			there = append(there, job)
		}
	}
	if len(there) > 0 {
		if err := d.object("it may well exist: %s; adopt that, or delete it first", underName(there)); err != nil {
			return err
		}
	}
	// The create of a lost job is known to have happened: nothing of it is to come.
	if d.Entry.State != plan.StateLost && !r.run.settled(d.Entry) {
		return d.object("its create was sent at %s and can still take effect until %s, whatever is to be seen now; "+
			"after that, resolve proves it by itself", clockTime(d.Entry.SignedAt), clockTime(r.run.settlesAt(d.Entry)))
	}
	return nil
}

func (d *Decision) judgeForget() error {
	switch state := d.Entry.State; {
	case state == plan.StateNone:
		return d.refuse("the ledger has no such job")
	case state.Unresolved():
		return d.object("a create was sent for it and its outcome is not known, so a job may exist that nothing would account for; resolve settles it first")
	}
	if err := d.objectToOpenChange(); err != nil {
		return err
	}
	if d.Entry.JobID != "" {
		d.Notes = append(d.Notes, fmt.Sprintf("job %s is left as it is on the service", d.Entry.JobID))
	}
	return nil
}

// objectToOpenChange objects where the objects of a job may have become others and nobody
// has seen it since. What is noted of a forgotten job says what it is for, by which it is
// known under another name, and of the change the ledger has no more than a digest.
func (d *Decision) objectToOpenChange() error {
	change := d.Entry.Pending.Modification()
	if d.Entry.State != plan.StateCreated || !change.IsSet() || change.Confirmed {
		return nil
	}
	return d.object("a change of it was sent at %s and nothing shows whether it took effect, so that it is not known what the job is for; "+
		"the next apply of a plan that has it (put it back, if it left) asks the service and settles that", clockTime(change.SignedAt))
}

// owner is the entry that has a job id, nil when none has.
func (v *view) owner(id string) *plan.Entry {
	for i := range v.live {
		if v.live[i].JobID == id {
			return &v.live[i]
		}
	}
	return nil
}

func underName(jobs []plan.RemoteJob) string {
	if len(jobs) == 0 {
		return "under that name it lists nothing"
	}
	texts := make([]string, len(jobs))
	for i, job := range jobs {
		texts[i] = fmt.Sprintf("%s (%s to %s)", job.ID, job.SourceInstance, job.DestinationInstance)
	}
	return "under that name the service lists " + strings.Join(texts, ", ")
}
