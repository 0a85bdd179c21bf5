package aps

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Retries of a read. Throttling may need a whole minute to pass, because limits
// are counted by the minute; the rest of the failures get fewer attempts.
const (
	throttledMax = 8
	attemptsMax  = 5
	backoffBase  = 500 * time.Millisecond
	backoffMax   = 30 * time.Second
	hintMax      = 90 * time.Second
)

// ask sends a read until it succeeds, fails for good, or has been tried often
// enough, and passes what came to take. An error of take is final. Errors are
// *plan.CallError, and when ctx ended also what ctx says.
func (c *Client) ask(ctx context.Context, k call, take func(envelope, http.Header) error) error {
	renewed := false
	for attempt := 1; ; attempt++ {
		if err := c.opts.Limiter.Wait(ctx, k.operation, k.region); err != nil {
			return c.waitError(ctx, k, err)
		}
		e, header, failed := c.once(ctx, k)
		if failed == nil {
			return take(e, header)
		}
		if ctx.Err() != nil {
			return withCause(ctx, failed)
		}
		if failed.Failure == plan.FailureTemporary && tokenRefused(failed.Code) && !renewed {
			renewed = true
			continue
		}
		if !retryable(failed.Failure, attempt) {
			return failed
		}
		if err := c.opts.Sleep(ctx, pause(attempt, failed.RetryAfter)); err != nil {
			return c.waitError(ctx, k, err)
		}
	}
}

// withCause adds what ctx says if it has ended.
func withCause(ctx context.Context, failed *plan.CallError) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%w: %w", failed, ctx.Err())
	}
	return failed
}

// prepare returns the call of an APS operation with the limits of a read.
func (c *Client) prepare(operation, region string, params map[string]string) (call, *plan.CallError) {
	at, err := c.at(region)
	if err != nil {
		return call{}, &plan.CallError{Operation: operation, Failure: plan.FailureConfig, Why: err.Error()}
	}
	form := map[string]string{"RegionId": region}
	maps.Copy(form, params)
	return call{
		operation: operation, region: region, version: apiVersion, at: at,
		params: form, timeout: c.opts.ReadTimeout, bodyMax: bodyMax,
	}, nil
}

// once makes one attempt and returns the envelope of a success.
func (c *Client) once(ctx context.Context, k call) (envelope, http.Header, *plan.CallError) {
	return c.judgeRead(c.send(ctx, k))
}

// judgeRead says what came of one attempt, and tells the limiter and the keyring.
func (c *Client) judgeRead(r *reply) (envelope, http.Header, *plan.CallError) {
	k := r.call
	e, failed := r.result()
	if failed == nil {
		c.noteToken(r, "")
		c.observe(k, false, 0)
		return e, r.header, nil
	}
	failed.Operation, failed.Region = k.operation, k.region
	failed.HTTPStatus, failed.RetryAfter = r.status, retryAfter(r.header)
	verdict := r.outcome().Verdict
	failed.Undone = verdict == plan.VerdictRejected || verdict == plan.VerdictNotSent
	c.noteToken(r, failed.Code)
	if tokenRefused(failed.Code) && c.keys.refused(r.key) {
		failed.Failure, failed.Why = plan.FailureTemporary, "the security token was refused; a new one is fetched"
	}
	if r.status != 0 {
		c.observe(k, failed.Failure == plan.FailureThrottled, failed.RetryAfter)
	}
	failed.Code, failed.Message, failed.RequestID = r.clean(failed.Code), r.cleanMessage(failed.Message), r.clean(failed.RequestID)
	return envelope{}, nil, failed
}

// noteToken tells the keyring that the service got past the token: it answered,
// and with something else than a refusal of it.
func (c *Client) noteToken(r *reply, code string) {
	if r.status != 0 && r.err == nil && !tokenRefused(code) {
		c.keys.accepted(r.key)
	}
}

// result returns the envelope of a success, or why it is none.
func (r *reply) result() (envelope, *plan.CallError) {
	fail := func(class plan.Failure, why string) (envelope, *plan.CallError) {
		return envelope{}, &plan.CallError{Failure: class, Why: why}
	}
	switch {
	case r.unsent != nil:
		return fail(r.unsent.class, r.unsent.why)
	case r.status >= 300 && r.status < 400:
		return fail(plan.FailureConfig, redirected(r.status).Why)
	case r.err != nil:
		f := r.fault()
		return fail(f.class, f.why)
	case r.long:
		return fail(plan.FailureOther, fmt.Sprintf("the answer is longer than %d bytes", r.bodyMax))
	}
	e, err := parseEnvelope(r.body)
	switch {
	case err != nil && r.status == http.StatusTooManyRequests:
		return fail(plan.FailureThrottled, wordClass(plan.FailureThrottled))
	case err != nil && r.status >= 400 && !passing(r.status):
		return fail(plan.FailureOther, fmt.Sprintf("HTTP %d, and not JSON of the service", r.status))
	case err != nil:
		return fail(plan.FailureTemporary, fmt.Sprintf("the answer (HTTP %d) is not JSON of the service", r.status))
	case r.status == http.StatusOK && e.requestID != "" && e.succeeded():
		return e, nil
	}
	class := readClass(r.status, e)
	return envelope{}, &plan.CallError{
		Failure: class, Why: wordClass(class),
		Code: e.code(), Message: e.message, RequestID: e.requestID,
	}
}

// succeeded reports whether an answer with status 200 is a success. Code decides
// only where Success is missing: documented success samples carry InvalidInput
// beside Success (API reference, section 2).
func (e envelope) succeeded() bool {
	return e.success == yes || e.success == unsaid && len(e.codes) == 0
}

// readClass classifies an error reply to a call that may be repeated.
func readClass(status int, e envelope) plan.Failure {
	for _, code := range e.codes {
		if class, known := refusedBeforeExecution(code); known {
			return class
		}
		if temporary[strings.Split(code, ".")[0]] {
			return plan.FailureTemporary
		}
	}
	switch {
	case status == http.StatusTooManyRequests:
		return plan.FailureThrottled
	case passing(status), passing(e.status), status < 400 && len(e.codes) == 0:
		return plan.FailureTemporary
	}
	return plan.FailureOther
}

func retryable(class plan.Failure, attempt int) bool {
	switch class {
	case plan.FailureThrottled:
		return attempt < throttledMax
	case plan.FailureTemporary:
		return attempt < attemptsMax
	}
	return false
}

// pause returns how long to wait after attempt, counted from 1: half of a
// growing time for certain and the other half by chance, so that many clients do
// not come back at once. A hint of the service is the least.
func pause(attempt int, hint time.Duration) time.Duration {
	limit := min(backoffBase<<(attempt-1), backoffMax)
	wait := limit/2 + rand.N(limit/2)
	return max(wait, min(hint, hintMax)+rand.N(backoffBase/2))
}

func (c *Client) waitError(ctx context.Context, k call, err error) error {
	if ctx.Err() != nil {
		failed := &plan.CallError{Operation: k.operation, Region: k.region, Failure: plan.FailureTemporary, Why: "given up while waiting to send"}
		return fmt.Errorf("%w: %w", failed, ctx.Err())
	}
	return fmt.Errorf("%s in %s: wait: %w", k.operation, k.region, err)
}
