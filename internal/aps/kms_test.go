package aps

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

const kmsCanary = "S3cr3t-c4n4ry/+%41"

// secretBody is an answer of KMS with some of its fields replaced, or left out
// where they are nil.
func secretBody(replace map[string]any) string {
	fields := map[string]any{
		"RequestId": "6A3E9C36-1150-4881-84D3-EB8672FCAFAD", "SecretName": "db", "SecretType": "Generic",
		"SecretData": kmsCanary, "SecretDataType": "text", "VersionId": "v1",
		"VersionStages": map[string]any{"VersionStage": []string{"ACSCurrent"}}, "CreateTime": "2024-12-28T02:01:20Z",
	}
	for name, value := range replace {
		if fields[name] = value; value == nil {
			delete(fields, name)
		}
	}
	body, err := json.Marshal(fields)
	if err != nil {
		panic(err)
	}
	return string(body)
}

// kmsRefusal is an error of KMS that echoes the secret wherever it can.
func kmsRefusal(code string) string {
	return fmt.Sprintf(`{"RequestId":"6A3E9C36-1150","HostId":%q,"Code":%q,"Message":%q,"SecretData":%q}`, kmsCanary, code, kmsCanary, kmsCanary)
}

var inKMS = secret.KMS{Secret: "db", Region: region}

// wantNoCanary fails the test if err shows the secret in any form.
func wantNoCanary(t *testing.T, err error) {
	t.Helper()
	clean := secret.NewRedactor(secret.NewValue(kmsCanary)).Clean
	for _, text := range []string{fmt.Sprint(err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
		if text != clean(text) || strings.Contains(text, kmsCanary[:8]) {
			t.Errorf("the secret shows in %q", text)
		}
	}
}

func TestSecretRequestAsItArrives(t *testing.T) {
	var stage string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if got, want := form(t, r).Encode(), "SecretName=db&VersionStage="+stage; got != want {
			t.Errorf("parameters: got %s, want %s", got, want)
		}
		for name, want := range map[string]string{"X-Acs-Action": "GetSecretValue", "X-Acs-Version": "2016-01-20"} {
			if got := r.Header.Get(name); got != want {
				t.Errorf("%s: got %q, want %q", name, got, want)
			}
		}
		if r.Method != http.MethodPost || r.URL.String() != "/" {
			t.Errorf("got %s %s, want POST /", r.Method, r.URL)
		}
		answer(200, secretBody(nil))(w, r)
	})
	for _, stage = range []string{"ACSCurrent", "ACSPrevious"} {
		k := inKMS
		k.Field = "not looked at"
		if stage != "ACSCurrent" {
			k.VersionStage = stage
		}
		if v, err := c.SecretValue(t.Context(), k); err != nil || v.Reveal() != kmsCanary {
			t.Errorf("%s: got %v", stage, err)
		}
	}
}

// TestSecretAfterTrouble: a read is repeated, a bounded number of times.
func TestSecretAfterTrouble(t *testing.T) {
	for name, trouble := range map[string]http.HandlerFunc{
		"throttled": answer(429, kmsRefusal("Rejected.Throttling"), "x-acs-retry-after", "10"),
		"500":       answer(500, kmsRefusal("InternalFailure")),
		"503":       answer(503, kmsRefusal("ServiceUnavailableTemporary")),
		"504 HTML":  answer(504, "<html>"+kmsCanary),
		"garbage":   answer(200, `{"SecretData":"`+kmsCanary),
		"no answer": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		for _, failures := range []int32{2, 100} {
			var calls atomic.Int32
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) <= failures {
					trouble(w, r)
					return
				}
				answer(200, secretBody(nil))(w, r)
			})
			v, err := c.SecretValue(t.Context(), inKMS)
			wantNoCanary(t, err)
			if n := calls.Load(); failures == 2 && (err != nil || n != 3 || v.Reveal() != kmsCanary) ||
				failures > 2 && (err == nil || n > throttledMax) {
				t.Errorf("%s %d times: %d calls, %v", name, failures, n, err)
			}
		}
	}
}

func TestSecretRefused(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") }))
	defer other.Close()
	for name, test := range map[string]struct {
		handler http.HandlerFunc
		class   plan.Failure
		why     string
	}{
		"not found":     {answer(404, kmsRefusal("Forbidden.ResourceNotFound")), plan.FailureOther, "no secret of that name"},
		"no permission": {answer(403, kmsRefusal("Forbidden.NoPermission")), plan.FailurePermission, "kms:GetSecretValue on the secret and, where a key of your own protects that, kms:Decrypt"},
		"RAM":           {answer(403, kmsRefusal("Forbidden.RAM")), plan.FailurePermission, "kms:Decrypt"},
		"no such key":   {answer(404, kmsRefusal("Forbidden.KeyNotFound")), plan.FailureOther, "the key that protects it"},
		"disabled":      {answer(409, kmsRefusal("Rejected.Disabled")), plan.FailureOther, "disabled"},
		"access key":    {answer(404, kmsRefusal("InvalidAccessKeyId.NotFound")), plan.FailureCredentials, "same access key"},
		"signature":     {answer(400, kmsRefusal("SignatureDoesNotMatch")), plan.FailureCredentials, "same access key"},
		"no such API":   {answer(404, kmsRefusal("InvalidAction.NotFound")), plan.FailureConfig, "endpoint"},
		"odd code":      {answer(400, kmsRefusal(kmsCanary)), plan.FailureOther, "refused"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+"/?"+kmsCanary, http.StatusTemporaryRedirect)
		}, plan.FailureConfig, "redirected"},
		"too large":         {answer(200, secretBody(map[string]any{"SecretData": strings.Repeat(kmsCanary, bodyMax/8)})), plan.FailureOther, "longer than"},
		"404 HTML":          {answer(404, "<html>"+kmsCanary), plan.FailureOther, "not JSON"},
		"binary":            {answer(200, secretBody(map[string]any{"SecretDataType": "binary"})), plan.FailureOther, "binary"},
		"no type":           {answer(200, secretBody(map[string]any{"SecretDataType": nil})), plan.FailureOther, "does not say"},
		"odd type":          {answer(200, secretBody(map[string]any{"SecretDataType": kmsCanary})), plan.FailureOther, "does not say"},
		"no data":           {answer(200, secretBody(map[string]any{"SecretData": nil})), plan.FailureOther, "no secret in it"},
		"a number":          {answer(200, secretBody(map[string]any{"SecretData": 1})), plan.FailureOther, "no secret in it"},
		"an object":         {answer(200, secretBody(map[string]any{"SecretData": map[string]any{"p": kmsCanary}})), plan.FailureOther, "no secret in it"},
		"half a pair":       {answer(200, strings.Replace(secretBody(nil), "%41", `\ud800`, 1)), plan.FailureOther, "cannot be read"},
		"Success false":     {answer(200, secretBody(map[string]any{"Success": false, "Code": "x", "Message": kmsCanary})), plan.FailureOther, "refused"},
		"code, no Success":  {answer(200, secretBody(map[string]any{"Code": "InvalidParameter"})), plan.FailureOther, "refused"},
		"odd request id":    {answer(200, secretBody(map[string]any{"RequestId": kmsCanary, "SecretDataType": "binary"})), plan.FailureOther, "binary"},
		"the data comes 2x": {answer(200, strings.Replace(secretBody(nil), "{", `{"SecretData":"x",`, 1)), plan.FailureTemporary, "not JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := serve(t, test.handler).SecretValue(t.Context(), inKMS)
			var failed *plan.CallError
			if !errors.As(err, &failed) || failed.Failure != test.class || !v.IsZero() {
				t.Fatalf("got %v, want %v", err, test.class)
			}
			has(t, err.Error(), "GetSecretValue in "+region, test.why)
			if failed.Message != "" {
				t.Errorf("the service's words are shown: %v", err)
			}
			wantNoCanary(t, err)
		})
	}
}

func TestSecretIsAskedForWhereKMSIs(t *testing.T) {
	for _, test := range []struct{ service, kms, region, want string }{
		{"", "", "cn-beijing", "https://kms.cn-beijing.aliyuncs.com"},
		{"https://adb-vpc.cn-beijing.aliyuncs.com", "", "cn-beijing", "https://kms-vpc.cn-beijing.aliyuncs.com"},
		{"https://adb.cn-beijing.aliyuncs.com", "", "cn-shanghai", "https://kms.cn-shanghai.aliyuncs.com"},
		{"", "https://kst-1.cryptoservice.kms.aliyuncs.com", "cn-beijing", "https://kst-1.cryptoservice.kms.aliyuncs.com"},
		{"http://127.0.0.1:1", "", "cn-beijing", "http://127.0.0.1:1"},
		{"http://[::1]:1", "http://localhost:2", "cn-beijing", "http://localhost:2"},
		{"http://127.0.0.1:1", "https://kms.cn-beijing.aliyuncs.com", "cn-beijing", ""},
		{"", "http://kms.cn-beijing.aliyuncs.com", "cn-beijing", ""},
		{"", "", "evil.example/", ""},
		{"", "", "", ""},
	} {
		c, err := New(Options{Endpoint: test.service, KMSEndpoint: test.kms, Credentials: StaticCredentials("a", "b", "")})
		got := ""
		if err == nil {
			var at endpoint
			if at, err = c.kmsAt(test.region); err == nil {
				got = at.scheme + "://" + at.host
			}
		}
		if got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%+v: got %q, %v", test, got, err)
		}
	}
}

func TestSecretOfNoRegionIsNotAskedFor(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	_, err := c.SecretValue(t.Context(), secret.KMS{Secret: "db"})
	if failed := (*plan.CallError)(nil); !errors.As(err, &failed) || failed.Failure != plan.FailureConfig {
		t.Errorf("got %v", err)
	}
}
