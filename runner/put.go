package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/plan"
)

// operationDetail is what a job is read by.
const operationDetail = "DescribeApsJobDetail"

// putting is what came of starting or suspending one existing job.
type putting struct {
	pending plan.Pending // what may have taken effect and is not confirmed
	waits   time.Time    // until when another change may take effect
	err     error
}

// put starts or suspends an existing job, unless it is so already, and records
// that. What the service acknowledges counts: a job that was started need not run
// yet. A refusal counts where the job turns out to be as wanted, since the service
// may refuse to start what runs.
//
// stop ends it before the promise, ctx also the requests.
func (r *Run) put(ctx, stop context.Context, entry plan.Entry, to plan.DesiredState, pending plan.Pending) (p putting) {
	rest := r.confirmed(pending)
	if pending.Digest != "" {
		rest = r.modification(pending)
	}
	// A modification changes other things, and the same once more does no harm.
	free := pending.Operation == plan.OperationModify || pending.Operation == to.Operation()
	if free || !r.alive(pending).IsSet() {
		return r.putBeside(ctx, stop, entry, to, pending, rest)
	}
	return putting{pending: pending, waits: pending.SignedAt.Add(r.options.Settle)}
}

// putBeside is put for a job of which something is pending that may take effect
// before, after or not at all. rest is what the ledger is to have of that
// afterwards. In between, the promise to start or suspend stands in for it: it is
// dated later.
func (r *Run) putBeside(ctx, stop context.Context, entry plan.Entry, to plan.DesiredState, pending, rest plan.Pending) (p putting) {
	operation := to.Operation()
	p.pending = pending
	now, err := r.stands(stop, entry, to)
	if err == nil && now.failed && !r.options.ByHand {
		err = now.failure()
	}
	if err == nil && !now.is {
		request := plan.ChangeRequest{Operation: operation, Region: entry.Region, JobID: entry.JobID}
		p.pending, err = r.change(ctx, stop, entry, request, plan.Pending{Operation: operation}, pending)
		if to == plan.Running {
			crashpoint.At(crashpoint.StartSent)
		}
		// That it pauses need not show: the change that it rests for is refused, and sent
		// again, until it does.
		if err == nil && to != plan.Paused || refusedAsIs(err) {
			err = r.shownAs(ctx, entry, to, err)
		}
	}
	if p.err = err; err == nil {
		p.err = r.recordPut(ctx, entry, to, p.pending, rest)
	}
	return p
}

// shownAs looks what a request to start or suspend led to. One that was refused
// may have been refused since there is nothing to do.
func (r *Run) shownAs(ctx context.Context, entry plan.Entry, to plan.DesiredState, refused error) error {
	now, err := r.stands(ctx, entry, to)
	switch {
	case err == nil && (now.is || now.begun):
		return nil
	case refused != nil:
		return refused
	case err != nil:
		return err
	case now.failed:
		return now.failure()
	}
	return &plan.CallError{Operation: operationDetail, Region: entry.Region, Failure: plan.FailureTemporary,
		Why: fmt.Sprintf("it was acknowledged, and the job does not show as %s yet", to)}
}

// standing is how a job stands to what it is to be put to: it is so, it has begun
// to become so, or it has failed.
type standing struct {
	is, begun, failed bool
	status            string
}

// failedJobError says that a job has failed at the service.
type failedJobError struct{ status string }

func (e *failedJobError) Error() string { return "the job has failed: its status is " + e.status }

func (s standing) failure() error {
	return &failedJobError{s.status}
}

// stands asks how a job stands to what it is to be put to. One that was never
// started stands still, too.
func (r *Run) stands(ctx context.Context, entry plan.Entry, to plan.DesiredState) (standing, error) {
	detail, err := r.service.Detail(ctx, entry.Region, entry.JobID)
	if err != nil {
		return standing{}, err
	}
	class, waits := plan.ClassOf(detail.Status), plan.NotStarted(detail.Status)
	return standing{
		is:     to == plan.Running && class == plan.ClassRunning || to != plan.Running && (class == plan.ClassSuspended || waits),
		begun:  class == plan.ClassPending && !waits && (to == plan.Running) != plan.Suspending(detail.Status),
		failed: class == plan.ClassFailed, status: detail.Status,
	}, nil
}

// putReasons say in the history what was done.
var putReasons = map[plan.DesiredState]string{plan.Running: "started", plan.Suspended: "suspended", plan.Paused: "to be suspended for a change or deletion, and to run again"}

func (r *Run) recordPut(ctx context.Context, entry plan.Entry, to plan.DesiredState, pending, rest plan.Pending) error {
	err := r.ledger.Settle(verdictContext(ctx), plan.Transition{
		Plan: entry.Plan, Name: entry.Name, From: plan.StateCreated, Attempt: entry.Attempt, To: plan.StateCreated,
		Spec: entry.Spec, Digest: entry.Digest, Labels: entry.Labels, Life: entry.Life, Doing: to, Before: pending, Pending: rest,
		JobID: entry.JobID, Reason: putReasons[to],
		Evidence: evidence{Kind: "put", Region: entry.Region}.JSON(),
		RunID:    r.options.RunID, At: r.clock.Now(),
	})
	if err != nil && !errors.Is(err, plan.ErrMovedOn) {
		err = ledgerFailed(fmt.Sprintf("record job %q as %s", entry.Name, to), err)
	}
	crashpoint.At(crashpoint.ChangeConfirmed)
	return err
}

// putDone takes in what came of starting or suspending.
func (s *scheduler) putDone(t *task, p putting) {
	s.inFlight--
	t.tries++
	t.pending = p.pending
	switch {
	case !p.waits.IsZero():
		s.waits(t, p.waits)
	case p.err == nil:
		t.pending = plan.Pending{}
		s.put(t)
	case t.isUnseen(p.err):
		s.lookAgain(t, p.err)
	case t.made != "" && refusedAsIs(p.err):
		// Parts of the service may not know yet what it has only just made or changed.
		o := outcomeOf(callOf(p.err))
		o.Failure = plan.FailureTemporary
		s.retry(t, o)
	default:
		s.changeFailed(t, p.err)
	}
}

// put finishes a task whose job is as it is to be put.
func (s *scheduler) put(t *task) {
	ending := t.made
	if ending == "" {
		ending = map[plan.DesiredState]Ending{plan.Running: EndStarted, plan.Suspended: EndSuspended}[t.puts]
	}
	t.state = plan.StateCreated
	s.retries.earn()
	if ending == EndBlocked {
		s.finish(t, ending, t.barred.Error+"; apsctl had suspended it, and it was started again", t.barred.Cause)
		t.barred = nil
		return
	}
	s.finish(t, ending, "", "")
}

// waits finishes a task that an earlier change stands in the way of.
func (s *scheduler) waits(t *task, until time.Time) {
	s.finish(t, EndUnknown, "an earlier change to something else got no answer and can still take effect", "outcome unknown")
	t.result.SettlesAt = until
}

// changeFailed takes in an error of a change of an existing job.
func (s *scheduler) changeFailed(t *task, err error) {
	call := callOf(err)
	switch {
	case errors.As(err, new(*LedgerError)):
		s.err = err
		s.end(StopLedger, err.Error(), plan.FailureNone)
	case errors.Is(err, plan.ErrMovedOn):
		t.pending = plan.Pending{}
		s.finish(t, EndBlocked, "another process moved this job on; run again to see where it stands", "moved on elsewhere")
	case errors.Is(err, context.Canceled):
		s.queue.add(t) // the run is stopping
	case call != nil:
		s.refused(t, outcomeOf(call))
	case errors.As(err, new(*failedJobError)):
		s.fail(t, err.Error(), "the job has failed at the service")
	default:
		s.failedBefore(t, err)
	}
}

// outcomeOf words a failed change as what came of a create, for the retries.
func outcomeOf(call *plan.CallError) plan.Outcome {
	why := call.Why
	if !strings.HasPrefix(why, call.Operation) {
		why = call.Operation + ": " + why
	}
	return plan.Outcome{
		Verdict: plan.VerdictRejected, Failure: call.Failure, Code: call.Code, Message: call.Message,
		Why: why, RetryAfter: call.RetryAfter, RequestID: call.RequestID,
	}
}
