package runner

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// opCreate is the operation that creates are paced under.
const opCreate = "CreateAPSJob"

// Emergency is what must not be lost when a created job cannot be recorded.
type Emergency struct {
	Plan      string    `json:"plan"`
	Name      string    `json:"name"`
	Region    string    `json:"region"`
	JobID     string    `json:"aps_job_id"`
	RequestID string    `json:"request_id"`
	Attempt   int       `json:"attempt"`
	At        time.Time `json:"at"`
}

// attempt is one try to create one job: what the worker is given, and what
// came of it.
type attempt struct {
	job      *plan.Job
	from     plan.State
	number   int
	baseline []string
	tries    int  // earlier tries in this run
	last     bool // no further try follows in this run
	// giveSeat gives the worker's seat to the next task; seatGiven says that it was
	// given, and is the scheduler's.
	giveSeat  func()
	seatGiven bool

	step     step
	intended bool // the intent is on disk
	signedAt time.Time
	outcome  plan.Outcome
	saved    bool // with stepLedger: the created job was recorded after all
	err      error
}

// step says how far an attempt came.
type step int

const (
	stepNotStarted step = iota // the run was stopping; nothing was written
	stepPrepared               // failed before the intent: err says why
	stepMovedOn                // another process moved the entry on; nothing was sent
	stepStale                  // the process slept between intent and send; nothing was sent
	stepSent                   // outcome holds the verdict, and it is recorded
	stepLedger                 // the ledger failed; err says where
	stepPanic                  // a defect of ours; err holds it
)

// perform carries the attempt through the protocol: secrets, pace, nonce and
// date, intent on disk, freshness, one request, verdict on disk. stop ends it
// before the intent; ctx also ends the request itself. What was sent is
// recorded whatever the contexts say.
func (r *Run) perform(ctx, stop context.Context, a *attempt) {
	defer func() {
		if p := recover(); p != nil {
			r.recovered(a, p)
		}
	}()
	request, err := r.prepareRequest(stop, a)
	if stop.Err() != nil {
		return
	}
	if err != nil {
		a.step, a.err = stepPrepared, err
		return
	}
	if err := r.governor.Wait(stop, opCreate, a.job.Region); err != nil {
		return
	}
	if err := r.intend(ctx, a, &request); err != nil {
		return
	}
	r.send(ctx, a, request)
}

// prepareRequest does everything that may fail or take time before a date is
// chosen.
func (r *Run) prepareRequest(ctx context.Context, a *attempt) (plan.CreateRequest, error) {
	request := plan.CreateRequest{Spec: a.job.Spec}
	for _, password := range []struct {
		ref  *secret.Ref
		into *secret.Value
	}{
		{a.job.SourcePassword, &request.SourcePassword},
		{a.job.DestinationPassword, &request.DestinationPassword},
	} {
		if password.ref == nil {
			continue
		}
		value, err := r.secrets.Read(ctx, password.ref.InRegion(a.job.Region))
		if err != nil {
			return request, err
		}
		*password.into = value
		crashpoint.At(crashpoint.SecretRead)
	}
	return request, r.checkBeforeLast(ctx, a)
}

// checkBeforeLast looks the name up once before a job's last try: should the
// service ever execute what it answered with a throttling code, it shows here.
func (r *Run) checkBeforeLast(ctx context.Context, a *attempt) error {
	if !a.last || a.tries == 0 {
		return nil
	}
	jobs, err := r.service.Find(ctx, a.job.Region, a.job.Name)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		return fmt.Errorf("job %s of this name appeared while apsctl was being refused; nothing more was sent: run apply again to compare", job.ID)
	}
	return nil
}

// intend chooses nonce and date and commits the intent. A non-nil error means
// that nothing may be sent; it is recorded in a.
func (r *Run) intend(ctx context.Context, a *attempt, request *plan.CreateRequest) error {
	nonce, err := newNonce(r.clock.Now())
	if err == nil {
		_, err = r.server.check()
	}
	if err != nil {
		a.step, a.err = stepPrepared, err
		return err
	}
	chosenAt := r.clock.Boot()
	request.Nonce, request.SignedAt = nonce, r.clock.Now().UTC().Truncate(time.Second)
	a.signedAt = request.SignedAt
	crashpoint.At(crashpoint.DateChosen)
	r.weakenOrder(ctx, request)
	offset, _ := r.server.estimate()
	err = r.ledger.Intend(ctx, plan.Intent{
		Plan: r.plan.Name, Name: a.job.Name, From: a.from, Attempt: a.number,
		Spec: a.job.Spec, Digest: a.job.Digest, Labels: a.job.Labels, Life: a.job.Life,
		Nonce: nonce, SignedAt: request.SignedAt, ServerOffset: offset,
		Settle: r.options.Settle, OnUnknown: r.options.OnUnknown,
		Endpoint: r.options.Endpoint, Baseline: a.baseline,
		RunID: r.options.RunID, At: r.clock.Now(),
	})
	switch {
	case mutant.On(mutant.NoSwap) && errors.Is(err, plan.ErrMovedOn):
	case errors.Is(err, plan.ErrMovedOn):
		a.step = stepMovedOn
		return err
	case err != nil:
		a.step, a.err = stepLedger, ledgerFailed(fmt.Sprintf("record the intent to create job %q", a.job.Name), err)
		return err
	}
	a.intended = true
	crashpoint.At(crashpoint.IntentCommitted)
	weakenNonce(request)
	return r.checkFresh(ctx, a, chosenAt)
}

// checkFresh is the date fence on our side: a process that slept between
// choosing the date and sending must not send.
func (r *Run) checkFresh(ctx context.Context, a *attempt, chosenAt time.Duration) error {
	slept := max(r.clock.Boot()-chosenAt, r.clock.Now().Sub(a.signedAt)-time.Second)
	if slept <= freshFor || mutant.On(mutant.NoFreshness) {
		return r.checkStands(ctx, a, slept)
	}
	reason := fmt.Sprintf("not sent: this process stood still for %s after the request was dated", slept.Round(time.Second))
	a.step = stepStale
	if err := r.settle(ctx, a, plan.StateNotSent, plan.Outcome{Why: reason}); err != nil {
		a.step, a.err = stepLedger, err
	}
	return errors.New(reason)
}

// checkStands stops what another process has concluded something about while
// this one stood still. Where the lock holds there is no other process.
func (r *Run) checkStands(ctx context.Context, a *attempt, slept time.Duration) error {
	if slept < stoodStill {
		return nil
	}
	stands, err := r.ledger.Stands(context.WithoutCancel(ctx), r.plan.Name, a.job.Name, a.number)
	switch {
	case err != nil:
		a.step, a.err = stepLedger, ledgerFailed(fmt.Sprintf("read job %q again", a.job.Name), err)
		return err
	case !stands:
		a.step = stepMovedOn
		return plan.ErrMovedOn
	}
	return nil
}

// send makes the one request of the attempt and records the verdict.
func (r *Run) send(ctx context.Context, a *attempt, request plan.CreateRequest) {
	crashpoint.At(crashpoint.Fresh)
	weakenDate(&request, r.clock.Now())
	r.onWire.Add(1)
	a.outcome = r.clean(r.service.Create(ctx, request))
	r.onWire.Add(-1)
	r.server.observe(a.outcome.ServerTime)
	weakenVerdict(&a.outcome)
	a.step = stepSent
	err := r.recordVerdict(ctx, a)
	if err == nil {
		crashpoint.At(crashpoint.VerdictDone)
		return
	}
	a.step, a.err = stepLedger, err
	if a.outcome.Verdict == plan.VerdictCreated {
		a.saved = r.rescue(ctx, a)
	}
}

// recovered turns a panic of ours into a result, so that the other jobs go on.
// After the intent the outcome counts as unknown.
func (r *Run) recovered(a *attempt, p any) {
	a.err = fmt.Errorf("a defect in apsctl: %s", r.secrets.Clean(fmt.Sprintf("%v\n%s", p, debug.Stack())))
	if a.step = stepPanic; !a.intended {
		return
	}
	a.outcome = plan.Outcome{Verdict: plan.VerdictUnknown, Why: "apsctl failed while the request was under way"}
	// The entry may have left the intent already; then there is nothing to add.
	_ = r.settle(context.Background(), a, plan.StateUnknown, a.outcome)
}

// clean removes secrets that the service may have echoed.
func (r *Run) clean(o plan.Outcome) plan.Outcome {
	o.Why, o.Code, o.Message = r.secrets.Clean(o.Why), r.secrets.Clean(o.Code), r.secrets.Clean(o.Message)
	return o
}

// newNonce returns 32 hexadecimal digits, the form that the core itself uses: the
// milliseconds of at and 80 random bits. With the time in front, the ledger's index
// of nonces grows at its end only, which spares it a page for each intent.
func newNonce(at time.Time) (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[6:]); err != nil {
		return "", fmt.Errorf("choose a nonce: %w", err)
	}
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(at.UnixMilli()))
	copy(b[:6], ms[2:])
	return hex.EncodeToString(b[:]), nil
}
