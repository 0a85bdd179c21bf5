package model

// starts begins a run: it reads the row, which says what to list for.
func (e *expander) starts(i uint8) {
	for j := range e.Procs {
		if e.Lock && e.from.Procs[j].PC != pcIdle {
			return
		}
	}
	for name := range e.Names {
		e.begin(i, uint8(name), 0)
		if e.Hidden && (!e.has(SomeVisible) || e.otherCreated(uint8(name))) {
			e.begin(i, uint8(name), flagHidden)
		}
	}
}

func (e *expander) begin(i, name uint8, f flags) {
	t := e.from
	job := &t.Jobs[name]
	p := &t.Procs[i]
	*p = Proc{Name: name, Flags: f}
	switch {
	case e.sendable(job.Row):
		if int(job.Used) == e.Creates {
			return // out of the model's bounds
		}
		p.PC = pcScan
	case job.Row.unresolved():
		p.PC, p.From, p.Attempt, p.Age = pcLook, job.Row, job.Attempt, job.Age
		if job.Baseline {
			p.Flags |= flagBaseline
		}
	default:
		return // nothing to do
	}
	e.emit(t, Step{kind: kindStart, proc: i, name: name, yes: f == 0})
}

// sendable reports whether an attempt may follow from a row.
func (e *expander) sendable(r row) bool {
	switch r {
	case rowNone, rowRejected, rowNotSent, rowAbsent:
		return true
	case rowIntent:
		return !e.has(DeadIntent)
	}
	return false
}

// otherCreated reports whether the ledger has a job of another name.
func (e *expander) otherCreated(name uint8) bool {
	for other := range e.Names {
		if uint8(other) != name && e.from.Jobs[other].Row == rowCreated {
			return true
		}
	}
	return false
}

// scan lists, and goes on if no job of the name is there.
func (e *expander) scan(i uint8) {
	name := e.from.Procs[i].Name
	foreign := e.from.Jobs[name].Foreign != foreignNone
	for _, seen := range e.sights(i, false) {
		t := e.from
		p := &t.Procs[i]
		p.PC = pcChoose
		if foreign {
			p.Flags |= flagBaseline
		}
		if (seen || foreign) && e.has(Presence) {
			*p = Proc{}
		}
		e.emit(t, Step{kind: kindScan, proc: i, name: name, yes: seen || foreign})
	}
}
