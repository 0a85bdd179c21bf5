package plan

import "fmt"

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
func holdElsewhere(changes []Change, elsewhere []Entry, commands Commands) {
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
			c.Reason = fmt.Sprintf("job %s of plan %s may be the same and is %s: %s settles it; "+
				"if the plan was renamed, name it %[2]s again until then", e.Name, e.Plan, e.State, commands.Resolve(e.Plan))
		}
	}
}
