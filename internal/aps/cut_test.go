package aps

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// cutAnswers are answers to a create, as they are on the wire. Those without a length end
// with their connection.
func cutAnswers() map[string]string {
	body := `{"ApsJobId":"aps-12345","Success":true}`
	refusal := errorBody("Throttling")
	return map[string]string{
		"created":            fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body),
		"created, no length": "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + body,
		"created, chunked":   fmt.Sprintf("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(body), body),
		"refused":            fmt.Sprintf("HTTP/1.1 400 Bad Request\r\nContent-Length: %d\r\n\r\n%s", len(refusal), refusal),
		"refused, no length": "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n" + refusal,
	}
}

// TestCutAtEveryByte cuts the answer after each of its bytes: with and without
// a length, the verdict never follows from a part of it.
func TestCutAtEveryByte(t *testing.T) {
	for name, whole := range cutAnswers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var cut atomic.Int64
			address := rawServer(t, func(conn net.Conn) { _, _ = io.WriteString(conn, whole[:cut.Load()]) })
			wantUnknownBelow(t, newTestClient(t, address), len(whole), &cut)
		})
	}
}

// TestCutAtEveryByteOfTLS does the same with an answer under TLS, in two ways: its text
// ends early and TLS ends as it should, and the connection ends at each byte of what TLS
// makes of it.
func TestCutAtEveryByteOfTLS(t *testing.T) {
	for name, whole := range cutAnswers() {
		t.Run(name+", text", func(t *testing.T) {
			t.Parallel()
			var cut atomic.Int64
			c := newTLSClient(t, func(conn *tls.Conn, _ *cutConn) {
				_, _ = io.WriteString(conn, whole[:cut.Load()])
				_ = conn.Close()
			})
			wantUnknownBelow(t, c, len(whole), &cut)
		})
		t.Run(name+", records", func(t *testing.T) {
			t.Parallel()
			var cut, text, all atomic.Int64
			c := newTLSClient(t, func(conn *tls.Conn, under *cutConn) {
				before := under.written
				under.most = before + int(cut.Load())
				_, _ = io.WriteString(conn, whole)
				text.Store(int64(under.written - before))
				_ = conn.Close()
				all.Store(int64(under.written - before))
			})
			cut.Store(math.MaxInt32)
			if got := c.Create(t.Context(), request()); got.Verdict == plan.VerdictUnknown {
				t.Fatalf("whole answer: got unknown (%s)", got.Why)
			}
			if int(text.Load()) <= len(whole) || all.Load() <= text.Load() {
				t.Fatalf("%d bytes of text took %d and the end %d", len(whole), text.Load(), all.Load())
			}
			// The text is whole without the last word of TLS, also where it says no length:
			// nothing that goes on behind a whole JSON object is one.
			wantUnknownBelow(t, c, int(text.Load()), &cut)
		})
	}
}

// wantUnknownBelow wants a create unknown that is cut anywhere before its end.
func wantUnknownBelow(t *testing.T, c *Client, end int, cut *atomic.Int64) {
	t.Helper()
	for n := range end {
		cut.Store(int64(n))
		if got := c.Create(t.Context(), request()); got.Verdict != plan.VerdictUnknown {
			t.Errorf("cut after %d of %d bytes: got %v, want unknown", n, end, got.Verdict)
		}
	}
	cut.Store(int64(end))
	if got := c.Create(t.Context(), request()); got.Verdict == plan.VerdictUnknown {
		t.Errorf("whole answer: got unknown (%s)", got.Why)
	}
}

// newTLSClient returns a Client of a server that reads one request from each connection
// and has speak answer it.
func newTLSClient(t *testing.T, speak func(*tls.Conn, *cutConn)) *Client {
	t.Helper()
	now := time.Now()
	own := certificate(t, now.Add(-time.Hour), now.Add(time.Hour), "127.0.0.1")
	address := acceptEach(t, func(conn net.Conn) {
		under := &cutConn{Conn: conn, most: math.MaxInt}
		over := tls.Server(under, &tls.Config{Certificates: []tls.Certificate{own}, SessionTicketsDisabled: true})
		r, err := http.ReadRequest(bufio.NewReader(over))
		if err != nil {
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		speak(over, under)
	})
	c := newTestClient(t, "https://"+address)
	pool := x509.NewCertPool()
	pool.AddCert(own.Leaf)
	c.wire.transport.TLSClientConfig.RootCAs = pool
	return c
}

// cutConn ends its connection once most bytes were written to it.
type cutConn struct {
	net.Conn
	written, most int
}

func (c *cutConn) Write(b []byte) (int, error) {
	if c.written+len(b) <= c.most {
		c.written += len(b)
		return c.Conn.Write(b)
	}
	n, _ := c.Conn.Write(b[:max(0, c.most-c.written)])
	c.written += n
	_ = c.Conn.Close()
	return n, net.ErrClosed
}
