// Package aps is the client for the APS job API of AnalyticDB for MySQL (API
// version 2021-12-01), on Alibaba's own Go core. With the same core it asks STS
// for the caller's identity, and KMS for passwords.
//
// The core encodes and signs requests; nothing else of it is trusted. What came
// back is read by the package's own HTTP client (wire.go) as raw status, headers
// and bytes, and every verdict is made from those, because the core loses the
// status of answers that are not JSON and takes redirects for success. Facts
// about the service that comments refer to are those of the project's API
// reference, by section.
package aps

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	openapi "github.com/alibabacloud-go/darabonba-openapi/v2/client"
)

// Options say how a Client reaches the service. The zero Options ask the real
// service, with the default credential chain.
type Options struct {
	// Endpoint is a URL such as https://adb-vpc.cn-hangzhou.aliyuncs.com; ""
	// asks EndpointFor each call's region. Plain http is for loopback only.
	Endpoint string
	// STSEndpoint is the URL that CallerIdentity asks. "" is Endpoint when that
	// is loopback, else https://sts.aliyuncs.com.
	STSEndpoint string
	// KMSEndpoint is the URL that SecretValue asks, whatever the region. "" is
	// Endpoint when that is loopback, else kms-vpc.<region>.aliyuncs.com beside an
	// Endpoint adb-vpc.…, else https://kms.<region>.aliyuncs.com. With a loopback
	// Endpoint it must be loopback, too.
	KMSEndpoint string
	// Credentials give the keys; nil is DefaultCredentials("").
	Credentials Credentials
	// Limiter paces the calls; nil does not.
	Limiter Limiter
	// UserAgent is appended to the core's own. "" is "apsctl/" and Version.
	UserAgent, Version string

	CreateTimeout  time.Duration // of a call that changes something; 0 is 90 s
	ReadTimeout    time.Duration // of one request of a read; 0 is 30 s
	ConnectTimeout time.Duration // until connected, and for the TLS handshake; 0 is 10 s

	// Sleep waits between the attempts of a read, and returns early with an
	// error when ctx ends. nil sleeps on a timer.
	Sleep func(ctx context.Context, d time.Duration) error
	// Scanned is told how far a pass over a listing is, from several goroutines; it
	// must return at once. nil is not told.
	Scanned func(Scan)
	// HTTPClient replaces the innermost part of the transport, for services
	// inside the process; nil is the network. See HTTPClient.
	HTTPClient HTTPClient
}

// Limiter paces the calls of all workers, by operation and region. It is called
// from several goroutines.
type Limiter interface {
	// Wait blocks until a request of that kind may be sent. The Client calls it
	// before each request of a read; for every other operation the caller does.
	Wait(ctx context.Context, operation, region string) error
	// Observe tells how each request went that was answered: whether the service
	// asked to slow down, and for how long if it said so.
	Observe(operation, region string, throttled bool, retryAfter time.Duration)
}

// Defaults of Options.
const (
	createTimeoutDefault  = 90 * time.Second // the back end itself gives up with a 408
	readTimeoutDefault    = 30 * time.Second
	connectTimeoutDefault = 10 * time.Second
)

// Client calls the service. It is safe for concurrent use.
type Client struct {
	opts     Options
	endpoint *endpoint // nil: by region
	sts      endpoint
	kms      *endpoint // nil: by region
	keys     *keyring
	wire     *wire
	core     openapi.Client // never called itself, only copied; see send
	jobsMax  int            // of one listing
	pageSize pageSize       // of a listing
	calls    callBook
}

// New returns a Client, or an error that says which option is unusable and how
// to mend it, or ErrDebug. It sends nothing and fetches no credential.
func New(opts Options) (*Client, error) {
	if err := refuseDebug(debugFlags); err != nil {
		return nil, err
	}
	opts.CreateTimeout = cmp.Or(opts.CreateTimeout, createTimeoutDefault)
	opts.ReadTimeout = cmp.Or(opts.ReadTimeout, readTimeoutDefault)
	opts.ConnectTimeout = cmp.Or(opts.ConnectTimeout, connectTimeoutDefault)
	if opts.Limiter == nil {
		opts.Limiter = noLimiter{}
	}
	if opts.Sleep == nil {
		opts.Sleep = sleep
	}
	if opts.Credentials == nil {
		opts.Credentials = DefaultCredentials("")
	}
	if opts.UserAgent == "" {
		opts.UserAgent = strings.TrimSuffix("apsctl/"+opts.Version, "/")
	}
	c := &Client{opts: opts, keys: newKeyring(opts.Credentials), wire: newWire(opts), jobsMax: jobsDefault}
	if opts.Endpoint != "" {
		at, err := parseEndpoint(opts.Endpoint)
		if err != nil {
			return nil, err
		}
		c.endpoint = &at
	}
	sts, err := stsEndpoint(opts.STSEndpoint, c.endpoint)
	if err != nil {
		return nil, err
	}
	c.sts = sts
	if c.kms, err = kmsEndpoint(opts.KMSEndpoint, c.endpoint); err != nil {
		return nil, err
	}
	core, err := openapi.NewClient(&openapi.Config{UserAgent: &opts.UserAgent, HttpClient: c.wire})
	if err != nil {
		return nil, fmt.Errorf("prepare the core client: %w", err)
	}
	c.core = *core
	return c, nil
}

// Service names what the Client talks to, for binding a ledger to it: all of
// Alibaba Cloud is "aliyuncs.com", any loopback address is "loopback", and
// another host is itself.
func (c *Client) Service() string {
	if c.endpoint == nil {
		return aliyuncs
	}
	return c.endpoint.service()
}

// CloseIdleConnections closes connections that are kept for the next request.
func (c *Client) CloseIdleConnections() { c.wire.transport.CloseIdleConnections() }

// debugFlags is DEBUG as the core saw it: it looks when it is initialised.
var debugFlags = os.Getenv("DEBUG")

// ErrDebug says that the environment asks the core to print requests.
var ErrDebug = errors.New("makes Alibaba's library print access keys and tokens to standard output: unset DEBUG")

// refuseDebug fails when the core was told to print requests to standard output,
// where they would mix with results and show keys and tokens.
func refuseDebug(flags string) error {
	for _, flag := range []string{"dara", "tea", "credential"} {
		if slices.Contains(strings.Split(flags, ","), flag) {
			return fmt.Errorf("DEBUG=%s %w", flag, ErrDebug)
		}
	}
	return nil
}

// noLimiter lets everything pass.
type noLimiter struct{}

func (noLimiter) Wait(ctx context.Context, _, _ string) error  { return ctx.Err() }
func (noLimiter) Observe(_, _ string, _ bool, _ time.Duration) {}

// sleep is the default of Options.Sleep.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// HTTPClient carries one request to a service inside the process. Call gets the
// signed request, whose context ends with the call's deadline, and ignores the
// transport. It must not follow redirects.
//
// An error counts as "nothing was sent" only when it is a *net.OpError with Op
// dial and GotConn of the request's httptrace.ClientTrace was not called; any
// other error means that the request may have arrived.
type HTTPClient interface {
	Call(*http.Request, *http.Transport) (*http.Response, error)
}
