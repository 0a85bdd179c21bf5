package model

// kind is what happens in one step.
type kind uint8

const (
	kindTick kind = iota
	kindLedgerLost
	kindCrash
	kindStart
	kindScan
	kindChoose
	kindCommit
	kindCheck
	kindSend
	kindNotHandedOver
	kindTimeOut
	kindVerdict
	kindLook
	kindLook2
	kindAged
	kindAbsent
	kindFound
	kindCopy
	kindLose
	kindTooOld
	kindUsed
	kindRefuse
	kindAccept
	kindBroken
	kindMake
	kindGiveUp
)

// Step says what happened between two states, as far as they do not.
type Step struct {
	kind   kind
	proc   uint8
	name   uint8
	create uint8 // 1 and up
	yes    bool  // seen, fresh, swapped or answered, by kind
}

// next is a state one step further on.
type next struct {
	State
	step Step
}

// expander lists the states one step further on. Its order is fixed.
type expander struct {
	*Config
	from State
	out  []next
}

// expand returns what can follow s. The slice is valid until the next call.
func (e *expander) expand(s State) []next {
	e.from, e.out = s, e.out[:0]
	for i := range e.Procs {
		e.process(uint8(i))
	}
	for name := range e.Names {
		for n := range s.Jobs[name].Used {
			e.network(uint8(name), n+1)
			e.service(uint8(name), n+1)
		}
	}
	e.tick()
	e.loseLedger()
	return e.out
}

func (e *expander) emit(t State, step Step) {
	e.normalize(&t)
	e.judge(&t)
	if t != e.from {
		e.out = append(e.out, next{t, step})
	}
}

// tick lets time pass, unless the service would break its word by it.
func (e *expander) tick() {
	t := e.from
	for name := range e.Names {
		job := &t.Jobs[name]
		job.Age = older(job.Age, settle)
		if job.Made != 0 {
			job.MadeAge = older(job.MadeAge, lag+1)
		}
		for i := range job.Used {
			create := &job.Creates[i]
			create.Age = older(create.Age, window+1)
			switch {
			case create.Work == 0:
			case create.Work <= backend:
				create.Work++
			case e.has(BackendBound):
				return
			}
		}
	}
	for i := range e.Procs {
		p := &t.Procs[i]
		switch p.PC {
		case pcCommit, pcLook, pcLook2, pcAged:
			p.Age = older(p.Age, settle)
		case pcCheck:
			p.Age = older(p.Age, fresh+1)
		}
	}
	e.emit(t, Step{kind: kindTick})
}

func older(age, most uint8) uint8 { return min(age+1, most) }

// loseLedger forgets every row, once all is quiet: nothing runs, nothing is on
// the wire, and every job is listed.
func (e *expander) loseLedger() {
	t := e.from
	if t.Losses == 0 {
		return
	}
	for i := range e.Procs {
		if t.Procs[i].PC != pcIdle {
			return
		}
	}
	for name := range e.Names {
		job := &t.Jobs[name]
		if job.busy() {
			return
		}
		forgotten := Job{Used: job.Used, Foreign: job.Foreign}
		if job.Made != 0 {
			forgotten.Foreign = foreignLost
		}
		*job = forgotten
	}
	t.Losses--
	e.emit(t, Step{kind: kindLedgerLost})
}

// busy reports whether something may still happen to the job by itself.
func (j *Job) busy() bool {
	for _, create := range j.Creates {
		if create.Flight > 0 || create.Work > 0 {
			return true
		}
	}
	return j.Made != 0 && j.MadeAge <= lag
}
