package plan

import "fmt"

// NamesBefore are the names that moved says jobs had, by the names that they have now.
func (p *Plan) NamesBefore() map[string]string {
	before := make(map[string]string, len(p.Moved))
	for old, now := range p.Moved {
		before[now] = old
	}
	return before
}

// holdMoved blocks creates of jobs that the plan gave a new name, while the job of the
// old name exists or may: the two are one. Moves renames what the ledger has of it,
// where it can.
func holdMoved(changes []Change, p *Plan, ledger Snapshot, listed map[string]nameIndex, o DiffOptions) {
	if len(p.Moved) == 0 {
		return
	}
	before := p.NamesBefore()
	for i := range changes {
		c := &changes[i]
		old, moved := before[c.Name]
		if c.Kind != KindCreate || !moved {
			continue
		}
		if entry, known := ledger.Entries[old]; known {
			c.holdUnmoved(entry, o.Commands)
		} else if remote := listed[c.Job.Region][old]; len(remote) > 0 {
			c.holdNamesake(old, remote, o)
		}
	}
}

// holdUnmoved blocks a create whose old name has an entry that could not be renamed.
func (c *Change) holdUnmoved(old Entry, commands Commands) {
	switch {
	case old.State.HasNoJob():
		return
	case c.Entry == nil:
		c.Reason = fmt.Sprintf("moved says that this is %s, which the ledger has as %s: it is renamed once that is settled", old.Name, old.State)
	default:
		c.Reason = fmt.Sprintf("moved says that this is %s, which the ledger has as %s, and has %s too, as %s: %s, and then apply",
			old.Name, old.State, c.Name, c.Entry.State, commands.Forget(*c.Entry))
	}
	c.Kind, c.Cause = KindBlocked, "its job has its old name still"
}

// holdNamesake blocks a create while jobs of the old name are listed that the plan has
// no entry for, as where its ledger was lost.
func (c *Change) holdNamesake(old string, remote []RemoteJob, o DiffOptions) {
	const orElse = "; if it is another job, take the line out of moved"
	c.Kind, c.Cause = KindBlocked, "exists under the name that it had before"
	c.Reason = fmt.Sprintf("job %s exists under the name %s, which this job had before, and ", remote[0].ID, old)
	switch owner, owned := o.Owners[remote[0].ID]; {
	case owned:
		c.Reason += owner.Owns(o.Commands)
	case c.Entry != nil:
		c.Reason += fmt.Sprintf("the ledger does not know it: %s, name it %s again without moved, apply --adopt, and rename it then", o.Commands.Forget(*c.Entry), old)
	default:
		c.Reason += fmt.Sprintf("the ledger does not know it: name it %s again without moved, apply --adopt, and rename it then", old)
	}
	c.Reason += orElse
}
