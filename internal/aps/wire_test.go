package aps

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// acceptEach has serve speak with each connection to a port of its own, and closes what
// it leaves open. It returns the address.
func acceptEach(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); open.Wait() })
	open.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				serve(conn)
			})
		}
	})
	return listener.Addr().String()
}

// rawServer accepts connections, reads one request from each, and lets speak
// write whatever it wants. It returns the server's URL.
func rawServer(t *testing.T, speak func(net.Conn)) string {
	t.Helper()
	return "http://" + acceptEach(t, func(conn net.Conn) {
		r, err := http.ReadRequest(bufio.NewReader(conn))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		speak(conn)
	})
}

func wantVerdict(t *testing.T, got plan.Outcome, verdict plan.Verdict, failure plan.Failure, why string) {
	t.Helper()
	if got.Verdict != verdict || got.Failure != failure {
		t.Errorf("got %v, %v (%s)\nwant %v, %v", got.Verdict, got.Failure, got.Why, verdict, failure)
	}
	has(t, got.Why, why)
	if (got.JobID != "") != (got.Verdict == plan.VerdictCreated) {
		t.Errorf("verdict %v with job id %q", got.Verdict, got.JobID)
	}
}

func TestRequestAsItArrives(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		want := url.Values{
			"RegionId": {region}, "ApsJobName": {"orders *~ ü"},
			"SourceEndpointInstanceID": {"pc-1"}, "SourceEndpointRegion": {region},
			"SourceEndpointUserName": {"reader"}, "SourceEndpointPassword": {sourcePassword},
			"DestinationEndpointInstanceID": {"amv-1"}, "DestinationEndpointUserName": {"writer"},
			"DestinationEndpointPassword": {destinationPassword},
			"DbList":                      {`{"EntireInstance":true}`}, "TargetTableMode": {"1"},
		}
		if got := form(t, r); got.Encode() != want.Encode() {
			t.Errorf("parameters:\ngot  %s\nwant %s", got.Encode(), want.Encode())
		}
		for name, value := range map[string]string{
			"X-Acs-Action": "CreateAPSJob", "X-Acs-Version": "2021-12-01",
			"X-Acs-Date": "2026-01-02T03:04:05Z", "X-Acs-Signature-Nonce": "0123456789abcdef0123456789abcdef",
			"Content-Type": "application/x-www-form-urlencoded", "Accept-Encoding": "",
		} {
			if got := r.Header.Get(name); got != value {
				t.Errorf("header %s: got %q, want %q", name, got, value)
			}
		}
		if r.Method != "POST" || r.URL.String() != "/" || r.Proto != "HTTP/1.1" {
			t.Errorf("got %s %s %s, want POST / HTTP/1.1", r.Method, r.URL, r.Proto)
		}
		has(t, r.UserAgent(), "AlibabaCloud", "apsctl/1.2.3")
		answer(200, `{"ApsJobId":"aps-1","Success":true}`)(w, r)
	}, func(o *Options) { o.Version = "1.2.3" })
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictCreated, plan.FailureNone, "")
}

// TestDateOfARequestIsUTC: in the hour that a zone with summer time has twice, the
// same wall clock is two dates.
func TestDateOfARequestIsUTC(t *testing.T) {
	var got []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = append(got, r.Header.Get("X-Acs-Date"))
		answer(200, `{"ApsJobId":"aps-1","Success":true}`)(w, r)
	})
	for _, zone := range []*time.Location{time.FixedZone("CEST", 2*60*60), time.FixedZone("CET", 60*60)} {
		r := request()
		r.SignedAt = time.Date(2026, time.October, 25, 2, 30, 0, 0, zone)
		c.Create(t.Context(), r)
	}
	if want := []string{"2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEmptyOptionalParametersAreNotSent(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got := form(t, r).Encode(); got != "ApsJobName=&DbList=&DestinationEndpointInstanceID=&RegionId=cn-hangzhou&SourceEndpointInstanceID=" {
			t.Errorf("got %s", got)
		}
		answer(400, errorBody("MissingApsJobName"))(w, r)
	})
	bare := plan.CreateRequest{Spec: plan.Spec{Region: region}, Nonce: "n", SignedAt: time.Now()}
	wantVerdict(t, c.Create(t.Context(), bare), plan.VerdictRejected, plan.FailureOther, "")
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the redirect was followed")
	}))
	defer other.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		var calls atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			calls.Add(1)
			http.Redirect(w, r, other.URL, status)
		})
		wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictUnknown, plan.FailureConfig, "redirected")
		_, err := c.List(t.Context(), region, false)
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Failure != plan.FailureConfig {
			t.Errorf("list: got %v", err)
		}
		if calls.Load() != 2 {
			t.Errorf("got %d calls, want 2", calls.Load())
		}
	}
}

// tlsServer starts a TLS server and returns its URL under name.
func TestBrokenConnections(t *testing.T) {
	tests := []struct {
		name  string
		speak func(net.Conn)
		why   string
	}{
		{"closed", func(net.Conn) {}, "without an answer"},
		{"reset", func(conn net.Conn) { _ = conn.(*net.TCPConn).SetLinger(0) }, "connection reset"},
		{"not HTTP", func(conn net.Conn) { _, _ = io.WriteString(conn, "220 smtp ready\r\n\r\n") }, "no readable HTTP answer"},
		{"endless headers", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n")
			for range 300 {
				_, _ = fmt.Fprintf(conn, "X-A: %s\r\n", strings.Repeat("a", 1024))
			}
		}, "no readable HTTP answer"},
		{"reset in the body", func(conn net.Conn) {
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"ApsJobId\":\"a\"")
			_ = conn.(*net.TCPConn).CloseWrite()
		}, "cut short"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := newTestClient(t, rawServer(t, test.speak))
			wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictUnknown, plan.FailureTemporary, test.why)
		})
	}
}

func TestSlowDripEndsWithTheDeadline(t *testing.T) {
	address := rawServer(t, func(conn net.Conn) {
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
		for range 100 {
			if _, err := io.WriteString(conn, " "); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	})
	c := newTestClient(t, address, func(o *Options) { o.CreateTimeout = 100 * time.Millisecond })
	start := time.Now()
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictUnknown, plan.FailureTemporary, "timed out after 100ms")
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestLongBodiesAreCapped(t *testing.T) {
	var wrote atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		chunk := []byte(strings.Repeat(" ", 64<<10))
		for wrote.Store(0); wrote.Load() < 100<<20; wrote.Add(int64(len(chunk))) {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictUnknown, plan.FailureTemporary, "longer than 1048576 bytes")
	if _, err := c.List(t.Context(), region, false); err == nil || !strings.Contains(err.Error(), "longer than 8388608 bytes") {
		t.Errorf("list: got %v", err)
	}
	if n := wrote.Load(); n > 50<<20 {
		t.Errorf("%d bytes were taken", n)
	}
}

func TestABodyAtTheCapIsRead(t *testing.T) {
	body := `{"ApsJobId":"aps-1"}`
	c := serve(t, answer(200, body+strings.Repeat(" ", bodyMax-len(body))))
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictCreated, plan.FailureNone, "")
}

func TestCallerGivesUp(t *testing.T) {
	arrived := make(chan struct{})
	c := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	wantVerdict(t, c.Create(ctx, request()), plan.VerdictUnknown, plan.FailureTemporary, "given up")
	wantVerdict(t, c.Create(ctx, request()), plan.VerdictNotSent, plan.FailureTemporary, "nothing was sent")
}

func TestLateAnswerIsNotTakenForTheNext(t *testing.T) {
	var calls atomic.Int32
	arrived, gone, answered := make(chan struct{}), make(chan struct{}), make(chan struct{})
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) == 1 {
			close(arrived)
			<-gone
			answer(200, `{"ApsJobId":"aps-late","Success":true}`)(w, r)
			_ = http.NewResponseController(w).Flush() // on the wire before the next request is
			close(answered)
			return
		}
		answer(200, `{"ApsJobId":"aps-next","Success":true}`)(w, r)
	}, func(o *Options) { o.CreateTimeout = time.Minute })
	// The client leaves when its request has arrived, and not after a time that a slow
	// machine may need to get that far.
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	wantVerdict(t, c.Create(ctx, request()), plan.VerdictUnknown, plan.FailureTemporary, "given up")
	close(gone)
	<-answered
	if got := c.Create(t.Context(), request()); got.JobID != "aps-next" {
		t.Errorf("got job id %q", got.JobID)
	}
}

func TestUnusableRequestsAreNotSent(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for name, test := range map[string]struct {
		spoil func(*plan.CreateRequest)
		want  plan.Failure
	}{
		"region that is a host": {func(r *plan.CreateRequest) { r.Spec.Region = "evil.example/" }, plan.FailureConfig},
		"no region":             {func(r *plan.CreateRequest) { r.Spec.Region = "" }, plan.FailureConfig},
		"no nonce":              {func(r *plan.CreateRequest) { r.Nonce = "" }, plan.FailureOther},
		"no date":               {func(r *plan.CreateRequest) { r.SignedAt = time.Time{} }, plan.FailureOther},
		"not UTF-8":             {func(r *plan.CreateRequest) { r.Spec.Name = "a\xff" }, plan.FailureOther},
	} {
		r := request()
		test.spoil(&r)
		if got := c.Create(t.Context(), r); got.Verdict != plan.VerdictNotSent || got.Failure != test.want {
			t.Errorf("%s: got %v, %v (%s)", name, got.Verdict, got.Failure, got.Why)
		}
	}
}

// hook is a service inside the process.
type hook func(*http.Request) (*http.Response, error)

func (h hook) Call(r *http.Request, _ *http.Transport) (*http.Response, error) { return h(r) }

func TestHook(t *testing.T) {
	for _, test := range []struct {
		name string
		hook hook
		want plan.Verdict
	}{
		{"answers", func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(`{"ApsJobId":"aps-1"}`))}, nil
		}, plan.VerdictCreated},
		{"fails in a dial", func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("x")}
		}, plan.VerdictNotSent},
		{"fails otherwise", func(*http.Request) (*http.Response, error) { return nil, io.EOF }, plan.VerdictUnknown},
	} {
		c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.HTTPClient = test.hook })
		if got := c.Create(t.Context(), request()); got.Verdict != test.want {
			t.Errorf("%s: got %v (%s), want %v", test.name, got.Verdict, got.Why, test.want)
		}
	}
}

func TestWireSendsOnce(t *testing.T) {
	c := serve(t, answer(200, "{}"))
	ctx := context.WithValue(t.Context(), exchangeKey{}, &exchange{bodyMax: bodyMax})
	r, _ := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint.scheme+"://"+c.endpoint.host, nil)
	if _, err := c.wire.Call(r, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := c.wire.Call(r, nil); !errors.Is(err, errSecondWrite) {
		t.Errorf("second call: got %v", err)
	}
	bare, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1:1", nil)
	if _, err := c.wire.Call(bare, nil); !errors.Is(err, errNoExchange) {
		t.Errorf("without an exchange: got %v", err)
	}
}

// TestManyAtOnce is for the race detector: the core writes to its clients.
func TestManyAtOnce(t *testing.T) {
	var count atomic.Int64
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.Header.Get("X-Acs-Action") {
		case opCreate:
			answer(200, fmt.Sprintf(`{"ApsJobId":"aps-%d"}`, count.Add(1)))(w, r)
		case opList:
			answer(200, pageBody(jobs(0, 2), "30", "2"))(w, r)
		default:
			answer(400, errorBody("Throttling"))(w, r)
		}
	})
	var all sync.WaitGroup
	var ids sync.Map
	for range 16 {
		all.Go(func() {
			for range 5 {
				got := c.Create(t.Context(), request())
				if _, twice := ids.LoadOrStore(got.JobID, true); twice || got.JobID == "" {
					t.Errorf("got job id %q", got.JobID)
				}
				if _, err := c.List(t.Context(), region, true); err != nil {
					t.Error(err)
				}
				if err := c.Change(t.Context(), changeOf(plan.OperationDelete, "aps-1", "")); err == nil {
					t.Error("no error")
				}
			}
		})
	}
	all.Wait()
}
