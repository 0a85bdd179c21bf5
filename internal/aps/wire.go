package aps

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
)

// Bounds of what is read of one answer. A listing is the only long one.
const (
	bodyMax    = 1 << 20
	listMax    = 8 << 20
	headersMax = 256 << 10
)

// connectionsMax is how many connections are kept: one for each of the most workers
// that a run may have, and some for reads.
const connectionsMax = 256 + 16

// idleMax is how long an unused connection is kept. It is short, because a
// create that goes out on a connection just as the service closes it is unknown,
// and settling that takes half an hour; a handshake takes milliseconds.
const idleMax = 5 * time.Second

// exchange is one request and its raw answer. It travels to the wire in the
// request's context, since the core hands nothing of the sort through.
type exchange struct {
	bodyMax int

	reached   bool        // the core got as far as sending
	handed    atomic.Bool // a connection was handed over: something may have been sent
	handshake atomic.Pointer[handshakeError]

	status int
	header http.Header
	body   []byte
	long   bool  // body ended at bodyMax
	err    error // of the transport, or of reading the body
}

type exchangeKey struct{}

// handshakeError is a TLS handshake that failed.
type handshakeError struct{ err error }

// proxyError is a proxy's refusal to connect.
type proxyError struct{ status int }

func (e *proxyError) Error() string { return "the proxy refused to connect" }

var (
	errNoExchange  = errors.New("a request without an exchange")
	errSecondWrite = errors.New("a second wire attempt was refused")

	errProxySetting = errors.New("HTTPS_PROXY (or https_proxy) is not the URL of a proxy; write it like http://proxy.example:3128, or unset it")
)

// wire is the HttpClient of the core. It sends each request once, follows no
// redirect, and notes everything in the request's exchange. Safe for concurrent
// use.
type wire struct {
	transport *http.Transport
	hook      HTTPClient // replaces transport if not nil
}

func newWire(opts Options) *wire {
	dialer := &net.Dialer{Timeout: opts.ConnectTimeout}
	return &wire{hook: weakenHook(opts.HTTPClient), transport: &http.Transport{
		Proxy:                  checkedProxy(http.ProxyFromEnvironment), // never for loopback
		OnProxyConnectResponse: checkProxy,
		DialContext:            dialer.DialContext,
		TLSHandshakeTimeout:    opts.ConnectTimeout,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}},
		// A map that is not nil keeps HTTP/2 out: it may send a request again
		// on another stream.
		TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:     true, // a small answer cannot become a large one
		MaxResponseHeaderBytes: headersMax,
		MaxIdleConns:           connectionsMax,
		MaxIdleConnsPerHost:    connectionsMax,
		IdleConnTimeout:        idleMax,
	}}
}

// checkedProxy is find, with an error of ours for a setting that cannot be used:
// the original one quotes it, with the password in it.
func checkedProxy(find func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(request *http.Request) (*url.URL, error) {
		proxy, err := find(request)
		if err != nil {
			return nil, errProxySetting
		}
		if proxy == nil {
			return nil, nil
		}
		switch proxy.Scheme {
		case "http", "https", "socks5", "socks5h":
			return proxy, nil
		}
		return nil, errProxySetting
	}
}

// checkProxy turns a proxy's refusal into an error without the proxy's words.
func checkProxy(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
	if response.StatusCode != http.StatusOK {
		return &proxyError{response.StatusCode}
	}
	return nil
}

// Call sends request. The transport that the core passes is new on every call,
// so that using it would open a connection each time.
//
// What Call returns is only there to end the core's work: an answer that the
// core cannot misread, whatever really came.
func (w *wire) Call(request *http.Request, _ *http.Transport) (*http.Response, error) {
	x, ok := request.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errNoExchange
	}
	if x.reached {
		return nil, errSecondWrite
	}
	x.reached = true
	response, err := w.send(crashOnWire(request.WithContext(httptrace.WithClientTrace(request.Context(), x.trace()))))
	if err != nil {
		if w.hook != nil && !isDial(err) {
			x.handed.Store(true)
		}
		x.err = err
		return nil, err
	}
	x.read(response)
	crashOnRead(request)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: io.NopCloser(strings.NewReader("{}")), Request: request,
	}, nil
}

func (w *wire) send(request *http.Request) (*http.Response, error) {
	if w.hook != nil {
		return w.hook.Call(request, w.transport)
	}
	return w.transport.RoundTrip(request)
}

// trace notes how far the connection got. "Headers written" would be too late
// a sign of a request that may have left: the writer is buffered.
func (x *exchange) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		GotConn: func(httptrace.GotConnInfo) { x.handed.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err != nil {
				x.handshake.Store(&handshakeError{err})
			}
		},
	}
}

// read takes the answer in, up to the exchange's limit.
func (x *exchange) read(response *http.Response) {
	defer response.Body.Close() // unread bytes make the transport drop the connection
	x.handed.Store(true)
	x.status, x.header = response.StatusCode, response.Header
	x.body, x.err = io.ReadAll(io.LimitReader(response.Body, int64(x.bodyMax)+1))
	if len(x.body) > x.bodyMax {
		x.body, x.long = nil, true
	}
}
