package aps

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// TestReadOnceSendsOneReadAndNothingElse: an answer is told whatever it is, and an
// operation that changes something is not sent.
func TestReadOnceSendsOneReadAndNothingElse(t *testing.T) {
	requests, date := 0, ""
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		requests++
		date = r.Header.Get("X-Acs-Date")
		answer(503, `{"RequestId":"r","Code":"ServiceUnavailable","Message":"m"}`)(w, r)
	})
	signed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	got, err := c.ReadOnce(t.Context(), ReadRequest{Operation: OperationList, Region: "cn-hangzhou", SignedAt: signed})
	var call *plan.CallError
	if !errors.As(err, &call) || call.Code != "ServiceUnavailable" || got.Status != 503 || !strings.Contains(string(got.Body), "ServiceUnavailable") {
		t.Errorf("got %+v, %v", got, err)
	}
	if requests != 1 || date != "2026-01-02T03:04:05Z" {
		t.Errorf("%d requests, dated %s", requests, date)
	}
	if got.ServerTime.IsZero() || got.Sent.After(got.Received) {
		t.Errorf("times: %+v", got)
	}
	for _, operation := range []string{"CreateAPSJob", "DeleteApsJob", "ModifyApsJob", "StartApsJob", "SuspendApsJob", ""} {
		if _, err := c.ReadOnce(t.Context(), ReadRequest{Operation: operation, Region: "cn-hangzhou"}); err == nil || requests != 1 {
			t.Errorf("%q was sent", operation)
		}
	}
}

func TestKeyTellsNoSecret(t *testing.T) {
	c, err := New(Options{Credentials: StaticCredentials("LTAIexample", "hidden", "token")})
	if err != nil {
		t.Fatal(err)
	}
	if key, err := c.Key(t.Context()); err != nil || key != (KeyInfo{"LTAIexample", "static_sts", true}) {
		t.Errorf("got %+v, %v", key, err)
	}
	if at, err := c.Endpoint("cn-hangzhou"); err != nil || at != "https://adb.aliyuncs.com" {
		t.Errorf("got %s, %v", at, err)
	}
	if _, err := c.Endpoint("not a region"); err == nil {
		t.Error("no error for what is no region")
	}
}
