package runner_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"time"
)

// answer is one HTTP answer of the service.
type answer struct {
	status int
	header http.Header
	body   string
}

func success(fields map[string]any) answer {
	body := map[string]any{
		"RequestId": "R-0", "Success": true, "Code": "InvalidInput", "HttpStatusCode": 200, "Message": "OK",
	}
	for name, value := range fields {
		body[name] = value
	}
	return answer{http.StatusOK, http.Header{}, jsonOf(body)}
}

// refuse is an error reply of the gateway; echo is text of the request that the
// service repeats, which may be a password.
func refuse(status int, code, echo string) answer {
	return answer{status, http.Header{}, jsonOf(map[string]any{
		"RequestId": "R-0", "Code": code, "Message": "refused " + echo, "HostId": "adb.aliyuncs.com",
	})}
}

func jsonOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// failed is the answer to a create that the gateway let through: the truth, or
// what the fault makes of it. id is "" when it was not executed.
func failed(x *fate, r simRequest, id string) answer {
	if x.spoil {
		return spoilt(x)
	}
	if x.why == sameID {
		id = x.text
	}
	return success(map[string]any{"ApsJobId": id})
}

// spoilt is an answer that tells nothing, or less than it should.
func spoilt(x *fate) answer {
	switch x.why {
	case serverError:
		return [...]answer{
			refuse(http.StatusInternalServerError, "InternalError", ""),
			html(http.StatusBadGateway),
			refuse(http.StatusServiceUnavailable, "ServiceUnavailable", ""),
			{http.StatusGatewayTimeout, http.Header{}, ""},
			refuse(http.StatusRequestTimeout, "AcsServerTimeOut", ""),
			// A code that would be a refusal, were it not for the status.
			refuse(http.StatusInternalServerError, "InvalidParameter", ""),
		}[x.choice]
	case redirect:
		a := html(http.StatusTemporaryRedirect)
		a.header.Set("Location", "https://elsewhere.example.com/")
		return a
	case nonceUsed:
		return refuse(http.StatusBadRequest, "SignatureNonceUsed", "")
	case throttle:
		return html(http.StatusTooManyRequests) // without a code it proves nothing
	}
	return [...]answer{
		success(nil),
		success(map[string]any{"ApsJobId": ""}),
		success(map[string]any{"ApsJobId": 17}),
		success(map[string]any{"ApsJobId": nil}),
		html(http.StatusOK),
		success(map[string]any{"ApsJobId": strings.Repeat("x", 2<<20)}),
	}[x.choice]
}

func html(status int) answer {
	return answer{status, http.Header{}, "<html><body>Please log in</body></html>"}
}

// refusalOf gives answers that the service gives without executing anything.
func refusalOf(choice int, echo string) *answer {
	a := [...]answer{
		refuse(http.StatusBadRequest, "InvalidDBClusterId.NotFound", echo),
		refuse(http.StatusForbidden, "Forbidden.RAM", echo),
		refuse(http.StatusBadRequest, "QuotaExceeded.ApsJob", echo), // unknown to apsctl: proves nothing
		refuse(http.StatusBadRequest, "InvalidApsJobName.AlreadyExist", echo),
		refuse(http.StatusNotFound, "InvalidAccessKeyId.NotFound", echo),
		refuse(http.StatusConflict, "IncorrectDBInstanceState", echo),
	}[choice]
	return &a
}

// throttledAnswer asks to slow down, with or without saying for how long.
func throttledAnswer(choice int) *answer {
	if choice == 5 {
		return nil
	}
	a := [...]answer{
		refuse(http.StatusBadRequest, "Throttling.User", ""),
		refuse(http.StatusTooManyRequests, "Throttling", ""),
		refuse(http.StatusServiceUnavailable, "Throttling.Api", ""),
		refuse(http.StatusBadRequest, "Throttling.User", ""),
		refuse(http.StatusBadRequest, "Throttling.User", ""),
	}[choice]
	switch choice {
	case 3:
		a.header.Set("x-acs-retry-after", "5000")
	case 4:
		a.header.Set("x-ratelimit-user-api", "Limit:10,Remain:0,TimeLeft:20000")
	}
	return &a
}

// dated puts the service's clock on an answer, or something else.
func (h *history) dated(a answer, p *proc) answer {
	a.header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	if f := h.active(oddDate, p.n); f != nil {
		switch h.dice.roll("date", p.id).IntN(4) {
		case 0, 1:
			a.header.Del("Date")
		case 2:
			a.header.Set("Date", time.Now().Add(100*24*time.Hour).UTC().Format(http.TimeFormat))
		case 3:
			a.header.Set("Date", "yesterday")
		}
	}
	return a
}
