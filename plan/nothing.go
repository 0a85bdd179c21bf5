package plan

import (
	"bufio"
	"io"
)

// NothingBut reports whether changes, which are all of p, say of each job that it
// is kept, for reasons that a ledger's fingerprint covers: its entry has the job's
// digest, is of its name, waits for nothing, and has nothing to be noted. Options of
// a difference have no say in such a one.
func NothingBut(p *Plan, changes []Change) bool {
	if len(changes) != len(p.Jobs) || len(Notes(changes)) > 0 {
		return false
	}
	for i := range changes {
		c := &changes[i]
		if c.Kind != KindKeep || c.Job == nil || c.State() != StateCreated || c.Entry.Digest != c.Job.Digest ||
			c.Entry.Name != c.Name || c.Entry.Pending.IsSet() || c.Reason != "" || len(c.Fields) > 0 {
			return false
		}
	}
	return true
}

// RenderNothing is Render of a difference that is nothing but jobs to be kept. Of p
// it takes the name and the file.
func RenderNothing(w io.Writer, p *Plan, jobs int) error {
	b := bufio.NewWriter(w)
	s := Summary{Kinds: map[Kind]int{}}
	if jobs > 0 {
		s.Kinds[KindKeep] = jobs
	}
	renderHeadline(b, p, jobs, s, jobs)
	return b.Flush()
}
