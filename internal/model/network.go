package model

// network emits what may become of the copies of create n that are under way.
// Staying there is what a delay is.
func (e *expander) network(name, n uint8) {
	create := e.from.Jobs[name].Creates[n-1]
	if create.Flight == 0 {
		return
	}
	if create.Flight == 1 && e.from.Copies > 0 {
		t := e.from
		t.Copies--
		t.Jobs[name].Creates[n-1].Flight++
		e.emit(t, Step{kind: kindCopy, name: name, create: n})
	}
	t := e.from
	t.Jobs[name].Creates[n-1].Flight--
	e.emit(t, Step{kind: kindLose, name: name, create: n})
	e.arrive(name, n)
}

// arrive is the gateway, for one copy. It looks at the date and the nonce
// before anything else.
func (e *expander) arrive(name, n uint8) {
	t := e.from
	create := &t.Jobs[name].Creates[n-1]
	create.Flight--
	switch {
	case create.Age > window && e.has(Window) && !(create.Seen && e.has(NonceBeforeDate)):
		e.answer(t, Step{kind: kindTooOld, name: name, create: n}, rowRejected, flagSure)
		return
	case create.Seen:
		e.answer(t, Step{kind: kindUsed, name: name, create: n}, e.doubt(UsedUnknown), 0)
		return
	}
	create.Seen = e.has(NonceOfRefused)
	e.answer(t, Step{kind: kindRefuse, name: name, create: n}, rowRejected, flagSure)
	if create.Work > 0 {
		return // accepted before; the second acceptance may as well come later
	}
	create.Seen = e.has(NonceMemory)
	create.Work = 1
	e.emit(t, Step{kind: kindAccept, name: name, create: n})
}

// service emits what the service does with an accepted create.
func (e *expander) service(name, n uint8) {
	t := e.from
	job := &t.Jobs[name]
	create := &job.Creates[n-1]
	if create.Work == 0 {
		return
	}
	e.tell(t, Step{kind: kindBroken, name: name, create: n, yes: true}, e.doubt(BrokenUnknown), 0)
	create.Work = 0
	e.answer(t, Step{kind: kindGiveUp, name: name, create: n}, e.doubt(BrokenUnknown), 0)
	if job.Made != 0 || job.Foreign == foreignLost {
		t.Bad |= Duplicate
	}
	job.Made, job.MadeAge = n, 0
	e.answer(t, Step{kind: kindMake, name: name, create: n}, rowCreated, 0)
}

// answer emits the step twice: the answer reaches its sender, or nobody.
func (e *expander) answer(t State, step Step, to row, f flags) {
	e.emit(t, step)
	step.yes = true
	e.tell(t, step, to, f)
}

// tell emits the step with its answer in the hands of the process that waits
// for it, if there is one.
func (e *expander) tell(t State, step Step, to row, f flags) {
	for i := range e.Procs {
		p := &t.Procs[i]
		if p.PC == pcWait && p.Name == step.name && p.Create == step.create {
			p.PC, p.To = pcAnswer, to
			p.Flags |= f
			step.proc = uint8(i)
			e.emit(t, step)
			return
		}
	}
}
