package aps

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/cost"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// FuzzCreateVerdict: no answer makes the client panic, take a job for created
// without an id that is in the answer, or take a create for refused on the word
// of anything but an envelope with a listed code.
func FuzzCreateVerdict(f *testing.F) {
	for _, seed := range []string{
		`{"ApsJobId":"aps-bj1","RequestId":"R1","HttpStatusCode":200,"Success":true,"Code":"InvalidInput","Message":"OK"}`,
		`{"RequestId":"R1","Success":false,"Code":"Throttling","ErrCode":0}`,
		`{"RequestId":"R1","Code":"MissingParameter","Message":"m"}`,
		`{"ApsJobId":"\ud800"}`, `{"a":{"b":[1,2,{}]},"ApsJobId":null}`, `{"ApsJobId":"a","ApsJobId":"b"}`,
		`[]`, `null`, `"x"`, `{`, ``, "\xef\xbb\xbf{}", `{"RequestId":"R1","TotalCount":"1","APSJobs":[{"ApsJobId":"a"}]}`,
		`{"RequestId":"R1","APSJobDetail":{"DbList":{"a":1},"TargetTableMode":0}}`,
	} {
		for _, status := range []int{200, 307, 400, 408, 429, 500, 503} {
			f.Add(status, []byte(seed))
		}
	}
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		o := judge(status, body)
		switch o.Verdict {
		case plan.VerdictCreated:
			var fields map[string]any
			if err := json.Unmarshal(body, &fields); err != nil || status != 200 {
				t.Fatalf("created by HTTP %d with %q", status, body)
			}
			found := false
			for name, value := range fields {
				found = found || strings.EqualFold(name, "ApsJobId") && value == o.JobID
			}
			if !found || !validID(o.JobID) {
				t.Fatalf("job id %q is not in %q", o.JobID, body)
			}
		case plan.VerdictRejected:
			_, certain := refusedBeforeExecution(o.Code)
			if !certain || o.RequestID == "" || status >= 500 && !throttling(o.Code) || status == 408 || status == 409 {
				t.Fatalf("rejected by HTTP %d with %q", status, body)
			}
		case plan.VerdictNotSent:
			t.Fatal("an answer came")
		}
		if (o.JobID != "") != (o.Verdict == plan.VerdictCreated) || (o.Failure == plan.FailureNone) != (o.Verdict == plan.VerdictCreated) || o.Why == "" {
			t.Fatalf("got %+v", o)
		}
		if e, err := parseEnvelope(body); err == nil { // the other parsers must not panic either
			_, _ = parsePage(e, 1)
			_, _ = parseDetail(e, "aps-1")
			_ = readClass(status, e)
		}
		if o.Verdict == plan.VerdictCreated && len(body) > 1 {
			if cut := judge(status, bytes.TrimSpace(body)[:len(bytes.TrimSpace(body))-1]); cut.Verdict != plan.VerdictUnknown {
				t.Fatalf("a cut answer gives %v", cut.Verdict)
			}
		}
	})
}

// answering is a service inside the process that always gives one answer.
type answering struct {
	status int
	body   []byte
}

func (a *answering) Call(*http.Request, *http.Transport) (*http.Response, error) {
	return &http.Response{
		StatusCode: a.status, Header: http.Header{"X-Acs-Retry-After": {string(a.body[:min(len(a.body), 20)])}},
		Body: io.NopCloser(bytes.NewReader(a.body)),
	}, nil
}

// FuzzSecretValue: no answer of KMS makes the client panic, take more than a
// second or 256 MiB, give another text than the one that is in the answer, or
// show a word of it in an error.
func FuzzSecretValue(f *testing.F) {
	for _, seed := range []string{
		secretBody(nil), secretBody(map[string]any{"SecretDataType": "binary"}), secretBody(map[string]any{"SecretData": 7}),
		strings.Replace(secretBody(nil), "%41", `\ud800`, 1), kmsRefusal("Forbidden.ResourceNotFound"), kmsRefusal("Forbidden.NoPermission"),
		kmsRefusal("Rejected.Throttling"), kmsRefusal(kmsCanary), `{"SecretData":"` + kmsCanary, "<html>" + kmsCanary, "", "{}", "[]", "null",
	} {
		for _, status := range []int{200, 302, 404, 429} {
			f.Add(status, []byte(seed))
		}
	}
	service := &answering{}
	c := newTestClient(f, "http://127.0.0.1:1", func(o *Options) { o.HTTPClient = service })
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		service.status, service.body = status, body
		checkSecretValue(t, c, status, body)
	})
}

func TestLargeAnswersOfKMSAreBounded(t *testing.T) {
	service := &answering{}
	c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.HTTPClient = service })
	for _, body := range []string{
		`{"a":` + strings.Repeat("[", 400_000) + strings.Repeat("]", 400_000) + "}",
		`{"a":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + "}",
		"{" + strings.Repeat(`"a":0,`, 100_000) + `"b":0}`,
		kmsRefusal(strings.Repeat("%2525+&amp;", 20_000)),
		secretBody(map[string]any{"SecretData": strings.Repeat(`"\`, 200_000)}),
		secretBody(map[string]any{"SecretData": strings.Repeat("a", 2<<20)}),
	} {
		for _, service.status = range []int{200, 404, 429, 500} {
			service.body = []byte(body)
			checkSecretValue(t, c, service.status, service.body)
		}
	}
}

// checkSecretValue asks for a secret, of which body is the answer.
func checkSecretValue(t *testing.T, c *Client, status int, body []byte) {
	t.Helper()
	var v secret.Value
	var err error
	took, bytes := cost.Of(t, func() { v, err = c.SecretValue(t.Context(), inKMS) })
	if took > slowness*time.Second || bytes > 256<<20 {
		t.Errorf("HTTP %d, %.60q: it took %v of the processor and %d MiB", status, body, took, bytes>>20)
	}
	if err != nil {
		if failed := (*plan.CallError)(nil); !errors.As(err, &failed) || failed.Message != "" || !v.IsZero() {
			t.Errorf("got %#v", err)
		}
		if strings.Contains(err.Error(), kmsCanary[:6]) {
			t.Errorf("the secret shows in %q", err)
		}
		return
	}
	var fields map[string]any
	if err := json.Unmarshal(body, &fields); err != nil || status != 200 {
		t.Fatalf("a secret out of HTTP %d with %q", status, body)
	}
	for name, value := range fields {
		if strings.EqualFold(name, "SecretData") && value == v.Reveal() {
			return
		}
	}
	t.Errorf("got %q, which is not in %q", v.Reveal(), body)
}
