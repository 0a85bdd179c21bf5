package emulator

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Whatever a stranger sends, the answer is a refusal in the documented shape.
func FuzzCall(f *testing.F) {
	f.Add("POST", "", "ACS3-HMAC-SHA256 Credential=emulator,SignedHeaders=host,Signature=00", vectorBody)
	f.Add("GET", "Signature=x&AccessKeyId=emulator&Action=DescribeApsJobs", "", "")
	f.Add("POST", "a=%zz;b", "ACS3-HMAC-SHA256 ,,", "a=b")
	server, err := Open(Options{})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { server.Close() })
	f.Fuzz(func(t *testing.T, method, query, authorization, body string) {
		r := httptest.NewRequest("POST", "/", strings.NewReader(body))
		r.Method, r.URL.RawQuery = method, query
		r.Header.Set("Content-Type", formMediaType)
		r.Header.Set("Authorization", authorization)
		for _, name := range requiredV3[1:] {
			r.Header.Set(name, "2026-01-02T03:04:05Z")
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		var got map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code < 400 || got["Code"] == "" || got["RequestId"] == "" {
			t.Errorf("got status %d and %s, %v", w.Code, w.Body, err)
		}
	})
}

// What passes as an object comes out as the same JSON, whatever the order.
func FuzzObject(f *testing.F) {
	f.Add(`{"b":{"y":1.50,"x":[{"q":1e400,"p":"<&>"}]},"a":true,"n":null}`)
	f.Add(`{"\ud800":"\u0000"}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := parseObject(text)
		if err != nil {
			return
		}
		once, err := json.Marshal(o)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		twice, err := json.Marshal(o.reversed().reversed())
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%q: got %s turned twice, want %s", text, twice, once)
		}
		if _, err := parseObject(string(once)); err != nil {
			t.Errorf("%q: its output %s does not parse: %v", text, once, err)
		}
	})
}

func FuzzFaults(f *testing.F) {
	f.Add("- {operation: '*', kind: drop, share: 0.5}\n")
	f.Add("[{\"kind\":\"hang\",\"hold\":\"1s\"}]")
	f.Add("- &a {kind: drop}\n- *a\n- <<: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		faults, err := parseFaults([]byte(text))
		if err != nil {
			return
		}
		if _, err := newFaultSet(faults, 1); err != nil {
			t.Errorf("%q: what loads is refused as a set: %v", text, err)
		}
	})
}

// Deep nesting and aliases must not take the emulator down.
func TestHostileFaults(t *testing.T) {
	bomb := "- &a {kind: drop}\n"
	for range 30 {
		bomb += "- [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	}
	nested := "a: &a [x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c < 'm'; c++ {
		p := string(c - 1)
		nested += string(c) + ": &" + string(c) + " [" + strings.TrimSuffix(strings.Repeat("*"+p+",", 9), ",") + "]\n"
	}
	for _, text := range []string{
		strings.Repeat("[", 30_000), strings.Repeat("- ", 15_000), strings.Repeat("{a: ", 7_000), bomb, nested, "[]\n---\n" + nested, "- &a *a\n", "! {a}", "\x00", "- !!binary x",
	} {
		start := time.Now()
		if got, err := parseFaults([]byte(text)); err == nil {
			t.Errorf("%.40q: got %v, want an error", text, got)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%.40q took %v", text, took)
		}
	}
}
