package aps

import (
	"cmp"
	"context"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// The operations that ReadOnce sends. They change nothing.
const (
	OperationList   = opList
	OperationDetail = opDetail
)

// ReadRequest is one request that looks at the service itself.
type ReadRequest struct {
	Operation string // OperationList or OperationDetail
	Region    string
	Params    map[string]string // but for RegionId
	// SignedAt goes out as the header x-acs-date, to the second. Zero is now.
	SignedAt time.Time
}

// ReadAnswer is what came back, whatever it was. Body is as it arrived; it holds
// no secret, since the operations have none.
type ReadAnswer struct {
	Status         int       // 0 when no answer came
	ServerTime     time.Time // the Date header; zero when there was none
	Sent, Received time.Time // around the request, by this machine's clock
	Body           []byte
}

// ReadOnce sends one request of a read and does not repeat it. The error is nil
// for a success of the service and else a *plan.CallError; the answer is there in
// both cases.
func (c *Client) ReadOnce(ctx context.Context, request ReadRequest) (ReadAnswer, error) {
	if request.Operation != OperationList && request.Operation != OperationDetail {
		return ReadAnswer{}, &plan.CallError{Operation: request.Operation, Failure: plan.FailureOther, Why: "that is no read, nothing was sent"}
	}
	k, failed := c.prepare(request.Operation, request.Region, request.Params)
	if failed != nil {
		return ReadAnswer{}, failed
	}
	k.bodyMax = listMax
	if !request.SignedAt.IsZero() {
		k.headers = map[string]string{"x-acs-date": request.SignedAt.UTC().Format(dateFormat)}
	}
	if err := c.opts.Limiter.Wait(ctx, k.operation, k.region); err != nil {
		return ReadAnswer{}, c.waitError(ctx, k, err)
	}
	answer := ReadAnswer{Sent: time.Now()}
	r := c.send(ctx, k)
	answer.Received = time.Now()
	answer.Status, answer.ServerTime, answer.Body = r.status, serverTime(r.header), r.body
	if _, _, failed := c.judgeRead(r); failed != nil {
		return answer, withCause(ctx, failed)
	}
	return answer, nil
}

// KeyInfo tells which access key is used, without its secret.
type KeyInfo struct {
	ID        string
	Provider  string // as Alibaba's library names it, such as default/env
	Temporary bool   // it comes with a security token
}

// Key fetches the access key as every request does, and sends nothing itself;
// the credential chain may ask STS or the instance. The error is a
// *plan.CallError.
func (c *Client) Key(ctx context.Context) (KeyInfo, error) {
	k, err := c.keys.fetch(ctx)
	if err != nil {
		f := noKey(ctx, err)
		return KeyInfo{}, withCause(ctx, &plan.CallError{Operation: "access key", Failure: f.class, Why: f.why})
	}
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	return KeyInfo{
		ID: text(k.model.AccessKeyId), Provider: cmp.Or(text(k.model.ProviderName), text(k.model.Type)),
		Temporary: text(k.model.SecurityToken) != "",
	}, nil
}

// Endpoint returns the URL that is asked for region.
func (c *Client) Endpoint(region string) (string, error) {
	at, err := c.at(region)
	if err != nil {
		return "", err
	}
	return at.scheme + "://" + at.host, nil
}
