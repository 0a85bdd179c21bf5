package emulator

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func (c *testClient) page(method, path, body string) reply {
	c.t.Helper()
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	got, err := send(r)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func TestStatsPage(t *testing.T) {
	clock := newClock()
	c, server := open(t, Options{Now: clock.now})
	c.create("a", "SourceEndpointPassword", "canary")
	c.create("a")
	c.secret = "wrong"
	c.refused("CreateAPSJob", createParams("a"), 400, "SignatureDoesNotMatch")
	var got Stats
	if err := json.Unmarshal(c.page("GET", "/_emulator/stats", "").raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Account != server.Account() || !got.Since.Equal(clock.now()) || got.Jobs != 2 || got.Duplicates != 1 || got.Creates != 2 || got.Unrecognised != 1 ||
		got.Actions["CreateAPSJob"] != (ActionStats{Calls: 2, AnsweredOK: 2}) || len(got.Actions) != len(operations) {
		t.Errorf("got %+v", got)
	}
	jobs := string(c.page("GET", "/_emulator/jobs", "").raw)
	if !strings.Contains(jobs, `"name": "a"`) || !strings.Contains(jobs, `"status": "Initializing"`) || strings.Contains(jobs, "canary") {
		t.Errorf("got jobs %s", jobs)
	}
}

func TestFaultsPage(t *testing.T) {
	c, _ := open(t, Options{})
	got := c.page("POST", "/_emulator/faults", "- {operation: CreateAPSJob, kind: status, status: 503, count: 1}\n")
	if got.status != 200 {
		t.Fatalf("got status %d and %s", got.status, got.raw)
	}
	c.refused("CreateAPSJob", createParams("a"), 503, "ServiceUnavailable")
	c.create("a")
	shown := string(c.page("GET", "/_emulator/faults", "").raw)
	if !strings.Contains(shown, `"struck": 1`) || !strings.Contains(shown, `"kind": "status"`) {
		t.Errorf("got %s", shown)
	}
	if got := c.page("POST", "/_emulator/faults", `[{"kind":"explode"}]`); got.status != 400 || !strings.Contains(got.text("error"), "explode") {
		t.Errorf("got status %d and %s", got.status, got.raw)
	}
	if got := string(c.page("GET", "/_emulator/faults", "").raw); got != shown {
		t.Errorf("an invalid set changed the faults to %s", got)
	}
	if got := c.page("POST", "/_emulator/faults", `[{"operation":"*","kind":"drop"}]`); got.status != 200 {
		t.Errorf("JSON: got status %d and %s", got.status, got.raw)
	}
	if got := string(c.page("DELETE", "/_emulator/faults", "").raw); got != "[]\n" {
		t.Errorf("got %s", got)
	}
	c.create("b")
	if got := c.page("GET", "/_emulator/nothing", ""); got.status != 404 {
		t.Errorf("got status %d", got.status)
	}
}

func TestPagesAnswerOnlyHere(t *testing.T) {
	_, server := open(t, Options{})
	get := func(from, origin string) int {
		r := httptest.NewRequest("GET", "/_emulator/stats", nil)
		r.RemoteAddr = from
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		return w.Code
	}
	for from, want := range map[string]int{"127.0.0.1:1": 200, "[::1]:1": 200, "10.0.0.1:1": 403, "[2001:db8::1]:1": 403, "": 403} {
		if got := get(from, ""); got != want {
			t.Errorf("from %q: got %d, want %d", from, got, want)
		}
	}
	if got := get("127.0.0.1:1", "https://example.com"); got != 403 {
		t.Errorf("from a page in a browser: got %d, want 403", got)
	}
}

func TestServe(t *testing.T) {
	server, err := Open(Options{State: filepath.Join(t.TempDir(), "state"), Faults: []Fault{{Operation: "DeleteApsJob", Kind: FaultHang}}})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx, ln) }()
	c := &testClient{t: t, url: "http://" + ln.Addr().String(), id: "emulator", secret: "emulator", now: time.Now}
	id := c.create("a")
	hung := make(chan error, 1)
	go func() {
		_, err := c.do("DeleteApsJob", byID(id))
		hung <- err
	}()
	for server.Stats().Actions["DeleteApsJob"].Faulted == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("got %v", err)
	}
	if err := <-hung; err == nil {
		t.Error("the hanging request got an answer")
	}
	if err := server.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := server.Close(); err != nil {
		t.Errorf("close again: %v", err)
	}
	if _, err := net.Dial("tcp", ln.Addr().String()); err == nil {
		t.Error("the listener is still open")
	}
}

// A request that waits out the latency when the emulator closes is dropped,
// and nothing of it is committed.
func TestCloseDuringLatency(t *testing.T) {
	c, server := open(t, Options{Latency: time.Hour})
	done := make(chan error, 1)
	go func() {
		_, err := c.do("CreateAPSJob", createParams("a"))
		done <- err
	}()
	for server.Stats().Actions["CreateAPSJob"].Calls == 0 {
		time.Sleep(time.Millisecond)
	}
	server.Close()
	if err := <-done; err == nil {
		t.Error("got an answer")
	}
	if got := server.Stats().Jobs; got != 0 {
		t.Errorf("got %d jobs", got)
	}
}

// A client that leaves does not stop what the service has accepted.
func TestClientLeavesDuringLatency(t *testing.T) {
	c, server := open(t, Options{Latency: time.Second})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	c.tamper = func(r *http.Request) { *r = *r.WithContext(ctx) }
	left := make(chan error, 1)
	go func() {
		_, err := c.do("CreateAPSJob", createParams("a"))
		left <- err
	}()
	// It leaves when the call is accepted, however long it took to get there.
	for server.Stats().Actions["CreateAPSJob"].Calls == 0 && len(left) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-left; err == nil {
		t.Error("got an answer")
	}
	for deadline := time.Now().Add(30 * time.Second); server.Stats().Jobs == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the job was never made")
		}
	}
}

func TestLogHoldsNoSecrets(t *testing.T) {
	var out bytes.Buffer
	c, _ := open(t, Options{Log: slog.New(slog.NewJSONHandler(&out, nil))})
	got := c.ok("CreateAPSJob", createParams("a", "SourceEndpointPassword", "canary"))
	for _, secret := range []string{"canary", "emulator", "ACS3"} {
		if strings.Contains(out.String(), secret) {
			t.Errorf("%s is in the log: %s", secret, &out)
		}
	}
	if !strings.Contains(out.String(), got.text("RequestId")) || !strings.Contains(out.String(), "CreateAPSJob") {
		t.Errorf("got log %s", &out)
	}
}

// Whatever comes in, the emulator answers or closes, and lives on.
func TestHostileInput(t *testing.T) {
	c, _ := open(t, Options{})
	address := strings.TrimPrefix(c.url, "http://")
	for _, text := range []string{
		"\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\nAuthorization: ACS3-HMAC-SHA256 ,,,\r\nContent-Length: 0\r\n\r\n",
		"POST /?Signature HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"POST /_emulator/../ HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"POST /?%00=%ff&Signature=%zz HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("X-Acs-A: b\r\n", 500) + "Content-Length: 0\r\n\r\n",
	} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprint(conn, text)
		conn.SetReadDeadline(time.Now().Add(2 * time.Second))
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err == nil && response.StatusCode < 400 {
			t.Errorf("%.40q: got status %d", text, response.StatusCode)
		}
		conn.Close()
	}
	c.create("a")
}
