package aps

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

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
			_, _ = parsePage(e)
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
