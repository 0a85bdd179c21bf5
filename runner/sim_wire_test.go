package runner_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	opCreate  = "CreateAPSJob"
	opList    = "DescribeApsJobs"
	opDetail  = "DescribeApsJobDetail"
	opModify  = "ModifyApsJob"
	opStart   = "StartApsJob"
	opSuspend = "SuspendApsJob"
	opDelete  = "DeleteApsJob"
)

// simWire is the network between one process and the cloud, in the place of
// the client's transport.
type simWire struct{ p *proc }

// simRequest is a signed request as the service reads it.
type simRequest struct {
	op, key string // key says which request this is among those of a process
	form    url.Values
	nonce   string
	date    time.Time
	echo    string // text of it that an answer may repeat
}

// decode reads a request, and checks that its body is the one that was signed.
func decode(request *http.Request) (r simRequest, err error) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return r, err
	}
	request.Body = io.NopCloser(bytes.NewReader(body)) // for whoever sends it again
	header := http.Header{}
	for name, values := range request.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	sum := sha256.Sum256(body)
	if header.Get("x-acs-content-sha256") != hex.EncodeToString(sum[:]) || !strings.HasPrefix(header.Get("Authorization"), "ACS3-HMAC-SHA256 ") {
		return r, errors.New("the request is not signed")
	}
	if r.form, err = url.ParseQuery(string(body)); err != nil {
		return r, err
	}
	if r.date, err = time.Parse("2006-01-02T15:04:05Z", header.Get("x-acs-date")); err != nil {
		return r, err
	}
	r.op, r.nonce = header.Get("x-acs-action"), header.Get("x-acs-signature-nonce")
	r.echo = r.form.Get("SourceEndpointPassword")
	r.key = strings.Join([]string{r.op, r.form.Get("RegionId"), r.form.Get("ApsJobName"), r.form.Get("ApsJobId"), r.form.Get("PageNumber")}, " ")
	return r, nil
}

// Call carries one request.
func (w simWire) Call(request *http.Request, _ *http.Transport) (*http.Response, error) {
	p, ctx := w.p, request.Context()
	r, err := decode(request)
	if err != nil {
		p.h.violate("harness", "p%d sent something unreadable: %v", p.id, err)
		return nil, err
	}
	if err := p.turn("send " + r.key); err != nil {
		return nil, err // a dead process sends nothing
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !changes(r.op) {
		// The core dates what is only read by the bubble's clock; the machine's
		// own may be wrong.
		r.date = r.date.Add(p.clockOffset())
	}
	x, a := p.exchange(r)
	if x.unconnected {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	p.mark() // a death here leaves the request under way
	if err := x.deliver(ctx); err != nil {
		return nil, err
	}
	p.mark()
	return response(request, a, x), nil
}

// exchange decides what becomes of a request and what is answered.
func (p *proc) exchange(r simRequest) (*fate, answer) {
	p.h.mu.Lock()
	defer p.h.mu.Unlock()
	x := p.fateOf(r)
	if x.unconnected {
		p.h.log("p%d %s: no connection", p.id, r.key)
		return x, answer{}
	}
	if r.op == opCreate {
		p.h.checkSend(p, r)
	} else if time.Since(r.date).Abs() > timeWindow {
		return x, p.h.dated(refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", ""), p)
	}
	a := p.h.cloud.serve(p, r, x)
	if a.status == 0 {
		return x, a
	}
	return x, p.h.dated(a, p)
}

func response(request *http.Request, a answer, x *fate) *http.Response {
	var body io.Reader = strings.NewReader(a.body)
	if x.cut > 0 {
		body = io.MultiReader(strings.NewReader(a.body[:int(x.cut*float64(len(a.body)))]), broken{})
	}
	return &http.Response{
		StatusCode: a.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: a.header, Body: io.NopCloser(body), Request: request,
	}
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// fate is what becomes of one request.
type fate struct {
	why         kind // the fault that strikes; "" for none
	unconnected bool
	arrives     bool
	executes    bool
	transit     time.Duration // to the gateway
	work        time.Duration // from there to the job
	lag         time.Duration // from there to its first listing
	copyAfter   time.Duration // until a proxy sends it again; 0 for never
	refusal     *answer
	spoil       bool // the answer does not tell the truth
	choice      int
	text        string
	lost, hung  bool
	cut         float64 // share of the answer that arrives, if it is cut
	latency     time.Duration
}

func (x *fate) delivered() bool {
	return !x.unconnected && !x.lost && !x.hung && x.cut == 0 && !x.spoil
}

// deliver waits until the answer is there, or cannot be any more.
func (x *fate) deliver(ctx context.Context) error {
	if x.hung {
		<-ctx.Done()
		return ctx.Err()
	}
	if err := waitFor(ctx, x.latency); err != nil {
		return err
	}
	if x.lost {
		return &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}
	}
	return nil
}

// fateOf decides about the next request of that key.
func (p *proc) fateOf(r simRequest) *fate {
	n := p.count("fate " + r.key)
	rng := p.h.dice.roll("fate", p.id, r.key, n)
	x := &fate{
		arrives: true, executes: true, transit: between(rng, time.Millisecond, 50*time.Millisecond),
		work:    between(rng, time.Millisecond, 300*time.Millisecond),
		lag:     between(rng, 0, p.h.cloud.lag),
		latency: between(rng, 50*time.Millisecond, 900*time.Millisecond),
		choice:  rng.IntN(6),
	}
	if r.echo != "" && rng.IntN(3) > 0 {
		r.echo = ""
	}
	for _, k := range []kind{lag, lagBeyond} {
		if f := p.h.active(k, p.n); f != nil {
			x.lag = between(rng, f.d/2, f.d)
		}
	}
	for _, f := range p.h.faults {
		if p.h.hits(f, p, r.op, r.key, n) {
			x.strike(f, rng, p, r)
			break
		}
	}
	return x
}

// strike makes the request suffer one fault.
func (x *fate) strike(f *fault, rng *rand.Rand, p *proc, r simRequest) {
	x.why = f.kind
	switch f.kind {
	case dropBefore:
		x.arrives, x.lost = false, true
	case dropAfter:
		x.lost = true
	case hang:
		x.hung, x.arrives = true, f.yes
	case cutBody:
		x.cut = 0.01 + 0.98*rng.Float64()
	case noRoute:
		x.unconnected = true
	case late:
		x.transit, x.work = between(rng, 0, timeWindow+2*time.Minute), between(rng, 0, timeWork)
		x.lost, x.hung = f.yes, !f.yes
	case replay:
		x.copyAfter = between(rng, time.Second, oneOf(rng, 30*time.Second, timeWindow+time.Minute))
		x.lost = f.yes
	case serverError, noID, redirect:
		x.executes, x.spoil = rng.IntN(2) == 0, true
	case nonceUsed:
		x.spoil = true
	case throttle:
		x.refusal = throttledAnswer(x.choice)
		x.executes, x.spoil = false, x.refusal == nil
	case refusal:
		x.refusal = refusalOf(f.n, r.echo)
	case sameID:
		if x.text = p.h.takenID(r.form.Get("RegionId")); x.text == "" {
			x.why = ""
		}
	}
}
