package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// attempted takes in what came of one create attempt.
func (s *scheduler) attempted(t *task, a *attempt) {
	if a.seatGiven {
		s.recording--
	} else {
		s.inFlight--
	}
	if a.intended { // else nothing was tried: it is as it was
		t.tries++
	}
	switch a.step {
	case stepNotStarted:
		s.queue.add(t) // the run is stopping: it is counted as not tried
	case stepPrepared:
		s.failedBefore(t, a.err)
	case stepMovedOn:
		s.finish(t, EndBlocked, "another process moved this job on; run again to see where it stands", "moved on elsewhere")
	case stepStale:
		t.attempt, t.state = a.number, plan.StateNotSent
		s.retry(t, plan.Outcome{Failure: plan.FailureTemporary, Why: "this process stood still before sending"})
	case stepLedger:
		s.ledgerFailed(t, a)
	case stepPanic:
		s.panicked(t, a)
	case stepSent:
		s.requests++
		if t.tries > 1 {
			s.retried++
		}
		t.attempt, t.state = a.number, stateOf(a.outcome.Verdict)
		s.judge(t, a)
	}
}

// judge acts on a recorded verdict.
func (s *scheduler) judge(t *task, a *attempt) {
	o := a.outcome
	switch o.Verdict {
	case plan.VerdictCreated:
		s.existing(t, EndCreated, o.JobID)
	case plan.VerdictRejected, plan.VerdictNotSent:
		s.refused(t, o)
	default:
		s.unknown(t, a)
		if o.Failure.StopsRun() {
			s.end(stopFor(o.Failure), describe(o), o.Failure)
		}
	}
}

func (s *scheduler) refused(t *task, o plan.Outcome) {
	switch {
	case o.Failure == plan.FailureThrottled:
		s.throttled++
		s.retry(t, o)
	case o.Failure == plan.FailureTemporary:
		if o.Verdict == plan.VerdictNotSent {
			// Nobody answers: slow every worker down as if throttled.
			s.run.governor.Observe(opCreate, t.change.Region(), true, 0)
		}
		s.retry(t, o)
	default:
		s.fail(t, describe(o), causeOf(o))
		if o.Failure.StopsRun() {
			s.end(stopFor(o.Failure), describe(o), o.Failure)
		}
	}
}

// retry puts the task back for a later try, or gives it up for this run.
func (s *scheduler) retry(t *task, o plan.Outcome) {
	options := s.run.options
	pause := backoff(options.Rand, t.tries, o.RetryAfter)
	due := time.Now().Add(pause)
	t.result.Error, t.result.Cause = describe(o), causeOf(o)
	switch {
	case t.tries >= options.MaxAttempts:
		s.fail(t, fmt.Sprintf("given up for this run after %d attempts: %s", t.tries, describe(o)), causeOf(o))
	case due.Sub(t.since) > options.MaxElapsed:
		s.fail(t, fmt.Sprintf("given up for this run after %s: %s", time.Since(t.since).Round(time.Second), describe(o)), causeOf(o))
	case !s.retries.take():
		s.fail(t, "given up for this run, whose retries are used up: "+describe(o), causeOf(o))
	default:
		t.dueAt = due
		s.cause = causeOf(o)
		s.tellWait(t, pause, time.Time{})
		s.queue.add(t)
	}
}

// unknown notes that the attempt's outcome is not known, and has it looked for.
func (s *scheduler) unknown(t *task, a *attempt) {
	t.state, t.attempt = plan.StateUnknown, a.number
	t.knows(plan.Entry{
		Plan: s.run.plan.Name, Name: t.change.Name, State: plan.StateUnknown, Attempt: a.number,
		Region: a.job.Region, Spec: a.job.Spec, Digest: a.job.Digest,
		SignedAt: a.signedAt, Baseline: a.baseline,
	})
	t.own = true
	s.own++
	t.finish(EndUnknown, describe(a.outcome), causeOf(a.outcome))
	s.await(t)
}

// existing finishes a task whose job is known to be on the service.
func (s *scheduler) existing(t *task, ending Ending, id string) {
	t.state, t.result.JobID = plan.StateCreated, id
	s.created++
	s.retries.earn()
	if t.change.Kind == plan.KindReplace {
		ending = EndReplaced
	}
	if s.putNext(t, ending) {
		return
	}
	s.finish(t, ending, "", "")
}

// putNext queues a job again that is there and is to be started or suspended, and
// reports whether it did.
func (s *scheduler) putNext(t *task, made Ending) bool {
	job, to := t.change.Job, t.change.Puts()
	if job == nil || to == "" {
		return false
	}
	entry := plan.Entry{
		Plan: s.run.plan.Name, Name: t.change.Name, State: plan.StateCreated, Attempt: t.attempt, Region: job.Region,
		Spec: job.Spec, Digest: job.Digest, Labels: job.Labels, Life: job.Life, JobID: t.result.JobID,
	}
	if t.known != nil && t.entry.State.Unresolved() && t.entry.Attempt == t.attempt {
		// It was found: it is as that attempt said, whatever the plan says by now.
		entry.Region, entry.Spec, entry.Digest = t.entry.Region, t.entry.Spec, t.entry.Digest
	}
	if made == EndAdopted {
		entry.Spec, entry.Digest = t.change.Adopted()
	}
	if made == EndUpdated {
		entry.Spec, entry.Doing = t.change.Updated(), t.change.Doing()
	}
	if entry.Doing == to {
		return false
	}
	t.knows(entry)
	t.made, t.puts = made, to
	t.tries, t.dueAt = 0, time.Now()
	t.finish(EndFailed, "it exists, but was not put to "+string(to)+" yet", "not put to "+string(to))
	s.queue.add(t)
	return true
}

func (s *scheduler) fail(t *task, why, cause string) {
	s.finish(t, EndFailed, why, cause)
	s.countFailure()
}

func (s *scheduler) countFailure() {
	s.failures++
	if most := s.run.options.MaxFailures; most != nil && s.failures > *most {
		s.end(StopFailureCap, fmt.Sprintf("%d jobs failed; --max-failures allows %d", s.failures, *most), plan.FailureNone)
	}
}

func (s *scheduler) finish(t *task, ending Ending, why, cause string) {
	s.done++
	t.finish(ending, why, cause)
	switch ending {
	case EndCreated, EndReplaced, EndUpdated, EndStarted:
		s.follow(t)
	case EndUnknown: // it keeps its places: its job may be there
		s.leaveWave(t, true)
	default:
		s.ready(s.places.give(t))
		s.leaveWave(t, ending == EndFailed || ending == EndBlocked)
	}
}

// failedBefore is a failure before anything was written: a secret that cannot
// be read, or a look that failed.
func (s *scheduler) failedBefore(t *task, err error) {
	why := s.run.secrets.Clean(err.Error())
	var skew *SkewError
	if errors.As(err, &skew) {
		t.result.Error = why // not tried: it is no fault of the job's
		s.end(StopSkew, why, plan.FailureNone)
		return
	}
	s.fail(t, why, "could not be prepared")
	if failure := failureOf(err); failure.StopsRun() {
		s.end(stopFor(failure), why, failure)
	}
}

func (s *scheduler) panicked(t *task, a *attempt) {
	s.run.options.Warn(a.err.Error())
	if !a.intended {
		s.fail(t, "a defect in apsctl; see the messages above", "a defect in apsctl")
		return
	}
	s.unknown(t, a)
}

// ledgerFailed ends the run: what cannot be recorded must not be sent.
func (s *scheduler) ledgerFailed(t *task, a *attempt) {
	s.err = a.err
	s.end(StopLedger, a.err.Error(), plan.FailureNone)
	if !a.intended {
		return // nothing was sent: it is counted as not tried
	}
	s.requests++
	if a.saved {
		t.attempt = a.number
		s.existing(t, EndCreated, a.outcome.JobID)
		return
	}
	t.state, t.attempt = plan.StateIntent, a.number
	why := "its outcome could not be recorded"
	if id := a.outcome.JobID; id != "" {
		why = fmt.Sprintf("created as %s, which could not be recorded", id)
	}
	s.finish(t, EndUnknown, why, "the ledger could not be written")
	t.result.JobID = a.outcome.JobID
}
