package aps

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

func errorBody(code string) string {
	return fmt.Sprintf(`{"RequestId":"R1","HostId":"h","Code":%q,"Message":"m","Recommend":"https://x"}`, code)
}

// TestVerdict has every row of the protocol's table "Verdict on an answer".
func TestVerdict(t *testing.T) {
	const (
		unknown  = plan.VerdictUnknown
		created  = plan.VerdictCreated
		rejected = plan.VerdictRejected
	)
	none, other, throttled, temporary := plan.FailureNone, plan.FailureOther, plan.FailureThrottled, plan.FailureTemporary
	credentials, permission, config := plan.FailureCredentials, plan.FailurePermission, plan.FailureConfig
	long := strings.Repeat("x", idMax+1)
	tests := []struct {
		name    string
		status  int
		body    string
		verdict plan.Verdict
		failure plan.Failure
	}{
		{"the documented sample", 200, `{"ApsJobId":"aps-bj1","RequestId":"R1","HttpStatusCode":200,"Success":true,"Code":"InvalidInput","Message":"OK"}`, created, none},
		{"success not said", 200, `{"ApsJobId":"aps-bj1"}`, created, none},
		{"success null", 200, `{"ApsJobId":"aps-bj1","Success":null}`, created, none},
		{"success as text", 200, `{"ApsJobId":"aps-bj1","Success":"True"}`, created, none},
		{"reordered, with new fields, and space around", 200, " {\"New\":{\"a\":[1]},\"Success\":true,\"ApsJobId\":\"aps-bj1\"}\n", created, none},
		{"other case of letters", 200, `{"apsJobId":"aps-bj1","success":true}`, created, none},
		{"an error code beside a success", 200, `{"ApsJobId":"aps-bj1","Code":"Throttling"}`, created, none},

		{"no id", 200, `{"RequestId":"R1","Success":true}`, unknown, temporary},
		{"empty id", 200, `{"ApsJobId":"","Success":true}`, unknown, temporary},
		{"null id", 200, `{"ApsJobId":null,"Success":true}`, unknown, temporary},
		{"id is a number", 200, `{"ApsJobId":7,"Success":true}`, unknown, temporary},
		{"id is an object", 200, `{"ApsJobId":{"a":1},"Success":true}`, unknown, temporary},
		{"id is too long", 200, `{"ApsJobId":"` + long + `"}`, unknown, temporary},
		{"id has a control character", 200, `{"ApsJobId":"aps\u001b[2J"}`, unknown, temporary},
		{"id has a line break", 200, `{"ApsJobId":"aps\n1"}`, unknown, temporary},
		{"id has a space", 200, `{"ApsJobId":" aps-1"}`, unknown, temporary},
		{"id lost a character", 200, `{"ApsJobId":"aps-\ud800"}`, unknown, temporary},
		{"id is not UTF-8", 200, "{\"ApsJobId\":\"aps-\xff\"}", unknown, temporary},
		{"id twice", 200, `{"ApsJobId":"aps-1","ApsJobId":"aps-2"}`, unknown, temporary},
		{"id in two spellings", 200, `{"apsJobId":"aps-1","APSJOBID":"aps-2"}`, unknown, temporary},
		{"success is an object", 200, `{"ApsJobId":"aps-1","Success":{}}`, unknown, temporary},
		{"success is a word", 200, `{"ApsJobId":"aps-1","Success":"perhaps"}`, unknown, temporary},
		{"empty", 200, ``, unknown, temporary},
		{"null", 200, `null`, unknown, temporary},
		{"a list", 200, `[{"ApsJobId":"aps-1"}]`, unknown, temporary},
		{"HTML of a captive portal", 200, `<html><body>Log in</body></html>`, unknown, temporary},
		{"two objects", 200, `{"ApsJobId":"aps-1"}{"ApsJobId":"aps-2"}`, unknown, temporary},
		{"an envelope under 200 without Success", 200, errorBody("Throttling"), unknown, temporary},
		{"201", 201, `{"ApsJobId":"aps-1","Success":true}`, unknown, other},
		{"204", 204, ``, unknown, temporary},

		{"business failure, listed", 200, `{"RequestId":"R1","Success":false,"Code":"InvalidParameter"}`, rejected, other},
		{"business failure in ErrCode", 200, `{"RequestId":"R1","Success":false,"Code":"200","ErrCode":"Throttling.User"}`, rejected, throttled},
		{"business failure, Success as text", 200, `{"RequestId":"R1","Success":"false","Code":"NoPermission"}`, rejected, permission},
		{"business failure, not listed", 200, `{"RequestId":"R1","Success":false,"Code":"InvalidInput"}`, unknown, other},
		{"business failure, two codes of which one is listed", 200, `{"RequestId":"R1","Success":false,"Code":"Throttling","ErrCode":"InternalError"}`, unknown, other},
		{"business failure without a code", 200, `{"RequestId":"R1","Success":false}`, unknown, temporary},
		{"business failure of the back end", 200, `{"RequestId":"R1","Success":false,"HttpStatusCode":500,"Code":"InvalidParameter"}`, unknown, temporary},
		{"business failure and an id", 200, `{"RequestId":"R1","Success":false,"Code":"InvalidParameter","ApsJobId":"aps-1"}`, unknown, other},
		{"an error with an id", 400, `{"RequestId":"R1","Code":"InvalidParameter","ApsJobId":"aps-1"}`, unknown, other},

		{"throttled", 400, errorBody("Throttling"), rejected, throttled},
		{"throttled by user", 429, errorBody("Throttling.User"), rejected, throttled},
		{"throttled in another spelling", 400, errorBody("Rejected.Throttling"), rejected, throttled},
		{"throttled with 503", 503, errorBody("Throttling.Api"), rejected, throttled},
		{"throttled with 500", 500, errorBody("Throttling"), unknown, temporary},
		{"429 without an envelope", 429, ``, unknown, temporary},
		{"429 of a proxy", 429, `{"error":"slow down"}`, unknown, temporary},
		{"429 in JSON without a request id", 429, `{"Code":"Throttling"}`, unknown, temporary},

		{"signature", 400, errorBody("SignatureDoesNotMatch"), rejected, credentials},
		{"signature, 403", 403, errorBody("IncompleteSignature"), rejected, credentials},
		{"key", 404, errorBody("InvalidAccessKeyId.NotFound"), rejected, credentials},
		{"key inactive", 400, errorBody("InvalidAccessKeyId.Inactive"), rejected, credentials},
		{"token", 403, errorBody("InvalidSecurityToken.Expired"), rejected, credentials},
		{"date of another form", 400, errorBody("InvalidTimeStamp.Format"), rejected, credentials},
		{"date too old, as of a late copy", 400, errorBody("InvalidTimeStamp.Expired"), unknown, credentials},
		{"permission", 403, errorBody("NoPermission"), rejected, permission},
		{"RAM", 403, errorBody("Forbidden.RAM"), rejected, permission},
		{"forbidden", 403, errorBody("Forbidden"), rejected, permission},
		{"unauthorized", 400, errorBody("Unauthorized"), rejected, permission},
		{"no such operation", 404, errorBody("InvalidAction.NotFound"), rejected, config},
		{"no such API", 404, errorBody("InvalidApi.NotFound"), rejected, config},
		{"version", 400, errorBody("ApiVersionForbidden"), rejected, config},
		{"needs TLS", 404, errorBody("InvalidProtocol.NeedSsl"), rejected, config},
		{"method", 403, errorBody("UnsupportedHTTPMethod"), rejected, config},
		{"missing parameter", 400, errorBody("MissingApsJobName"), rejected, other},
		{"missing parameter, general", 400, errorBody("MissingParameter"), rejected, other},
		{"invalid parameter", 400, errorBody("InvalidDbList.Malformed"), rejected, other},
		{"invalid parameter, general", 400, errorBody("InvalidParameterValue"), rejected, other},
		{"no such cluster", 400, errorBody("InvalidDBClusterId.NotFound"), rejected, other},
		{"no such cluster, 404", 404, errorBody("InvalidDBCluster.NotFound"), rejected, other},
		{"class", 400, errorBody("ADBClassNotSupport"), rejected, other},
		{"lower-case fields", 400, `{"requestId":"R1","code":"MissingParameter","message":"m"}`, rejected, other},

		{"replay", 400, errorBody("SignatureNonceUsed"), unknown, other},
		{"exists already, by code", 400, errorBody("InvalidApsJobName.AlreadyExists"), unknown, other},
		{"exists already, by the second code", 400, `{"RequestId":"R1","Code":"InvalidParameter","ErrCode":"InvalidApsJobName.Duplicate"}`, unknown, other},
		{"exists already, by the second message", 400, `{"RequestId":"R1","Code":"InvalidParameter","Message":"Failed.","ErrMessage":"already exists"}`, unknown, other},
		{"exists already, says a permission code", 403, `{"RequestId":"R1","Code":"Forbidden","Message":"A duplicate of aps-1."}`, unknown, other},
		{"refused with an empty id", 200, `{"RequestId":"R1","Success":false,"ApsJobId":"","Code":"NoPermission"}`, rejected, permission},
		{"exists already, by message", 400, `{"RequestId":"R1","Code":"InvalidParameter","Message":"The job already exists."}`, unknown, other},
		{"an unknown code", 400, errorBody("QuotaExceeded.Jobs"), unknown, other},
		{"an unknown Invalid code", 400, errorBody("InvalidStateOfTheMoon"), unknown, other},
		{"state of the cluster", 400, errorBody("IncorrectDBInstanceState"), unknown, other},
		{"a listed code in another case", 400, errorBody("forbidden"), unknown, other},
		{"a longer code than the listed", 400, errorBody("ForbiddenFruit"), unknown, other},
		{"no code", 400, `{"RequestId":"R1","Message":"m"}`, unknown, other},
		{"no request id", 403, `{"Code":"Forbidden"}`, unknown, other},
		{"code is an object", 400, `{"RequestId":"R1","Code":{}}`, unknown, other},
		{"empty 403", 403, ``, unknown, other},
		{"HTML 403", 403, `<html>blocked</html>`, unknown, other},
		{"408", 408, errorBody("AcsServerTimeOut"), unknown, temporary},
		{"408 with a listed code", 408, errorBody("Throttling"), unknown, temporary},
		{"409 with a listed code", 409, errorBody("InvalidParameter"), unknown, other},
		{"425 with a listed code", 425, errorBody("InvalidParameter"), unknown, temporary},
		{"500", 500, errorBody("InternalError"), unknown, temporary},
		{"500 with a listed code", 500, errorBody("InvalidParameter"), unknown, temporary},
		{"500 with an id", 500, `{"ApsJobId":"aps-1","Success":true}`, unknown, other},
		{"502 HTML", 502, `<html>`, unknown, temporary},
		{"503", 503, errorBody("ServiceUnavailable"), unknown, temporary},
		{"503 with a listed code", 503, errorBody("MissingParameter"), unknown, temporary},
		{"503 empty", 503, ``, unknown, temporary},
		{"504", 504, ``, unknown, temporary},

		{"301", 301, ``, unknown, config},
		{"302 with a success", 302, `{"ApsJobId":"aps-1","Success":true}`, unknown, config},
		{"307", 307, ``, unknown, config},
		{"304", 304, ``, unknown, config},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Location", "/elsewhere")
				answer(test.status, test.body)(w, r)
			})
			got := c.Create(t.Context(), request())
			if got.Verdict != test.verdict || got.Failure != test.failure {
				t.Errorf("got %v, %v (%s)\nwant %v, %v", got.Verdict, got.Failure, got.Why, test.verdict, test.failure)
			}
			if id := map[bool]string{true: "aps-bj1"}[test.verdict == created]; got.JobID != id {
				t.Errorf("job id: got %q, want %q", got.JobID, id)
			}
			if got.HTTPStatus != test.status {
				t.Errorf("status: got %d, want %d", got.HTTPStatus, test.status)
			}
			if got.Why == "" || strings.ContainsAny(got.Why, "\n\r") {
				t.Errorf("why: got %q, want one line", got.Why)
			}
			if got.ServerTime.IsZero() {
				t.Error("the Date header was not noted")
			}
		})
	}
}

func TestOutcomeOfARefusal(t *testing.T) {
	c := serve(t, answer(400, `{"RequestId":"R-17","Code":"Throttling.User","Message":"Request was denied\ndue to user flow control."}`,
		"x-acs-retry-after", "1500", "x-ratelimit-user-api", "Limit:10,Remain:0,TimeLeft:2500,Window:1"))
	got := c.Create(t.Context(), request())
	if got.Code != "Throttling.User" || got.RequestID != "R-17" || got.RetryAfter.Milliseconds() != 2500 {
		t.Errorf("got %+v", got)
	}
	if want := "Request was denied due to user flow control."; got.Message != want {
		t.Errorf("message: got %q, want %q", got.Message, want)
	}
}

func TestNoSecretInAnOutcome(t *testing.T) {
	secrets := []string{sourcePassword, destinationPassword, "testSecret", "testToken"}
	for _, password := range secrets {
		quoted, _ := json.Marshal(password)
		for form, text := range map[string]string{
			"raw": password, "url": url.QueryEscape(password), "path": url.PathEscape(password),
			"json": string(quoted), "base64": base64.StdEncoding.EncodeToString([]byte(password)),
			"hex": hex.EncodeToString([]byte(password)),
		} {
			message := strings.Repeat("x", messageMax-len(text)-10) + " " + text + " tail " + strings.Repeat("y", 600)
			body, _ := json.Marshal(map[string]string{"RequestId": text, "Code": "InvalidParameter." + text, "Message": message})
			c := serve(t, answer(400, string(body)), func(o *Options) {
				o.Credentials = StaticCredentials("testAK", "testSecret", "testToken")
			})
			got := c.Create(t.Context(), request())
			for _, field := range []string{got.Message, got.Code, got.RequestID, got.Why} {
				if strings.Contains(field, text) || strings.Contains(field, password) {
					t.Errorf("%s of %q is shown: %q", form, password, field)
				}
			}
			if len(got.Message) > messageMax || !strings.Contains(got.Message, "xxx") {
				t.Errorf("the message has %d bytes: %q", len(got.Message), got.Message)
			}
		}
	}
}

func TestShortPasswordCostsTheMessage(t *testing.T) {
	c := serve(t, answer(400, `{"RequestId":"R1","Code":"InvalidParameter","Message":"password abc is weak"}`))
	r := request()
	r.SourcePassword = secret.NewValue("abc")
	if got := c.Create(t.Context(), r); got.Message != "" || got.Code != "InvalidParameter" {
		t.Errorf("got %+v", got)
	}
}

// A hostile text must not keep the client busy, nor get by uncleaned.
func TestOverlongTextsAreLeftOut(t *testing.T) {
	r := request()
	r.SourcePassword = secret.NewValue(strings.Repeat("a", 60<<10) + "b")
	for _, text := range []string{strings.Repeat("a", bodyMax/4), strings.Repeat("%2525+&amp;", bodyMax/48), strings.Repeat("a", textMax+1)} {
		body, _ := json.Marshal(map[string]string{"RequestId": text, "Code": text, "Message": text})
		start := time.Now()
		got := serve(t, answer(400, string(body))).Create(t.Context(), r)
		if took := time.Since(start); got.Message+got.Code+got.RequestID != "" || took > slowness*time.Second {
			t.Errorf("%.20q: got %d bytes in %v", text, len(got.Message+got.Code+got.RequestID), took)
		}
	}
}

// TestBeginningOfAnOverlongMessageIsShown, also where characters take three bytes,
// and no half of a secret that lies across the cut.
func TestBeginningOfAnOverlongMessageIsShown(t *testing.T) {
	message := func(text string) string {
		body, _ := json.Marshal(map[string]string{"RequestId": "R1", "Code": "InvalidParameter", "Message": text})
		return serve(t, answer(400, string(body))).Create(t.Context(), request()).Message
	}
	if got := message("源实例不存在: " + strings.Repeat("订单", 1500)); !strings.HasPrefix(got, "源实例不存在: 订单") || len(got) > messageMax || !utf8.ValidString(got) {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
	half := sourcePassword[:len(sourcePassword)/2]
	for name, filler := range map[string]string{"words": "x", "nothing but room": " "} {
		cut := strings.Repeat(filler, textMax-len(half)) + sourcePassword + strings.Repeat(" tail", 500)
		if got := message(cut); strings.Contains(got, half) {
			t.Errorf("%s: half a password is shown: %q", name, got)
		}
	}
}

func TestShorten(t *testing.T) {
	for _, test := range []struct {
		text  string
		limit int
		want  string
	}{
		{"short", 10, "short"}, {"exactly ten", 11, "exactly ten"},
		{"somewhat longer", 10, "somewha..."}, {"ääääääää", 10, "äää..."}, {"\x80\x80\x80\x80\x80", 4, "..."},
	} {
		if got := shorten(test.text, test.limit); got != test.want {
			t.Errorf("shorten(%q, %d): got %q, want %q", test.text, test.limit, got, test.want)
		}
	}
}
