package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// problem is a refusal as the API shows it (API reference, section 7).
type problem struct {
	status  int
	code    string
	message string
	// business marks a refusal by the service behind the gateway, which may
	// also come as HTTP 200 with Success false; see Options.BusinessErrors.
	business bool
	// header carries hints; nil for most.
	header http.Header
}

func (p *problem) Error() string { return p.code + ": " + p.message }

func refuse(status int, code, format string, args ...any) *problem {
	return &problem{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func refuseBusiness(code, format string, args ...any) *problem {
	return &problem{status: http.StatusBadRequest, code: code, message: fmt.Sprintf(format, args...), business: true}
}

func missing(parameter string) *problem {
	return refuse(http.StatusBadRequest, "Missing"+parameter, "%s is mandatory for this action.", parameter)
}

func invalid(parameter, format string, args ...any) *problem {
	return refuse(http.StatusBadRequest, "Invalid"+parameter, format, args...)
}

// broken is the answer when the state cannot be written: nothing was changed.
func broken(err error) *problem {
	return refuse(http.StatusInternalServerError, "InternalError", "The state could not be written: %s", clip(err.Error()))
}

// throttled is the refusal of a request that came too early.
func throttled(status int, code string, hint Hint, limit int, wait time.Duration) *problem {
	p := refuse(status, code, "Request was denied due to user flow control.")
	ms := strconv.FormatInt(max(1, wait.Milliseconds()), 10)
	switch hint {
	case HintRetryAfter:
		p.header = http.Header{"X-Acs-Retry-After": {ms}}
	case HintRateLimit:
		p.header = http.Header{"X-Ratelimit-User-Api": {fmt.Sprintf("Limit:%d,Remain:0,TimeLeft:%s", limit, ms)}}
	}
	return p
}

const clipMax = 120

// clip bounds and cleans text from outside before it goes into a message.
func clip(s string) string {
	if len(s) > clipMax {
		s = s[:clipMax] + "…"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
}
