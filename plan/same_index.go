package plan

// Shown is what the service tells of a job that left the plan.
type Shown struct {
	// Detail is nil where the service tells nothing: the ledger's word is taken then, unless
	// Err says that it may tell later.
	Detail *RemoteDetail
	// Final says that no change which was sent before can take effect after Detail.
	Final bool
	Err   error
}

// tells reports whether the objects of the job are known for good.
func (s Shown) tells() bool {
	return s.Err == nil && s.Final && s.Detail != nil && s.Detail.DBList != ""
}

// InTheWay returns the entries of jobs that left the plan, and go on, for the source and
// destination of one of changes that comes to load something else. What the ledger has of
// their objects may be out of date: it was put back to an older state, or a change of them
// got no answer. Their details are for the caller to read, for DiffOptions.Left, until it
// returns none that was not asked about: a change that one of them holds no more may be held
// by another. They are few: a source has three jobs at most (API reference, section 0). all
// are the changes of the whole plan.
func InTheWay(changes, all []Change, o DiffOptions) []Entry {
	free, held := map[pair]bool{}, map[pair]bool{}
	for i := range changes {
		c := &changes[i]
		if to, ok := c.becomes(); ok && c.NoCreate == "" {
			free[to.pair] = c.Kind != KindReplace || o.Replace || free[to.pair]
		} else if c.AsksOfSame() || c.NoCreate != "" {
			held[c.Job.pair()] = true // by a change without an answer, as it may be
		}
	}
	var entries []Entry
	for i := range all {
		c := &all[i]
		if c.Job != nil || c.State() != StateCreated || !c.staysLeft() {
			continue
		}
		if _, asked := o.Left[c.Entry.JobID]; asked {
			continue
		}
		if at := c.Entry.Spec.pair(); free[at] || c.Entry.Pending.modifies() && held[at] {
			entries = append(entries, *c.Entry)
		}
	}
	return entries
}

// sameIndex finds the changes that come to load something by what that is.
type sameIndex struct {
	become map[data][]*Change
	pairs  map[pair][]*Change
}

func newSameIndex(changes []Change) sameIndex {
	x := sameIndex{map[data][]*Change{}, map[pair][]*Change{}}
	for i := range changes {
		if to, ok := changes[i].becomes(); ok {
			x.become[to] = append(x.become[to], &changes[i])
			x.pairs[to.pair] = append(x.pairs[to.pair], &changes[i])
		}
	}
	return x
}

// sameWhy says how it is known that a job is in the way: by what the ledger or the
// service has, unless it says otherwise.
type sameWhy struct {
	pending bool  // a change to it was sent and has no answer
	unread  error // the service could not be asked
}

func (w sameWhy) is() string {
	if w.pending {
		return "may be"
	}
	return "is"
}

// heldSame is a change that another job is in the way of.
type heldSame struct {
	*Change
	why sameWhy
}

// heldBy returns the changes to what the job of one loads, by the ledger or the service,
// or may load by a change without an answer.
func (x sameIndex) heldBy(one *Change, left map[string]Shown) []heldSame {
	var held []heldSame
	hold := func(why sameWhy, changes ...*Change) {
		for _, c := range changes {
			held = append(held, heldSame{c, why})
		}
	}
	e := one.Entry
	hold(sameWhy{}, x.become[e.Spec.data()]...)
	shown := left[e.JobID]
	has := (&Seen{Detail: shown.Detail}).shows(e.Spec, e.Spec)
	hold(sameWhy{}, x.become[has.data()]...)
	if shown.Err != nil {
		hold(sameWhy{unread: shown.Err}, x.pairs[e.Spec.pair()]...)
	}
	if e.Pending.modifies() && !shown.tells() {
		for _, c := range x.pairs[e.Spec.pair()] {
			if e.mayBecome(c.Job.Spec) {
				hold(sameWhy{pending: true}, c)
			}
		}
	}
	return held
}

// mayBecome reports whether the pending change of the entry's job is to the objects of
// wanted. Which users the plan had it sent with is not known: those of either.
func (e *Entry) mayBecome(wanted Spec) bool {
	mine := e.Spec
	mine.DBList, mine.PartitionList, mine.TargetTableMode = wanted.DBList, wanted.PartitionList, wanted.TargetTableMode
	wanted.Name = e.Spec.Name
	return HashSpec(mine) == e.Pending.Digest || HashSpec(wanted) == e.Pending.Digest
}
