package emulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The signers in this file are written from the published rules and use
// nothing of the package, so that a mistake cannot cancel itself out.

// testClient signs and sends calls in the ACS3 way.
type testClient struct {
	t                 *testing.T
	url               string
	id, secret, token string
	now               func() time.Time
	tamper            func(*http.Request) // after signing
	extra             http.Header         // signed as well
	nonce             string              // random if empty
	method, version   string
	inQuery           bool // where parameters go, in place of the body
	unsigned          []string
}

type reply struct {
	status int
	header http.Header
	body   map[string]any
	raw    []byte
}

func (r reply) text(name string) string {
	s, _ := r.body[name].(string)
	return s
}

// do sends the call and returns what came back, or the error of the transport.
func (c *testClient) do(action string, params map[string]string) (reply, error) {
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	version, method := "2021-12-01", "POST"
	if action == "GetCallerIdentity" {
		version = "2015-04-01"
	}
	if action == "GetSecretValue" {
		version = "2016-01-20"
	}
	if c.version != "" {
		version = c.version
	}
	if c.method != "" {
		method = c.method
	}
	body, path := form.Encode(), "/"
	if c.inQuery {
		body, path = "", "/?"+body
	}
	r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	c.sign(r, action, version, body)
	if c.tamper != nil {
		c.tamper(r)
	}
	return send(r)
}

func (c *testClient) sign(r *http.Request, action, version, body string) {
	hash := sha256.Sum256([]byte(body))
	h := map[string]string{
		"host":                  r.URL.Host,
		"x-acs-action":          action,
		"x-acs-version":         version,
		"x-acs-date":            c.now().UTC().Format("2006-01-02T15:04:05Z"),
		"x-acs-signature-nonce": c.nonce,
		"x-acs-content-sha256":  hex.EncodeToString(hash[:]),
	}
	if c.nonce == "" {
		h["x-acs-signature-nonce"] = rand.Text()
	}
	if body != "" {
		h["content-type"] = "application/x-www-form-urlencoded"
	}
	if c.token != "" {
		h["x-acs-security-token"], h["x-acs-accesskey-id"] = c.token, c.id
	}
	for name := range c.extra {
		h[strings.ToLower(name)] = c.extra.Get(name)
	}
	names := []string{}
	for name, value := range h {
		if name != "host" {
			r.Header.Set(name, value)
		}
		if !slices.Contains(c.unsigned, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	lines := ""
	for _, name := range names {
		lines += name + ":" + h[name] + "\n"
	}
	query := strings.ReplaceAll(r.URL.RawQuery, "+", "%20") // Encode sorts it
	canonical := r.Method + "\n/\n" + query + "\n" + lines + "\n" + strings.Join(names, ";") + "\n" + h["x-acs-content-sha256"]
	sum := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(c.secret))
	mac.Write([]byte("ACS3-HMAC-SHA256\n" + hex.EncodeToString(sum[:])))
	r.Header.Set("Authorization", "ACS3-HMAC-SHA256 Credential="+c.id+",SignedHeaders="+strings.Join(names, ";")+",Signature="+hex.EncodeToString(mac.Sum(nil)))
}

// noReuse opens a connection for every request: a fault that closes one must
// not make the transport repeat a request by itself.
var noReuse = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func send(r *http.Request) (reply, error) {
	response, err := noReuse.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer response.Body.Close()
	out := reply{status: response.StatusCode, header: response.Header}
	if out.raw, err = io.ReadAll(response.Body); err != nil {
		return out, err
	}
	d := json.NewDecoder(bytes.NewReader(out.raw))
	d.UseNumber()
	_ = d.Decode(&out.body) // some faults are no JSON
	return out, nil
}

// call is do for calls that must get an answer.
func (c *testClient) call(action string, params map[string]string) reply {
	c.t.Helper()
	got, err := c.do(action, params)
	if err != nil {
		c.t.Fatalf("%s: %v", action, err)
	}
	return got
}

// ok is call for calls that must succeed.
func (c *testClient) ok(action string, params map[string]string) reply {
	c.t.Helper()
	got := c.call(action, params)
	if got.status != 200 || got.body["Success"] == false {
		c.t.Fatalf("%s: got status %d and %s, want success", action, got.status, got.raw)
	}
	return got
}

// refused is call for calls that must fail with the status and the code.
func (c *testClient) refused(action string, params map[string]string, status int, code string) reply {
	c.t.Helper()
	got := c.call(action, params)
	if got.status != status || got.text("Code") != code {
		c.t.Fatalf("%s: got status %d and %s, want %d %s", action, got.status, got.raw, status, code)
	}
	return got
}

// create makes a job and returns its id.
func (c *testClient) create(name string, more ...string) string {
	c.t.Helper()
	return c.ok("CreateAPSJob", createParams(name, more...)).text("ApsJobId")
}

func (c *testClient) list(more ...string) reply {
	c.t.Helper()
	return c.ok("DescribeApsJobs", with(map[string]string{"RegionId": "cn-hangzhou", "PageNumber": "1", "PageSize": "30"}, more...))
}

func (c *testClient) status(id string) string {
	c.t.Helper()
	detail := c.ok("DescribeApsJobDetail", byID(id)).body["APSJobDetail"].(map[string]any)
	return detail["Status"].(string)
}

func createParams(name string, more ...string) map[string]string {
	return with(map[string]string{
		"RegionId": "cn-hangzhou", "ApsJobName": name, "SourceEndpointInstanceID": "pc-1",
		"DestinationEndpointInstanceID": "amv-1", "DbList": `{"EntireInstance":true}`,
	}, more...)
}

func byID(id string) map[string]string {
	return map[string]string{"RegionId": "cn-hangzhou", "ApsJobId": id}
}

// with sets pairs of name and value; an empty value removes the name.
func with(params map[string]string, pairs ...string) map[string]string {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			delete(params, pairs[i])
		} else {
			params[pairs[i]] = pairs[i+1]
		}
	}
	return params
}

// entries returns the jobs of a listing.
func (r reply) entries() []map[string]any {
	list := []map[string]any{}
	for _, entry := range r.body["APSJobs"].([]any) {
		list = append(list, entry.(map[string]any))
	}
	return list
}

func (r reply) names() []string {
	names := []string{}
	for _, entry := range r.entries() {
		names = append(names, entry["ApsJobName"].(string))
	}
	return names
}

// rpcParams signs a request in the old style, from the published rules:
// what goes into the query of a GET, or is split over query and body of a POST.
func rpcParams(method, id, secret, action string, at time.Time, more map[string]string) url.Values {
	p := url.Values{
		"AccessKeyId": {id}, "Action": {action}, "Format": {"JSON"}, "SignatureMethod": {"HMAC-SHA1"},
		"SignatureNonce": {rand.Text()}, "SignatureVersion": {"1.0"},
		"Timestamp": {at.UTC().Format("2006-01-02T15:04:05Z")}, "Version": {"2021-12-01"},
	}
	if action == "GetCallerIdentity" {
		p.Set("Version", "2015-04-01")
	}
	for name, value := range more {
		p.Set(name, value)
	}
	// Encode sorts by name; the rest is the difference between form encoding
	// and the encoding of the signature.
	encode := func(s string) string {
		return strings.NewReplacer("+", "%20", "*", "%2A", "%7E", "~").Replace(s)
	}
	toSign := method + "&%2F&" + encode(url.QueryEscape(encode(p.Encode())))
	mac := hmac.New(sha1.New, []byte(secret+"&"))
	mac.Write([]byte(toSign))
	p.Set("Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return p
}

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func newClock() *clock { return &clock{at: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// open starts an emulator on loopback and a client of it.
func open(t *testing.T, opts Options) (*testClient, *Server) {
	t.Helper()
	if opts.Now == nil {
		opts.Now = time.Now
	}
	server, err := Open(opts)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	t.Cleanup(func() {
		server.Close() // first: it releases what hangs
		web.Close()
	})
	return &testClient{t: t, url: web.URL, id: "emulator", secret: "emulator", now: opts.Now}, server
}
