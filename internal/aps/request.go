package aps

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
	"github.com/alibabacloud-go/tea/dara"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// apiVersion is the version of the AnalyticDB API that has the APS operations.
const apiVersion = "2021-12-01"

// call is one request before it is signed.
type call struct {
	operation, region string
	version           string
	at                endpoint
	params            map[string]string // only those that are sent
	inQuery           bool              // params go into the query, not the body
	headers           map[string]string // win over the core's own; may be nil
	passwords         []secret.Value    // among params, for redaction
	timeout           time.Duration
	bodyMax           int
}

// failure is why a call came to nothing, in our words.
type failure struct {
	class plan.Failure
	why   string
}

// reply is what came of one call.
type reply struct {
	*exchange
	call   call
	key    key
	unsent *failure // nothing was sent, and the wire was not even asked
	gaveUp bool     // the caller's context had ended
	late   bool     // the call's own timeout had passed
}

// send makes one request: one wire attempt, or none. It returns once the answer
// is complete or cannot be any more.
func (c *Client) send(ctx context.Context, k call) *reply {
	r := &reply{exchange: &exchange{bodyMax: k.bodyMax}, call: k}
	if r.unsent = unsendable(k); r.unsent != nil {
		return r
	}
	var err error
	if r.key, err = c.keys.fetch(ctx); err != nil {
		r.unsent = noKey(ctx, err)
		return r
	}
	wireCtx, cancel := context.WithTimeout(ctx, k.timeout)
	defer cancel()
	// The core writes to its Client on every call, so that a shared one would be
	// a data race: each call has a copy of its own.
	core := c.core
	core.Endpoint, core.Protocol, core.Credential = &k.at.host, &k.at.scheme, signer{r.key.model}
	request := &openapi.OpenApiRequest{Headers: k.signed()}
	if k.inQuery {
		request.Query = k.query()
	} else {
		request.Body = k.form()
	}
	_, _ = core.CallApiWithCtx(context.WithValue(wireCtx, exchangeKey{}, r.exchange),
		coreParams(k), request, &dara.RuntimeOptions{})
	if r.handed.Load() {
		c.calls.count(k, func(n *CallCount) { n.Sent++ })
	}
	r.gaveUp = ctx.Err() != nil
	r.late = !r.gaveUp && wireCtx.Err() != nil
	if !r.reached {
		r.unsent = &failure{plan.FailureConfig, "the request could not be built, nothing was sent"}
	}
	return r
}

func coreParams(k call) *openapi.Params {
	return &openapi.Params{
		Action: &k.operation, Version: &k.version, Protocol: &k.at.scheme,
		Pathname: dara.String("/"), Method: dara.String("POST"),
		AuthType: dara.String("AK"), Style: dara.String("RPC"),
		ReqBodyType: dara.String("formData"), BodyType: dara.String("json"),
	}
}

// signed returns the headers that we choose: a nonce that is not reused and
// whatever the call asks for.
func (k call) signed() map[string]*string {
	nonce := newNonce()
	headers := map[string]*string{"x-acs-signature-nonce": &nonce}
	for name, value := range k.headers {
		headers[name] = &value
	}
	return headers
}

func (k call) form() map[string]any {
	form := make(map[string]any, len(k.params))
	for name, value := range k.params {
		form[name] = value
	}
	return form
}

func (k call) query() map[string]*string {
	query := make(map[string]*string, len(k.params))
	for name, value := range k.params {
		query[name] = &value
	}
	return query
}

// redactor knows the secrets that an answer to k could echo.
func (r *reply) redactor() *secret.Redactor {
	return secret.NewRedactor(append(r.key.secrets(), r.call.passwords...)...)
}

// unsendable finds text that would change on the way: the core encodes through
// JSON, which replaces bytes that are not UTF-8.
func unsendable(k call) *failure {
	for name, value := range k.params {
		if !utf8.ValidString(value) {
			return &failure{plan.FailureOther, fmt.Sprintf("%s is not valid UTF-8, nothing was sent", name)}
		}
	}
	return nil
}

// noKey says why there is no key. Texts of the source are ours when the source
// is; another's is not repeated, because libraries quote files in theirs.
func noKey(ctx context.Context, err error) *failure {
	switch {
	case ctx.Err() != nil:
		return &failure{plan.FailureTemporary, "given up while waiting for the access key, nothing was sent"}
	case errors.Is(err, errFetchSlow), errors.Is(err, errNoKey), errors.As(err, new(*adviceError)):
		return &failure{plan.FailureCredentials, err.Error()}
	}
	return &failure{plan.FailureCredentials, "the credentials gave no access key"}
}

// newNonce returns 32 random hexadecimal digits.
func newNonce() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
