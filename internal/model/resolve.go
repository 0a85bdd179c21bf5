package model

// resolve emits what process i can do about an unresolved create.
func (e *expander) resolve(i uint8) {
	switch e.from.Procs[i].PC {
	case pcLook:
		e.look(i, kindLook)
	case pcLook2:
		e.look(i, kindLook2)
	case pcAged:
		e.aged(i)
	case pcAbsent:
		e.absent(i)
	case pcFound:
		e.found(i)
	}
}

// sights lists what one listing may say of the job that apsctl made: up to its
// lag the service shows it or not, listing by listing, as it likes. A torn
// listing may miss any job.
func (e *expander) sights(i uint8, torn bool) []bool {
	p := &e.from.Procs[i]
	job := &e.from.Jobs[p.Name]
	switch {
	case job.Made == 0, p.has(flagHidden):
		return []bool{false}
	case job.MadeAge <= lag, torn, !e.has(LagBound):
		return []bool{true, false}
	}
	return []bool{true}
}

// look lists for the job. Presence counts at once; absence has to be proven.
func (e *expander) look(i uint8, kind kind) {
	p := e.from.Procs[i]
	foreign := e.from.Jobs[p.Name].Foreign != foreignNone && !p.has(flagHidden) &&
		(!p.has(flagBaseline) || !e.has(Baseline))
	for _, seen := range e.sights(i, e.Torn && kind == kindLook) {
		t := e.from
		q := &t.Procs[i]
		switch {
		case !e.has(Listing) && q.Age >= settle:
			q.PC = pcAbsent
		case seen && foreign:
			q.PC, q.To = pcFound, rowDuplicate
		case seen || foreign:
			q.PC, q.To = pcFound, rowCreated
			if foreign {
				q.Flags |= flagForeign
			}
		default:
			e.unseen(q, kind)
		}
		e.emit(t, Step{kind: kind, proc: i, name: p.Name, yes: seen || foreign})
	}
}

// unseen says how p goes on after a listing that does not show the job.
func (e *expander) unseen(p *Proc, kind kind) {
	needed := uint8(settle)
	if !e.has(Settle) {
		needed--
	}
	switch {
	case !e.has(Certificate):
		p.PC = pcAbsent
	case p.has(flagHidden) && e.otherCreated(p.Name) && e.has(Canary):
		*p = Proc{}
	case !e.has(ScanStart) && kind == kindLook:
		p.PC = pcLook2
	case !e.has(ScanStart):
		p.PC = pcAged
	case p.Age < needed:
		*p = Proc{}
	case kind == kindLook && e.has(TwoScans):
		p.PC = pcLook2
	default:
		p.PC = pcAbsent
	}
}

// aged dates the absence after the listing, which is where time may pass.
func (e *expander) aged(i uint8) {
	t := e.from
	p := &t.Procs[i]
	step := Step{kind: kindAged, proc: i, name: p.Name, yes: p.Age >= settle}
	if p.PC = pcAbsent; !step.yes {
		*p = Proc{}
	}
	e.emit(t, step)
}

// absent commits the absence. The same run may go on with the next attempt.
func (e *expander) absent(i uint8) {
	t := e.from
	p := &t.Procs[i]
	job := &t.Jobs[p.Name]
	step := Step{kind: kindAbsent, proc: i, name: p.Name, yes: e.matches(p, job, CASVerdict)}
	was := *p
	*p = Proc{}
	if !step.yes {
		e.emit(t, step)
		return
	}
	job.Row, job.Attempt, job.ID = rowAbsent, was.Attempt, 0
	if was.Age >= settle {
		job.Open = false
	}
	e.emit(t, step)
	t.Procs[i] = again(was.Name, rowAbsent, was.Attempt, was.has(flagBaseline))
	e.emit(t, step)
}

// found commits the job that a listing showed.
func (e *expander) found(i uint8) {
	t := e.from
	p := &t.Procs[i]
	job := &t.Jobs[p.Name]
	step := Step{kind: kindFound, proc: i, name: p.Name, yes: e.matches(p, job, CASVerdict)}
	if step.yes {
		job.Row, job.Attempt, job.ID = p.To, p.Attempt, 0
		switch {
		case p.To != rowCreated:
		case p.has(flagForeign):
			job.ID = idForeign
		default:
			job.ID = job.Made
		}
	}
	*p = Proc{}
	e.emit(t, step)
}
