package aps

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestSignatureVector reproduces the vector of the API reference, section 10.
func TestSignatureVector(t *testing.T) {
	for token, want := range map[string]string{
		"":          "f94bca3bf000ad7724829747471e2f4575c99c7952d533996f01385e7f0b257b",
		"testToken": "15cd7f378af84090ac2757f3ab9c7244ce235b4ff0fde5ca3507e406e043687f",
	} {
		var got http.Header
		var body []byte
		c := newTestClient(t, "http://127.0.0.1:8080", func(o *Options) {
			o.Credentials = StaticCredentials("testAK", "testSecret", token)
			o.HTTPClient = hook(func(r *http.Request) (*http.Response, error) {
				got = r.Header
				body, _ = io.ReadAll(r.Body)
				return nil, io.EOF
			})
		})
		c.send(t.Context(), call{
			operation: opList, version: apiVersion, at: *c.endpoint, timeout: time.Second,
			params: map[string]string{
				"ApsJobName": "job-1", "DbList": `{"EntireInstance":true}`, "PageSize": "30", "RegionId": region,
			},
			headers: map[string]string{
				"x-acs-date": "2026-01-02T03:04:05Z", "x-acs-signature-nonce": "0123456789abcdef0123456789abcdef",
			},
		})
		if want := "ApsJobName=job-1&DbList=%7B%22EntireInstance%22%3Atrue%7D&PageSize=30&RegionId=cn-hangzhou"; string(body) != want {
			t.Errorf("body:\ngot  %s\nwant %s", body, want)
		}
		hashName := strings.ToLower("X-Acs-Content-Sha256") // the core sets it as it is
		if hash := got[hashName]; len(hash) != 1 || hash[0] != "bd1a18abf321365bf4b0818bc961aac425ec69ae884456a3400fd9ec33547ac7" {
			t.Errorf("payload hash: got %v", hash)
		}
		has(t, got.Get("Authorization"), "ACS3-HMAC-SHA256 Credential=testAK,", "Signature="+want)
	}
}

func TestNoncesDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		nonce := newNonce()
		if len(nonce) != 32 || seen[nonce] {
			t.Fatalf("got %q", nonce)
		}
		seen[nonce] = true
	}
}
