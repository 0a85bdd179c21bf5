package probe

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// attemptsMax is how often a create is tried that is proven not to have happened.
const attemptsMax = 4

// RefusedError says that the service does not make a throw-away job.
type RefusedError struct{ Outcome plan.Outcome }

func (e *RefusedError) Error() string {
	text := "the throw-away job was not created: " + e.Outcome.Why
	if e.Outcome.Code != "" {
		text += " (" + strings.TrimSuffix(e.Outcome.Code+": "+e.Outcome.Message, ": ") + ")"
	}
	return text
}

// UnknownError says that a create has no answer and its job is not listed.
type UnknownError struct{ Name, Why string }

func (e *UnknownError) Error() string {
	return fmt.Sprintf("a create of %s has no answer and the job is not listed (%s); nothing more was sent", e.Name, e.Why)
}

// JournalError says that the journal could not be written. Nothing is sent that is
// not in it.
type JournalError struct{ Err error }

func (e *JournalError) Error() string {
	return "the journal of the probe cannot be written: " + e.Err.Error()
}
func (e *JournalError) Unwrap() error { return e.Err }

func (p *Probe) put(t Try) error {
	if err := p.journal.Put(t); err != nil {
		return &JournalError{err}
	}
	return nil
}

// make creates one job. The job is nil, without an error, when the service refused
// it, as the outcome says. With baseline, jobs of that name are there already.
func (p *Probe) make(ctx context.Context, name string, baseline ...string) (*job, plan.Outcome, error) {
	for attempt := 1; ; attempt++ {
		made, o, err := p.attempt(ctx, name, baseline)
		again := o.Failure == plan.FailureThrottled || o.Failure == plan.FailureTemporary
		if err != nil || made != nil || !again || o.Verdict == plan.VerdictUnknown || attempt == attemptsMax {
			return made, o, err
		}
		if err := sleep(ctx, max(o.RetryAfter, time.Duration(attempt)*time.Second)); err != nil {
			return nil, o, err
		}
	}
}

func (p *Probe) attempt(ctx context.Context, name string, baseline []string) (*job, plan.Outcome, error) {
	spec := p.o.Job
	spec.Name, spec.Region = name, p.region
	t := Try{Name: name, Nonce: strings.ToLower(rand.Text() + rand.Text())[:32], SignedAt: time.Now().UTC(), Baseline: baseline}
	if err := p.put(t); err != nil {
		return nil, plan.Outcome{}, err
	}
	if err := ctx.Err(); err != nil { // nothing was sent
		t.Over = true
		return nil, plan.Outcome{}, errors.Join(err, p.put(t))
	}
	p.creates++
	// A signal does not cut the request off: its answer is worth more.
	o := p.service.Create(context.WithoutCancel(ctx), plan.CreateRequest{
		Spec: spec, SourcePassword: p.o.SourcePassword, DestinationPassword: p.o.DestinationPassword,
		Nonce: t.Nonce, SignedAt: t.SignedAt,
	})
	switch o.Verdict {
	case plan.VerdictCreated:
		t.ID = o.JobID
	case plan.VerdictRejected, plan.VerdictNotSent:
		t.Over = true
		return nil, o, p.put(t)
	default:
		return p.look(ctx, t, o)
	}
	return &job{try: t, acked: time.Now(), clock: o.ServerTime}, o, p.put(t)
}

// look looks for a create without a clear answer, by its name, in complete
// listings. One that an answer refused and that does not appear counts as refused;
// the cleaning looks for it once more.
func (p *Probe) look(ctx context.Context, t Try, o plan.Outcome) (*job, plan.Outcome, error) {
	found, err := p.until(ctx, pauseMax, func() (bool, error) {
		ids, err := p.named(ctx, t)
		if len(ids) > 0 {
			t.ID = ids[0]
		}
		return len(ids) > 0, err
	})
	switch {
	case err != nil:
		return nil, o, err
	case found:
		return &job{try: t, acked: time.Now(), clock: o.ServerTime}, o, p.put(t)
	case refused(o):
		t.Refused = true
		return nil, o, p.put(t)
	}
	return nil, o, &UnknownError{t.Name, o.Why}
}

// refused reports whether the service itself said no, though not in words that
// prove that nothing was done.
func refused(o plan.Outcome) bool {
	return o.Code != "" && o.RequestID != "" && o.Failure != plan.FailureTemporary && o.HTTPStatus < 500
}

// named are the ids that are listed under the name of a try and were not before.
func (p *Probe) named(ctx context.Context, t Try) ([]string, error) {
	listing, err := p.service.List(ctx, p.region, false)
	var ids []string
	for _, job := range listing.Named(t.Name) {
		if !slices.Contains(t.Baseline, job.ID) {
			ids = append(ids, job.ID)
		}
	}
	return ids, err
}

// change sends an operation on a job, again when the service could not do it.
func (p *Probe) change(ctx context.Context, operation plan.Operation, id string) error {
	request := plan.ChangeRequest{Operation: operation, Region: p.region, JobID: id}
	if operation == plan.OperationModify {
		request.DBList, request.PartitionList = p.o.Job.DBList, p.o.Job.PartitionList
	}
	for attempt := 1; ; attempt++ {
		request.SignedAt = time.Now()
		err := p.service.Change(ctx, request)
		if !passing(err) || attempt == attemptsMax {
			return err
		}
		if err := sleep(ctx, time.Duration(attempt)*time.Second); err != nil {
			return err
		}
	}
}

// passing reports whether a failed call may well succeed later.
func passing(err error) bool {
	var call *plan.CallError
	return errors.As(err, &call) && (call.Failure == plan.FailureThrottled || call.Failure == plan.FailureTemporary)
}

// clean deletes what the journal has and returns what may be left.
func (p *Probe) clean(ctx context.Context) (left []Left) {
	open := p.journal.Open()
	if len(open) > 0 {
		p.o.Note("deleting the throw-away jobs")
	}
	for _, t := range open {
		if l := p.cleanOne(ctx, t); l != nil {
			left = append(left, *l)
		}
	}
	return left
}

// Clean deletes what an earlier probe left and returns what may still be left.
func (p *Probe) Clean(ctx context.Context) []Left { return p.clean(ctx) }

func (p *Probe) cleanOne(ctx context.Context, t Try) *Left {
	left := func(id, why string, args ...any) *Left {
		return &Left{Name: t.Name, ID: id, Why: fmt.Sprintf(why, args...)}
	}
	if t.ID != "" {
		if err := p.remove(ctx, t.ID, t.Listed); err != nil {
			return left(t.ID, "%s", err)
		}
	}
	// Whatever else has the name: a request may have been carried out twice.
	listing, err := p.service.List(ctx, p.region, true)
	if err != nil {
		return left(t.ID, "it could not be looked for: %s", err)
	}
	for _, job := range listing.Named(t.Name) {
		if slices.Contains(t.Baseline, job.ID) || p.others(t, job.ID) {
			continue
		}
		if err := p.remove(ctx, job.ID, true); err != nil {
			return left(job.ID, "%s", err)
		}
		t.ID = job.ID
	}
	if until := t.SignedAt.Add(p.o.Settle); t.ID == "" && !t.Refused && time.Now().Before(until) {
		l := left("", "its create has no answer, and the job is not listed so far")
		l.Until = until
		return l
	}
	t.Over = true
	if err := p.put(t); err != nil {
		return left(t.ID, "it is gone, but %s", err)
	}
	return nil
}

// others reports whether an id is that of another try, which is cleaned itself.
func (p *Probe) others(t Try, id string) bool {
	return slices.ContainsFunc(p.journal.Open(), func(other Try) bool { return other.ID == id && other.Nonce != t.Nonce })
}

// remove deletes a job, suspended where it has to be, and waits until no listing
// shows it any more. A refusal counts as gone only for a job that was listed once
// and no longer is: one that is not listed yet may be there.
func (p *Probe) remove(ctx context.Context, id string, seen bool) error {
	err := p.change(ctx, plan.OperationDelete, id)
	if err != nil && ctx.Err() == nil && p.change(ctx, plan.OperationSuspend, id) == nil {
		err = p.change(ctx, plan.OperationDelete, id)
	}
	if err != nil && (!seen || ctx.Err() != nil || p.listed(ctx, id)) {
		return err
	}
	gone, waitErr := p.until(ctx, pauseMax, func() (bool, error) { return !p.listed(ctx, id), ctx.Err() })
	switch {
	case gone:
		return nil
	case waitErr != nil:
		return waitErr
	}
	return fmt.Errorf("it was deleted and is still listed after %s", p.o.Wait)
}

// listed is true also when the listing failed: what is not known to be gone is not.
func (p *Probe) listed(ctx context.Context, id string) bool {
	listing, err := p.service.List(ctx, p.region, false)
	return err != nil || slices.ContainsFunc(listing.Jobs, func(job plan.RemoteJob) bool { return job.ID == id })
}
