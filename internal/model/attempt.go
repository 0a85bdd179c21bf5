package model

// choose picks nonce and date for the attempt after the one on disk. A retry
// goes by the row that its own process wrote.
func (e *expander) choose(i uint8) {
	t := e.from
	p := &t.Procs[i]
	job := &t.Jobs[p.Name]
	ok := true
	if p.PC == pcChoose {
		p.From, p.Attempt = job.Row, job.Attempt
		ok = e.sendable(job.Row)
	}
	name := p.Name
	if p.PC = pcCommit; !ok {
		*p = Proc{}
	}
	e.emit(t, Step{kind: kindChoose, proc: i, name: name, yes: ok})
}

// matches is the compare-and-swap guard, as far as the rules have it.
func (e *expander) matches(p *Proc, job *Job, place Rule) bool {
	if !e.has(CAS | place) {
		return true
	}
	return p.From == job.Row && (p.Attempt == job.Attempt || !e.has(CASAttempt))
}

// commit puts the intent on disk, with nonce, date and baseline.
func (e *expander) commit(i uint8) {
	t := e.from
	p := &t.Procs[i]
	job := &t.Jobs[p.Name]
	step := Step{kind: kindCommit, proc: i, name: p.Name}
	if int(job.Used) == e.Creates {
		return // out of the model's bounds
	}
	if e.has(IntentFirst) {
		if !e.matches(p, job, CASIntent) {
			*p = Proc{}
			e.emit(t, step)
			return
		}
		if job.Open {
			t.Bad |= Early
		}
		p.From, p.Attempt = rowIntent, p.Attempt+1
		job.Row, job.Attempt, job.Open = rowIntent, p.Attempt, true
		job.Age, job.Baseline = p.Age, p.has(flagBaseline)
	}
	job.Creates[job.Used] = Create{Age: min(p.Age, window+1), OnDisk: e.has(IntentFirst)}
	job.Used++
	p.PC, p.Create, p.Age = pcCheck, job.Used, min(p.Age, fresh+1)
	p.Flags &^= flagBaseline
	step.create, step.yes = p.Create, true
	e.emit(t, step)
}

// check is the date fence on our side.
func (e *expander) check(i uint8) {
	t := e.from
	p := &t.Procs[i]
	// A date that is chosen when the request leaves is fresh by itself.
	ok := p.Age <= fresh || !e.has(Freshness) || !e.has(DateFence)
	if p.PC, p.Age = pcSend, 0; !ok {
		p.PC, p.To = pcAnswer, rowNotSent
		p.Flags |= flagSure
	}
	e.emit(t, Step{kind: kindCheck, proc: i, name: p.Name, create: p.Create, yes: ok})
}

// send hands the request to the network, or finds nobody to hand it to.
func (e *expander) send(i uint8) {
	t := e.from
	p := &t.Procs[i]
	create := &t.Jobs[p.Name].Creates[p.Create-1]
	create.Flight = 1
	if !e.has(DateFence) {
		create.Age = 0
	}
	if !create.OnDisk {
		t.Bad |= Unwitnessed
	}
	p.PC = pcWait
	e.emit(t, Step{kind: kindSend, proc: i, name: p.Name, create: p.Create})

	t = e.from
	p = &t.Procs[i]
	p.PC, p.To = pcAnswer, rowNotSent
	p.Flags |= flagSure
	e.emit(t, Step{kind: kindNotHandedOver, proc: i, name: p.Name, create: p.Create})
}

// giveUp ends the wait for an answer: a time-out, a reset, or a cancelled run.
func (e *expander) giveUp(i uint8) {
	t := e.from
	p := &t.Procs[i]
	p.PC, p.To = pcAnswer, e.doubt(TimeoutUnknown)
	if !e.has(TimeoutUnknown) {
		p.To = rowNotSent
	}
	e.emit(t, Step{kind: kindTimeOut, proc: i, name: p.Name, create: p.Create})
}

// doubt is the verdict on what is no sure answer.
func (e *expander) doubt(part Rule) row {
	if e.has(RestUnknown | part) {
		return rowUnknown
	}
	return rowRejected
}

// record commits a verdict. After one that allows it, the same run may try again
// without another listing.
func (e *expander) record(i uint8) {
	t := e.from
	p := &t.Procs[i]
	job := &t.Jobs[p.Name]
	step := Step{kind: kindVerdict, proc: i, name: p.Name, create: p.Create}
	ok := e.matches(p, job, CASVerdict)
	verdict := *p
	*p = Proc{}
	if !ok || !e.has(VerdictKept) {
		e.emit(t, step)
	}
	if !ok {
		return
	}
	if !e.has(IntentFirst) {
		verdict.Attempt++
	}
	job.Row, job.Attempt, job.ID = verdict.To, verdict.Attempt, 0
	if verdict.To == rowCreated {
		job.ID = verdict.Create
	}
	if verdict.has(flagSure) {
		job.Open = false
	}
	step.yes = true
	e.emit(t, step)
	if verdict.To == rowRejected || verdict.To == rowNotSent {
		t.Procs[i] = again(verdict.Name, verdict.To, verdict.Attempt, job.Baseline)
		e.emit(t, step)
	}
}

// again is a process that goes on with another attempt by what it just wrote,
// and with the listing that it began with.
func again(name uint8, from row, attempt uint8, baseline bool) Proc {
	p := Proc{PC: pcRetry, Name: name, From: from, Attempt: attempt}
	if baseline {
		p.Flags = flagBaseline
	}
	return p
}
