package model

// process emits what process i can do.
func (e *expander) process(i uint8) {
	p := e.from.Procs[i]
	switch p.PC {
	case pcIdle:
		e.starts(i)
		return
	case pcScan:
		e.scan(i)
	case pcChoose, pcRetry:
		e.choose(i)
	case pcCommit:
		e.commit(i)
	case pcCheck:
		e.check(i)
	case pcSend:
		e.send(i)
	case pcWait:
		e.giveUp(i)
	case pcAnswer:
		e.record(i)
	default:
		e.resolve(i)
	}
	e.crash(i)
}

// crash ends a process; what it has in memory is gone.
func (e *expander) crash(i uint8) {
	t := e.from
	if t.Crashes == 0 {
		return
	}
	if t.Crashes != Unlimited {
		t.Crashes--
	}
	name := t.Procs[i].Name
	t.Procs[i] = Proc{}
	e.emit(t, Step{kind: kindCrash, proc: i, name: name})
}
