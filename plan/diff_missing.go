package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

const causeStranger = "a job of the name exists, and the ledger does not know it"

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
		c.Kind, c.Cause = KindBlocked, causeStranger
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
			c.Kind, c.Reason = KindBlocked, fmt.Sprintf("job %s has this name and %s", job.ID, owner.Owns(o.Commands))
			c.Cause = "another entry has the job of the name"
			return true
		}
	}
	return false
}

// Owns says of a job that e has it, and what to do when another entry wants it.
func (e Entry) Owns(commands Commands) string {
	return fmt.Sprintf("is job %s of plan %s by this ledger: rename one of the two; or if it is that no longer, "+
		"%s, and then apply --adopt", e.Name, e.Plan, commands.Forget(e))
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

func codeSuffix(code string) string {
	if code == "" {
		return ""
	}
	return " (" + code + ")"
}

func remoteIDs(jobs []RemoteJob) string {
	ids := make([]string, len(jobs))
	for i, job := range jobs {
		ids[i] = job.ID
	}
	return strings.Join(ids, ", ")
}
