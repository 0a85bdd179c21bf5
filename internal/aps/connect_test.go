package aps

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

func TestClosedPort(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	_ = listener.Close()
	got := newTestClient(t, "http://"+address).Create(t.Context(), request())
	wantVerdict(t, got, plan.VerdictNotSent, plan.FailureTemporary, "connection refused by "+address)
}

func TestDialerErrors(t *testing.T) {
	for _, test := range []struct {
		err  error
		want string
	}{
		{&net.DNSError{Err: "no such host", Name: "h", IsNotFound: true}, "name not found: h.example"},
		{&net.DNSError{Err: "server misbehaving", Name: "h"}, "name lookup failed: h.example"},
		{os.NewSyscallError("connect", syscall.EADDRNOTAVAIL), "no free port or address to connect from: h.example"},
		{&url.Error{Op: "Post", URL: "https://u:hunter2@h.example/?p=hunter2", Err: errors.New("hunter2")}, "cannot connect to h.example"},
	} {
		c := newTestClient(t, "https://h.example")
		c.wire.transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
			return nil, &net.OpError{Op: "dial", Net: "tcp", Err: test.err}
		}
		got := c.Create(t.Context(), request())
		wantVerdict(t, got, plan.VerdictNotSent, plan.FailureTemporary, test.want)
		_, err := c.List(t.Context(), region, false)
		if strings.Contains(got.Why+err.Error(), "hunter2") {
			t.Errorf("the transport's own words are shown: %s, %v", got.Why, err)
		}
	}
}

func TestConnectTimeout(t *testing.T) {
	c := newTestClient(t, "https://h.example", func(o *Options) { o.CreateTimeout = 50 * time.Millisecond })
	c.wire.transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictNotSent, plan.FailureTemporary, "timed out after 50ms")
}

func tlsServer(t *testing.T, edit func(*tls.Config)) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(answer(200, `{"ApsJobId":"aps-1","Success":true}`))
	server.EnableHTTP2 = true
	server.Config.ErrorLog = silentLog()
	server.TLS = &tls.Config{}
	edit(server.TLS)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

func TestTLS(t *testing.T) {
	now := time.Now()
	expired := certificate(t, now.Add(-2*time.Hour), now.Add(-time.Hour), "127.0.0.1")
	stranger := certificate(t, now.Add(-time.Hour), now.Add(time.Hour), "198.51.100.7")
	good := certificate(t, now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")
	tests := []struct {
		name    string
		edit    func(*tls.Config)
		trusted []tls.Certificate
		verdict plan.Verdict
		failure plan.Failure
		why     string
	}{
		{"good", func(c *tls.Config) { c.Certificates = []tls.Certificate{good} }, []tls.Certificate{good}, plan.VerdictCreated, plan.FailureNone, ""},
		{"unknown authority", func(c *tls.Config) { c.Certificates = []tls.Certificate{good} }, nil, plan.VerdictNotSent, plan.FailureConfig, "unknown authority"},
		{"expired", func(c *tls.Config) { c.Certificates = []tls.Certificate{expired} }, []tls.Certificate{expired}, plan.VerdictNotSent, plan.FailureConfig, "expired"},
		{"another host", func(c *tls.Config) { c.Certificates = []tls.Certificate{stranger} }, []tls.Certificate{stranger}, plan.VerdictNotSent, plan.FailureConfig, "for another host"},
		{"TLS 1.1", func(c *tls.Config) {
			c.Certificates, c.MinVersion, c.MaxVersion = []tls.Certificate{good}, tls.VersionTLS10, tls.VersionTLS11
		}, []tls.Certificate{good}, plan.VerdictNotSent, plan.FailureConfig, "TLS 1.2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			server := tlsServer(t, test.edit)
			c := newTestClient(t, server.URL)
			pool := x509.NewCertPool()
			for _, trusted := range test.trusted {
				pool.AddCert(trusted.Leaf)
			}
			c.wire.transport.TLSClientConfig.RootCAs = pool
			wantVerdict(t, c.Create(t.Context(), request()), test.verdict, test.failure, test.why)
		})
	}
}

func TestHTTPServerBehindHTTPS(t *testing.T) {
	server := httptest.NewServer(answer(200, "{}"))
	defer server.Close()
	c := newTestClient(t, strings.Replace(server.URL, "http:", "https:", 1))
	wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictNotSent, plan.FailureConfig, "does not speak TLS")
}

func TestProxyRefusal(t *testing.T) {
	for status, class := range map[int]plan.Failure{407: plan.FailureConfig, 502: plan.FailureTemporary} {
		proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodConnect {
				t.Errorf("got %s, want CONNECT", r.Method)
			}
			http.Error(w, "proxy-password", status)
		}))
		defer proxy.Close()
		c := newTestClient(t, "https://adb.example")
		through, _ := url.Parse(strings.Replace(proxy.URL, "//", "//user:proxy-password@", 1))
		c.wire.transport.Proxy = http.ProxyURL(through)
		got := c.Create(t.Context(), request())
		wantVerdict(t, got, plan.VerdictNotSent, class, fmt.Sprint(status))
		if strings.Contains(got.Why, "proxy-password") {
			t.Errorf("the proxy's password is shown: %s", got.Why)
		}
		proxy.Close()
		wantVerdict(t, c.Create(t.Context(), request()), plan.VerdictNotSent, plan.FailureTemporary, "the proxy cannot be reached")
	}
}

// TestTLSWithAProxy: what is wrong with a proxy's certificate is said of the
// proxy, not of the service behind it.
func TestTLSWithAProxy(t *testing.T) {
	good := certificate(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "127.0.0.1")
	proxy := tlsServer(t, func(c *tls.Config) { c.Certificates = []tls.Certificate{good} })
	through, _ := url.Parse(proxy.URL)
	c := newTestClient(t, "https://adb.example")
	c.wire.transport.Proxy = checkedProxy(http.ProxyURL(through))
	got := c.Create(t.Context(), request())
	wantVerdict(t, got, plan.VerdictNotSent, plan.FailureConfig, "the certificate of the proxy is signed by an unknown authority")
	if strings.Contains(got.Why, "adb.example") {
		t.Errorf("the service is blamed: %s", got.Why)
	}
}

func TestUnusableProxySetting(t *testing.T) {
	for _, setting := range []string{"http://user:proxy-password@%zz", "ftp://user:proxy-password@127.0.0.1"} {
		c := newTestClient(t, "https://adb.example")
		c.wire.transport.Proxy = checkedProxy(func(*http.Request) (*url.URL, error) { return url.Parse(setting) })
		got := c.Create(t.Context(), request())
		wantVerdict(t, got, plan.VerdictNotSent, plan.FailureConfig, "HTTPS_PROXY (or https_proxy) is not the URL of a proxy")
		if strings.Contains(got.Why, "proxy-password") {
			t.Errorf("the proxy's password is shown: %s", got.Why)
		}
	}
}
