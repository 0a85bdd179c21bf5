package emulator

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestDateWindow(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now})
	signedAt := clock.now()
	c.now = func() time.Time { return signedAt }
	for _, test := range []struct {
		off  time.Duration
		code string
	}{
		{0, ""}, {15 * time.Minute, ""}, {-15 * time.Minute, ""},
		{15*time.Minute + time.Second, "InvalidTimeStamp.Expired"},
		{-15*time.Minute - time.Second, "InvalidTimeStamp.Expired"},
	} {
		signedAt = clock.now().Add(test.off)
		if got := c.call("GetCallerIdentity", nil); got.text("Code") != test.code {
			t.Errorf("%v off: got %s, want code %q", test.off, got.raw, test.code)
		}
	}
	c.extra = http.Header{"X-Acs-Date": {"2026-01-02 03:04:05"}}
	c.refused("GetCallerIdentity", nil, 400, "InvalidTimeStamp.Format")
	if got := c.call("GetCallerIdentity", nil).header.Get("Date"); got != clock.now().Format(http.TimeFormat) {
		t.Errorf("got Date %q, want that of the emulator's clock", got)
	}
}

func TestNonceReplay(t *testing.T) {
	clock := newClock()
	opts := Options{Now: clock.now, State: filepath.Join(t.TempDir(), "state"), Keys: []Key{{ID: "other", Secret: "emulator"}}}
	c, server := open(t, opts)
	c.nonce = "n-1"
	c.ok("GetCallerIdentity", nil)
	c.refused("GetCallerIdentity", nil, 400, "SignatureNonceUsed")
	c.id = "other"
	c.ok("GetCallerIdentity", nil) // a nonce counts for one key

	server.Close()
	c, _ = open(t, opts)
	c.nonce = "n-1"
	clock.pass(15 * time.Minute)
	c.refused("GetCallerIdentity", nil, 400, "SignatureNonceUsed")
	clock.pass(time.Second) // a request of then is refused by its date now
	c.ok("GetCallerIdentity", nil)
}

// A request dated ahead stays valid for longer, and so must its nonce.
func TestNonceOfAnEarlyRequestIsKeptLonger(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now})
	signed := clock.now().Add(14 * time.Minute)
	c.now, c.nonce = func() time.Time { return signed }, "n-1"
	c.ok("GetCallerIdentity", nil)
	clock.pass(28 * time.Minute)
	c.refused("GetCallerIdentity", nil, 400, "SignatureNonceUsed")
}

func TestBadSignatureDoesNotUseUpTheNonce(t *testing.T) {
	c, _ := open(t, Options{})
	c.nonce, c.secret = "n-1", "wrong"
	c.refused("GetCallerIdentity", nil, 400, "SignatureDoesNotMatch")
	c.secret = "emulator"
	c.ok("GetCallerIdentity", nil)
}

func TestReplayAllowed(t *testing.T) {
	c, server := open(t, Options{ReplayAllowed: true})
	c.nonce = "n-1"
	c.create("a")
	c.create("a")
	if got := server.Stats(); got.Duplicates != 1 {
		t.Errorf("got %d duplicates, want 1", got.Duplicates)
	}
}

func TestNoncesAreSwept(t *testing.T) {
	n, now := newNonces(), time.UnixMilli(1_000_000)
	for i := range 3 * nonceSweep {
		now = now.Add(time.Second)
		n.add(nonceID{"k", time.Duration(i).String()}, now.Add(time.Minute), now)
	}
	if got := len(n.until); got > nonceSweep {
		t.Errorf("got %d nonces in memory, want the old ones dropped", got)
	}
}

func TestKeysAndAccounts(t *testing.T) {
	opts := Options{Keys: []Key{
		{ID: "mine", Secret: "s1"}, {ID: "theirs", Secret: "s2", Account: "42"},
		{ID: "sts", Secret: "s3", SecurityToken: "tok"},
	}}
	c, server := open(t, opts)
	if got := server.Account(); len(got) != 16 || got[0] == '0' {
		t.Errorf("got account %q, want 16 digits", got)
	}
	got := c.ok("GetCallerIdentity", nil)
	if got.text("AccountId") != server.Account() || got.text("IdentityType") != "Account" ||
		got.text("Arn") != "acs:ram::"+server.Account()+":root" || got.text("UserId") == "" || got.text("PrincipalId") == "" || got.text("RequestId") == "" {
		t.Errorf("got identity %s", got.raw)
	}
	id := c.create("a")

	theirs := *c
	theirs.id, theirs.secret = "theirs", "s2"
	if got := theirs.ok("GetCallerIdentity", nil).text("AccountId"); got != "42" {
		t.Errorf("got account %q, want 42", got)
	}
	theirs.refused("DescribeApsJobDetail", byID(id), 400, "InvalidInput")
	if got := theirs.list().text("TotalCount"); got != "0" {
		t.Errorf("another account sees %s jobs", got)
	}

	mine := *c
	mine.id, mine.secret = "mine", "s1"
	mine.ok("DescribeApsJobDetail", byID(id))

	sts := *c
	sts.id, sts.secret = "sts", "s3"
	sts.refused("GetCallerIdentity", nil, 400, "MissingSecurityToken")
	sts.token = "tok"
	if got := sts.ok("GetCallerIdentity", nil).text("IdentityType"); got != "AssumedRoleUser" {
		t.Errorf("got identity type %q", got)
	}
	sts.token = "toc"
	sts.refused("GetCallerIdentity", nil, 400, "InvalidSecurityToken.MismatchWithAccessKey")
	sts.id = "nobody"
	sts.refused("GetCallerIdentity", nil, 404, "InvalidAccessKeyId.NotFound")
}

func TestParseKey(t *testing.T) {
	for text, want := range map[string]Key{
		"a:b":    {ID: "a", Secret: "b"},
		"a:b:12": {ID: "a", Secret: "b", Account: "12"},
	} {
		if got, err := ParseKey(text); err != nil || got != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "a", "a:", ":b", "a:b:", "a:b:x", "a:b:1:2", "a b:c", "a,b:c"} {
		if got, err := ParseKey(text); err == nil {
			t.Errorf("%q: got %v, want an error", text, got)
		}
	}
	if _, err := ParseKey("id:topsecret:acc"); err == nil || strings.Contains(err.Error(), "topsecret") {
		t.Errorf("got %v, want an error without the secret", err)
	}
	for _, keys := range [][]Key{{{ID: "emulator", Secret: "x"}}, {{ID: "a", Secret: "x"}, {ID: "a", Secret: "y"}}} {
		if _, err := Open(Options{Keys: keys}); err == nil {
			t.Errorf("%v: want an error for an id given twice", keys)
		}
	}
}

func TestFormOfRequests(t *testing.T) {
	c, _ := open(t, Options{})
	c.refused("CreateApsJob", createParams("a"), 404, "InvalidAction.NotFound")
	c.version = "2019-03-15"
	c.refused("DescribeApsJobs", nil, 400, "ApiVersionForbidden")
	c.version = ""
	got := c.refused("CreateAPSJob", createParams("a", "ApsJobName", ""), 400, "MissingApsJobName")
	for _, name := range []string{"RequestId", "HostId", "Code", "Message", "Recommend"} {
		if got.text(name) == "" {
			t.Errorf("the error has no %s: %s", name, got.raw)
		}
	}
	do := func(method, path, contentType, body string) reply {
		t.Helper()
		r, err := http.NewRequest(method, c.url+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", contentType)
		got, err := send(r)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	for _, test := range []struct {
		method, path, contentType, body string
		status                          int
		code                            string
	}{
		{"POST", "/", formMediaType, "a=b", 400, "IncompleteSignature"},
		{"PUT", "/", formMediaType, "a=b", 400, "UnsupportedHTTPMethod"},
		{"GET", "/", formMediaType, "a=b", 400, "UnsupportedHTTPMethod"},
		{"POST", "/x", formMediaType, "a=b", 404, "InvalidAction.NotFound"},
		{"POST", "/", "application/json", "{}", 400, "InvalidContentType"},
		{"POST", "/", formMediaType, "a=%zz", 400, "InvalidParameter"},
		{"POST", "/", formMediaType, "a=1&a=2", 400, "InvalidParameter"},
		{"POST", "/", formMediaType, "a=%ff", 400, "InvalidParameter"},
		{"POST", "/?a=1;b=2", formMediaType, "", 400, "InvalidParameter"},
		{"POST", "/", formMediaType, strings.Repeat("a&", 100), 400, "InvalidParameter"},
		{"POST", "/", formMediaType, "a=" + strings.Repeat("x", bodyMaxBytes), 413, "RequestTooLarge"},
	} {
		if got := do(test.method, test.path, test.contentType, test.body); got.status != test.status || got.text("Code") != test.code {
			t.Errorf("%s %s %.20s: got status %d and %.200s, want %d %s", test.method, test.path, test.body, got.status, got.raw, test.status, test.code)
		}
	}
	// An ACS3 call of an APS action is a POST with its parameters in the body.
	c.method = "GET"
	c.refused("DescribeApsJobs", nil, 400, "UnsupportedHTTPMethod")
	c.ok("GetCallerIdentity", nil)
}

func TestParameters(t *testing.T) {
	c, _ := open(t, Options{})
	create := func(pairs ...string) map[string]string { return createParams("a", pairs...) }
	list := func(pairs ...string) map[string]string {
		return with(map[string]string{"RegionId": "cn-hangzhou", "PageNumber": "1", "PageSize": "30"}, pairs...)
	}
	for _, test := range []struct {
		action string
		params map[string]string
		code   string
	}{
		{"CreateAPSJob", create("RegionId", ""), "MissingRegionId"},
		{"CreateAPSJob", create("SourceEndpointInstanceID", ""), "MissingSourceEndpointInstanceID"},
		{"CreateAPSJob", create("DestinationEndpointInstanceID", ""), "MissingDestinationEndpointInstanceID"},
		{"CreateAPSJob", create("DbList", ""), "MissingDbList"},
		{"CreateAPSJob", create("DbList", "true"), "InvalidDbList"},
		{"CreateAPSJob", create("DbList", "[]"), "InvalidDbList"},
		{"CreateAPSJob", create("DbList", "{} {}"), "InvalidDbList"},
		{"CreateAPSJob", create("DbList", "{"), "InvalidDbList"},
		{"CreateAPSJob", create("DbList", `{"a":1,"a":2}`), "InvalidDbList"},
		{"CreateAPSJob", create("DbList", strings.Repeat(`{"a":`, 50)+"1"+strings.Repeat("}", 50)), "InvalidDbList"},
		{"CreateAPSJob", create("PartitionList", "x"), "InvalidPartitionList"},
		{"CreateAPSJob", create("RegionId", "hangzhou"), "InvalidRegionId"},
		{"CreateAPSJob", create("RegionId", "cn-hangzhou\n"), "InvalidRegionId"},
		{"CreateAPSJob", create("ApsJobName", " a"), "InvalidApsJobName"},
		{"CreateAPSJob", create("ApsJobName", "a\x1b[0m"), "InvalidApsJobName"},
		{"CreateAPSJob", create("ApsJobName", strings.Repeat("x", 256)), "InvalidApsJobName"},
		{"CreateAPSJob", create("SourceEndpointInstanceID", "pc 1"), "InvalidSourceEndpointInstanceID"},
		{"CreateAPSJob", create("ClientToken", "x"), "InvalidParameter"},
		{"CreateAPSJob", create("SourceEndpointInstanceId", "pc-1"), "InvalidParameter"},
		{"CreateAPSJob", create("SourceEndpointRegion", "cn-beijing"), "InvalidSourceEndpointRegion"},
		{"DescribeApsJobs", list("PageNumber", ""), "MissingPageNumber"},
		{"DescribeApsJobs", list("PageSize", ""), "MissingPageSize"},
		{"DescribeApsJobs", list("PageNumber", "0"), "InvalidPageNumber"},
		{"DescribeApsJobs", list("PageNumber", "+1"), "InvalidPageNumber"},
		{"DescribeApsJobs", list("PageSize", "1e3"), "InvalidPageSize"},
		{"DescribeApsJobs", list("PageSize", "99999999999999999999"), "InvalidPageSize"},
		{"DescribeApsJobs", list("CreateTimeStart", "2022-03-23T01:10:00Z"), "InvalidCreateTimeStart"},
		{"DescribeApsJobs", list("ApsJobId", "x"), "InvalidParameter"},
		{"DescribeApsJobDetail", map[string]string{}, "MissingApsJobId"},
		{"DescribeApsJobDetail", map[string]string{"ApsJobId": "none"}, "InvalidInput"},
		{"ModifyApsJob", with(byID("x"), "DbList", ""), "MissingDbList"},
		{"ModifyApsJob", with(byID("x"), "DbList", "{}", "RegionId", ""), "MissingRegionId"},
		{"ModifyApsJob", with(byID("x"), "DbList", "{}"), "InvalidInput"},
		{"StartApsJob", with(byID("x"), "RegionId", ""), "MissingRegionId"},
		{"StartApsJob", byID("x"), "InvalidInput"},
		{"SuspendApsJob", map[string]string{"ApsJobId": "x"}, "InvalidInput"},
		{"SuspendApsJob", map[string]string{"RegionId": "cn-hangzhou"}, "MissingApsJobId"},
		{"DeleteApsJob", with(byID("x"), "RegionId", ""), "MissingRegionId"},
		{"DeleteApsJob", byID("x"), "InvalidInput"},
	} {
		if got := c.call(test.action, test.params); got.status != 400 || got.text("Code") != test.code {
			t.Errorf("%s %.80v: got status %d and %s, want %s", test.action, test.params, got.status, got.raw, test.code)
		}
	}
	if got := c.list().text("TotalCount"); got != "0" {
		t.Errorf("refused creates left %s jobs", got)
	}
}
