package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// vectorBody and the numbers below are the vector of the API reference,
// section 10, which was computed with Alibaba's own core.
const (
	vectorBody      = "ApsJobName=job-1&DbList=%7B%22EntireInstance%22%3Atrue%7D&PageSize=30&RegionId=cn-hangzhou"
	vectorPayload   = "bd1a18abf321365bf4b0818bc961aac425ec69ae884456a3400fd9ec33547ac7"
	vectorCanonical = "460bad5a13360397b04b33457005c561dc4667646bfe73d4df3573360cc1c990"
	vectorSignature = "f94bca3bf000ad7724829747471e2f4575c99c7952d533996f01385e7f0b257b"
	vectorWithToken = "15cd7f378af84090ac2757f3ab9c7244ce235b4ff0fde5ca3507e406e043687f"
)

func vectorRequest(signature string, more ...string) *request {
	h := http.Header{}
	names := "content-type;host;"
	set := []string{
		"content-type", "application/x-www-form-urlencoded",
		"x-acs-action", "DescribeApsJobs", "x-acs-version", "2021-12-01",
		"x-acs-date", "2026-01-02T03:04:05Z", "x-acs-signature-nonce", "0123456789abcdef0123456789abcdef",
		"x-acs-content-sha256", vectorPayload, "x-acs-credentials-provider", "static_ak",
	}
	set = append(set, more...)
	for i := 0; i < len(set); i += 2 {
		h.Set(set[i], set[i+1])
	}
	if len(more) > 0 {
		names += "x-acs-accesskey-id;x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-security-token;x-acs-signature-nonce;x-acs-version"
	} else {
		names += "x-acs-action;x-acs-content-sha256;x-acs-credentials-provider;x-acs-date;x-acs-signature-nonce;x-acs-version"
	}
	h.Set("Authorization", "ACS3-HMAC-SHA256 Credential=testAK,SignedHeaders="+names+",Signature="+signature)
	form, _ := parameters(vectorBody)
	return &request{method: "POST", host: "127.0.0.1:8080", header: h, body: []byte(vectorBody), query: map[string]string{}, form: form}
}

var vectorTime = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func TestV3Vector(t *testing.T) {
	ring := keyring{"testAK": {ID: "testAK", Secret: "testSecret", Account: "1"}}
	in := vectorRequest(vectorSignature)
	auth, p := parseAuthorization(in.header.Values("Authorization"))
	if p != nil {
		t.Fatal(p)
	}
	sum := sha256.Sum256([]byte(canonicalV3(in, auth.signed, vectorPayload)))
	if got := hex.EncodeToString(sum[:]); got != vectorCanonical {
		t.Errorf("canonical request hash: got %s, want %s", got, vectorCanonical)
	}
	who, p := authenticateV3(in, ring, vectorTime)
	if p != nil {
		t.Fatal(p)
	}
	if who.action != "DescribeApsJobs" || who.params["DbList"] != `{"EntireInstance":true}` {
		t.Errorf("got action %q and parameters %v", who.action, who.params)
	}
}

func TestV3VectorWithToken(t *testing.T) {
	ring := keyring{"testAK": {ID: "testAK", Secret: "testSecret", Account: "1", SecurityToken: "testToken"}}
	in := vectorRequest(vectorWithToken, "x-acs-credentials-provider", "static_sts", "x-acs-accesskey-id", "testAK", "x-acs-security-token", "testToken")
	if _, p := authenticateV3(in, ring, vectorTime); p != nil {
		t.Fatal(p)
	}
}

// The example of the public V3 documentation has its parameters in the query,
// which exercises the canonical query.
func TestV3DocumentedExample(t *testing.T) {
	query, _ := parameters("ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai")
	in := &request{method: "POST", host: "ecs.cn-shanghai.aliyuncs.com", query: query, header: http.Header{
		"X-Acs-Action": {"RunInstances"}, "X-Acs-Version": {"2014-05-26"}, "X-Acs-Date": {"2023-10-26T10:22:32Z"},
		"X-Acs-Signature-Nonce": {"3156853299f313e23d1673dc12e1703d"},
		"X-Acs-Content-Sha256":  {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	}}
	got := signV3(canonicalV3(in, requiredV3, in.header.Get("X-Acs-Content-Sha256")), "YourAccessKeySecret")
	const want = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestV3FlippedBit(t *testing.T) {
	ring := keyring{"testAK": {ID: "testAK", Secret: "testSecret", Account: "1"}}
	flips := map[string]func(*request){
		"signature": func(in *request) {
			in.header.Set("Authorization", strings.Replace(in.header.Get("Authorization"), "f94bca", "f94bcb", 1))
		},
		"body":      func(in *request) { in.body[3] ^= 1 },
		"hash":      func(in *request) { in.header.Set("X-Acs-Content-Sha256", strings.Replace(vectorPayload, "b", "c", 1)) },
		"action":    func(in *request) { in.header.Set("X-Acs-Action", "DescribeApsJobt") },
		"nonce":     func(in *request) { in.header.Set("X-Acs-Signature-Nonce", "0123456789abcdef0123456789abcdee") },
		"date":      func(in *request) { in.header.Set("X-Acs-Date", "2026-01-02T03:04:06Z") },
		"host":      func(in *request) { in.host = "127.0.0.1:8081" },
		"method":    func(in *request) { in.method = "GET" },
		"query":     func(in *request) { in.query = map[string]string{"a": "b"} },
		"provider":  func(in *request) { in.header.Set("X-Acs-Credentials-Provider", "static_al") },
		"type":      func(in *request) { in.header.Set("Content-Type", formMediaType+"; charset=utf-8") },
		"uppercase": func(in *request) { upperSignature(in) },
	}
	for name, flip := range flips {
		in := vectorRequest(vectorSignature)
		flip(in)
		if _, p := authenticateV3(in, ring, vectorTime); p == nil || p.code != "SignatureDoesNotMatch" || p.status != 400 {
			t.Errorf("%s: got %v, want SignatureDoesNotMatch", name, p)
		}
	}
}

func upperSignature(in *request) {
	before, after, _ := strings.Cut(in.header.Get("Authorization"), "Signature=")
	in.header.Set("Authorization", before+"Signature="+strings.ToUpper(after))
}

func TestV3IncompleteSignature(t *testing.T) {
	c, _ := open(t, Options{})
	send := func(name string, change func(*testClient)) {
		t.Helper()
		one := *c
		change(&one)
		got := one.call("GetCallerIdentity", nil)
		if got.status != 400 || got.text("Code") != "IncompleteSignature" {
			t.Errorf("%s: got status %d and %s, want IncompleteSignature", name, got.status, got.raw)
		}
	}
	for _, name := range requiredV3 {
		send("unsigned "+name, func(c *testClient) { c.unsigned = []string{name} })
	}
	send("unsigned extra x-acs header", func(c *testClient) {
		c.extra, c.unsigned = http.Header{"X-Acs-Extra": {"1"}}, []string{"x-acs-extra"}
	})
	for _, header := range []string{"", "ACS3-HMAC-SM3 Credential=a,SignedHeaders=b,Signature=c", "ACS3-HMAC-SHA256 Credential=emulator"} {
		send("Authorization "+header, func(c *testClient) {
			c.tamper = func(r *http.Request) { r.Header.Set("Authorization", header) }
		})
	}
	send("header twice", func(c *testClient) { c.tamper = func(r *http.Request) { r.Header.Add("X-Acs-Date", "x") } })
}

// The example of the public documentation of the old RPC signature: key testid
// with secret testsecret, and the signature it prints.
func TestRPCDocumentedExample(t *testing.T) {
	params, p := parameters("Timestamp=2016-02-23T12:46:24Z&Format=XML&AccessKeyId=testid&Action=DescribeRegions" +
		"&SignatureMethod=HMAC-SHA1&SignatureNonce=3ee8c1b8-83d3-44af-a94f-4e0ad82fd6cf&Version=2014-05-26&SignatureVersion=1.0")
	if p != nil {
		t.Fatal(p)
	}
	if got, want := signRPC("GET", params, "testsecret"), "OLeaidS1JvxuMvnyHOwuJ+uX5qY="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A whole request with its signature written out. The signature was computed
// with OpenSSL over the string
// GET&%2F&AccessKeyId%3Demulator%26Action%3DDescribeApsJobs%26ApsJobName%3Da%2520b%252A~%26Format%3DJSON
// %26PageNumber%3D1%26PageSize%3D30%26RegionId%3Dcn-hangzhou%26SignatureMethod%3DHMAC-SHA1%26SignatureNonce%3Dn-1
// %26SignatureVersion%3D1.0%26Timestamp%3D2026-01-02T03%253A04%253A05Z%26Version%3D2021-12-01
// with the key "emulator&".
func TestRPCWrittenOut(t *testing.T) {
	c, _ := open(t, Options{Now: newClock().now})
	const query = "/?AccessKeyId=emulator&Action=DescribeApsJobs&ApsJobName=a%20b*~&Format=JSON&PageNumber=1&PageSize=30" +
		"&RegionId=cn-hangzhou&Signature=SIGNATURE&SignatureMethod=HMAC-SHA1&SignatureNonce=n-1" +
		"&SignatureVersion=1.0&Timestamp=2026-01-02T03%3A04%3A05Z&Version=2021-12-01"
	get := func(signature string) reply {
		t.Helper()
		r, err := http.NewRequest("GET", c.url+strings.Replace(query, "SIGNATURE", url.QueryEscape(signature), 1), nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := send(r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := get("B8q3RVrC7km0MIzktgYl29FA03Q="); got.status != 400 || got.text("Code") != "SignatureDoesNotMatch" {
		t.Errorf("flipped: got status %d and %s", got.status, got.raw)
	}
	if got := get("c8q3RVrC7km0MIzktgYl29FA03Q="); got.status != 200 || got.text("TotalCount") != "0" {
		t.Errorf("got status %d and %s, want an empty listing", got.status, got.raw)
	}
	if got := get("c8q3RVrC7km0MIzktgYl29FA03Q="); got.text("Code") != "SignatureNonceUsed" {
		t.Errorf("replay: got status %d and %s", got.status, got.raw)
	}
}

func TestRPCGetAndPost(t *testing.T) {
	c, server := open(t, Options{})
	do := func(method string, query, form url.Values) reply {
		t.Helper()
		r, err := http.NewRequest(method, c.url+"/?"+query.Encode(), strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		if len(form) > 0 {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		got, err := send(r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	// All in the query of a GET.
	got := do("GET", rpcParams("GET", "emulator", "emulator", "GetCallerIdentity", c.now(), nil), nil)
	if got.status != 200 || got.text("AccountId") != server.Account() {
		t.Errorf("GET: got status %d and %s", got.status, got.raw)
	}
	// The older SDKs: common parameters and RegionId in the query of a POST,
	// the others, and RegionId again, in the body.
	all := rpcParams("POST", "emulator", "emulator", "CreateAPSJob", c.now(), with(createParams("ümlaut * ~ job"), "SignatureType", ""))
	form := url.Values{}
	for name := range createParams("") {
		form.Set(name, all.Get(name))
		if name != "RegionId" {
			all.Del(name)
		}
	}
	if got := do("POST", all, form); got.status != 200 || got.text("ApsJobId") == "" {
		t.Errorf("POST: got status %d and %s", got.status, got.raw)
	}
	// A value that differs between the two places.
	all = rpcParams("POST", "emulator", "emulator", "CreateAPSJob", c.now(), createParams("x"))
	if got := do("POST", all, url.Values{"RegionId": {"cn-beijing"}}); got.text("Code") != "InvalidParameter" {
		t.Errorf("differing: got status %d and %s", got.status, got.raw)
	}
}

func TestRPCRefusals(t *testing.T) {
	key := Key{ID: "sts", Secret: "s", SecurityToken: "tok"}
	c, _ := open(t, Options{Keys: []Key{key}})
	cases := []struct {
		name       string
		id, secret string
		at         time.Time
		more       map[string]string
		drop       string
		status     int
		code       string
	}{
		{name: "unknown key", id: "who", secret: "emulator", at: c.now(), status: 404, code: "InvalidAccessKeyId.NotFound"},
		{name: "wrong secret", id: "emulator", secret: "x", at: c.now(), status: 400, code: "SignatureDoesNotMatch"},
		{name: "old", id: "emulator", secret: "emulator", at: c.now().Add(-16 * time.Minute), status: 400, code: "InvalidTimeStamp.Expired"},
		{name: "early", id: "emulator", secret: "emulator", at: c.now().Add(16 * time.Minute), status: 400, code: "InvalidTimeStamp.Expired"},
		{name: "XML", id: "emulator", secret: "emulator", at: c.now(), more: map[string]string{"Format": "XML"}, status: 400, code: "InvalidFormat"},
		{name: "SHA256", id: "emulator", secret: "emulator", at: c.now(), more: map[string]string{"SignatureMethod": "HMAC-SHA256"}, status: 400, code: "InvalidSignatureMethod"},
		{name: "no nonce", id: "emulator", secret: "emulator", at: c.now(), drop: "SignatureNonce", status: 400, code: "MissingSignatureNonce"},
		{name: "date format", id: "emulator", secret: "emulator", at: c.now(), more: map[string]string{"Timestamp": "2026-01-02T03:04:05.5Z"}, status: 400, code: "InvalidTimeStamp.Format"},
		{name: "no token", id: "sts", secret: "s", at: c.now(), status: 400, code: "MissingSecurityToken"},
		{name: "other token", id: "sts", secret: "s", at: c.now(), more: map[string]string{"SecurityToken": "toc"}, status: 400, code: "InvalidSecurityToken.MismatchWithAccessKey"},
		{name: "needless token", id: "emulator", secret: "emulator", at: c.now(), more: map[string]string{"SecurityToken": "tok"}, status: 400, code: "InvalidSecurityToken.MismatchWithAccessKey"},
		{name: "token", id: "sts", secret: "s", at: c.now(), more: map[string]string{"SecurityToken": "tok"}, status: 200},
	}
	for _, test := range cases {
		p := rpcParams("GET", test.id, test.secret, "GetCallerIdentity", test.at, test.more)
		p.Del(test.drop)
		r, _ := http.NewRequest("GET", c.url+"/?"+p.Encode(), nil)
		got, err := send(r)
		if err != nil || got.status != test.status || got.text("Code") != test.code {
			t.Errorf("%s: got status %d, %s, %v; want %d %s", test.name, got.status, got.raw, err, test.status, test.code)
		}
	}
}
