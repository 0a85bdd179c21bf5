package plan

import (
	"fmt"
	"strings"
)

const (
	causeTwin = "exists under another name"
	// twinsNamed is how many jobs a reason names.
	twinsNamed = 3
)

// HoldTwins takes creates back of which a job is listed under another name, or has it
// taken over where o or the plan says so and it is certain that the two are one. Of what
// only may come to a create it says so in NoCreate. all are the changes of the whole plan.
// It returns by name why a twin of a job could not be compared; nothing may be created for
// that job.
func HoldTwins(changes, all []Change, twins []Twin, p *Plan, o DiffOptions) map[string]error {
	unread := map[string]error{}
	x := newTwinIndex(all, twins)
	for i := range changes {
		c := &changes[i]
		if !c.MayCreate() {
			continue
		}
		found, only, err := x.of(c.Job)
		switch {
		case err != nil:
			unread[c.Name] = err
		case len(found) == 0:
		case c.Kind == KindCreate && only && (o.Adopt || c.Job.Adopt.Any) && !c.Job.Adopt.Never:
			c.Kind, c.Cause, c.Remote = KindAdopt, causeTwin, []RemoteJob{found[0].Job}
			c.Reason = fmt.Sprintf("job %s exists under the name %s, for the same source, destination and objects, and is not in the ledger",
				found[0].Job.ID, twinName(found[0].Job))
		default:
			c.bar(causeTwin, c.twinReason(found, only, p.Name, o.Commands), o)
		}
	}
	return unread
}

// MayCreate reports whether a create may come of c.
func (c *Change) MayCreate() bool {
	return c.Kind == KindCreate || c.Kind == KindReplace || c.Kind == KindResolve && c.Job != nil && c.State() != StateCreated
}

// bar blocks what would be done at once, and notes of what may come to a create that it
// is not to.
func (c *Change) bar(cause, reason string, o DiffOptions) {
	c.NoCreate = reason
	if c.Kind == KindCreate || c.Kind == KindUpdate || c.Kind == KindReplace && o.Replace {
		c.Kind, c.Cause, c.Reason = KindBlocked, cause, reason
	}
}

// twinName is the name that the service has, to be printed.
func twinName(job RemoteJob) string {
	if badName(job.Name) != "" {
		return quoteName(job.Name)
	}
	return job.Name
}

// twinReason says which jobs are in the way, and each way out.
func (c *Change) twinReason(found []*twinFound, only bool, planName string, commands Commands) string {
	first := found[0].Job
	const same = "for the same source, destination and objects"
	var b strings.Builder
	if len(found) == 1 {
		fmt.Fprintf(&b, "job %s exists under the name %s, %s, and the ledger does not know it", first.ID, twinName(first), same)
	} else {
		fmt.Fprintf(&b, "%s exist under other names, %s, and the ledger does not know them", nameTwins(found), same)
	}
	rivals := c.rivals(found)
	if rivals != "" {
		fmt.Fprintf(&b, "; it may be %s as well", rivals)
	}
	switch {
	case c.Kind == KindReplace:
		b.WriteString(": delete it, or take the change back")
	case c.Job.Adopt.Never:
		b.WriteString(", and the plan says adopt: false")
	case only:
		b.WriteString(": apply --adopt takes it over under this name")
	case len(found) > 1 && rivals == "":
		b.WriteString(": name it as the one that it is, apply --adopt, and rename it then with moved")
	case badName(first.Name) == "":
		fmt.Fprintf(&b, ": name the one that it is %s again, apply --adopt, and rename it then with moved", first.Name)
	}
	if len(found) > 1 {
		b.WriteString("; delete those that are surplus")
	}
	if badName(first.Name) == "" {
		fmt.Fprintf(&b, "; if it is another job, %s has it left alone", commands.Import(first, c.Job.Region, planName))
	}
	return b.String()
}

func nameTwins(found []*twinFound) string {
	named := make([]string, 0, twinsNamed)
	for _, f := range found[:min(len(found), twinsNamed)] {
		named = append(named, fmt.Sprintf("%s (%s)", f.Job.ID, twinName(f.Job)))
	}
	more := ""
	if len(found) > twinsNamed {
		more = " and more"
	}
	return "jobs " + strings.Join(named, ", ") + more
}

// rivals names the other jobs of the plan that the twins may be.
func (c *Change) rivals(found []*twinFound) string {
	var others []string
	for _, g := range found[0].groups {
		for _, name := range g.names[:min(len(g.names), twinsNamed+1)] {
			if name != c.Name && len(others) < twinsNamed {
				others = append(others, name)
			}
		}
	}
	return strings.Join(others, ", ")
}
