package model

import "fmt"

// words tells in one line what the step did.
func (s Step) words(c *Config, before, after *State) string {
	switch {
	case s.kind == kindTick:
		return "time passes"
	case s.kind == kindLedgerLost:
		return "the ledger is lost; an empty one takes its place"
	case s.kind >= kindCopy:
		return s.outside(c)
	}
	who := fmt.Sprintf("%c, job %d:", 'A'+s.proc, s.name+1)
	return who + " " + s.inside(c, before, after)
}

// inside tells what a process did.
func (s Step) inside(c *Config, before, after *State) string {
	was, is := &before.Procs[s.proc], &after.Procs[s.proc]
	job, now := &before.Jobs[s.name], &after.Jobs[s.name]
	switch s.kind {
	case kindCrash:
		return "is killed"
	case kindStart:
		return "starts; the ledger has " + entry(job) + pick(s.yes, "", "; its credentials hide every job")
	case kindScan:
		return "lists: " + pick(s.yes, "a job of this name is there", "no job of this name") +
			pick(is.PC == pcIdle, "; it is reported", "")
	case kindChoose:
		if !s.yes {
			return "reads the ledger again, which has " + entry(job) + ", and sends nothing"
		}
		return pick(was.PC == pcRetry, "tries again after ", "reads the ledger again: ") +
			numbered(is.From, is.Attempt) + "; chooses nonce and date"
	case kindCommit:
		if !s.yes {
			return "commits no intent: the row has moved on to " + entry(job)
		}
		if !c.has(IntentFirst) {
			return fmt.Sprintf("prepares create %d and writes nothing", s.create)
		}
		return fmt.Sprintf("commits %s for create %d", entry(now), s.create)
	case kindCheck:
		return pick(s.yes, "finds the date fresh", "stood still since it chose the date, and does not send")
	case kindSend:
		return fmt.Sprintf("sends create %d", s.create)
	case kindNotHandedOver:
		return "gets no connection; nothing is sent"
	case kindTimeOut:
		return fmt.Sprintf("gives up waiting for the answer to create %d: %s", s.create, is.To)
	case kindLook, kindLook2:
		return pick(s.kind == kindLook, "looks: ", "looks again: ") +
			pick(s.yes, "the job is listed", "the job is not listed") + pick(is.PC == pcIdle, "; that proves nothing", "")
	case kindAged:
		return pick(s.yes, "has its listing, and settle has passed since the date", "has its listing, and it is too early")
	default:
		return s.written(was, now)
	}
}

// written tells what became of a transition.
func (s Step) written(was *Proc, now *Job) string {
	if !s.yes {
		return fmt.Sprintf("does not record %s: the row is %s", was.To.orAbsent(), entry(now))
	}
	return "records " + entry(now)
}

func (r row) orAbsent() row {
	if r == rowNone {
		return rowAbsent
	}
	return r
}

// outside tells what the network or the service did.
func (s Step) outside(c *Config) string {
	what := fmt.Sprintf("create %d", s.create)
	if c.Names > 1 {
		what += fmt.Sprintf(" of job %d", s.name+1)
	}
	heard := "; the answer is lost or late"
	if s.yes {
		heard = fmt.Sprintf("; %c has the answer", 'A'+s.proc)
	}
	switch s.kind {
	case kindCopy:
		return "the network duplicates " + what
	case kindLose:
		return "the network loses " + what
	case kindTooOld:
		return "the gateway refuses " + what + " for its date" + heard
	case kindUsed:
		return "the gateway refuses " + what + ": its nonce was used" + heard
	case kindRefuse:
		return "the gateway refuses " + what + heard
	case kindAccept:
		return "the gateway accepts " + what
	case kindBroken:
		return "the gateway answers " + what + " with a 5xx while the service works on it" + heard
	case kindMake:
		return "the service makes the job of " + what + heard
	default:
		return "the service gives up " + what + " with a 5xx" + heard
	}
}

// entry is a row as people see it.
func entry(j *Job) string {
	switch {
	case j.ID == idForeign:
		return fmt.Sprintf("created(%d) with the id of a job that is not ours", j.Attempt)
	case j.Row == rowCreated:
		return fmt.Sprintf("created(%d) with the job of create %d", j.Attempt, j.ID)
	}
	return numbered(j.Row, j.Attempt)
}

// numbered is a state with its attempt.
func numbered(r row, attempt uint8) string {
	if r == rowNone {
		return r.String()
	}
	return fmt.Sprintf("%s(%d)", r, attempt)
}

func pick(first bool, a, b string) string {
	if first {
		return a
	}
	return b
}
