package aps

import (
	"fmt"
	"net/http"

	"github.com/apsctl/apsctl/plan"
)

// outcome says what r proves about a create, by the table of the creation
// protocol ("Verdict on an answer"). Whatever the table does not settle is
// unknown.
func (r *reply) outcome() plan.Outcome {
	switch {
	case r.unsent != nil:
		return plan.Outcome{Verdict: plan.VerdictNotSent, Failure: r.unsent.class, Why: r.unsent.why}
	case r.status == 0 && !r.handed.Load():
		f := r.fault()
		return plan.Outcome{Verdict: plan.VerdictNotSent, Failure: f.class, Why: f.why + "; nothing was sent"}
	}
	o := plan.Outcome{Failure: plan.FailureTemporary}
	switch {
	case r.status >= 300 && r.status < 400:
		o = redirected(r.status)
	case r.err != nil:
		o.Why = r.fault().why
	case r.long:
		o.Why = fmt.Sprintf("the answer is longer than %d bytes", r.bodyMax)
	default:
		o = judge(r.status, r.body)
	}
	weakenVerdict(&o, r.status)
	o.HTTPStatus, o.RetryAfter, o.ServerTime = r.status, retryAfter(r.header), serverTime(r.header)
	return o
}

func redirected(status int) plan.Outcome {
	return plan.Outcome{
		Failure: plan.FailureConfig,
		Why:     fmt.Sprintf("redirected (HTTP %d), which is not followed; check the endpoint", status),
	}
}

// judge settles an answer that is complete. It is a pure function.
func judge(status int, body []byte) plan.Outcome {
	e, err := parseEnvelope(body)
	if err != nil {
		return unknown(classOf(status), "the answer is not JSON of the service")
	}
	var o plan.Outcome
	switch {
	case status == http.StatusOK && e.success != no:
		o = acknowledged(e)
		o.RequestID = e.requestID
		return o
	case e.hasJobID():
		o = unknown(plan.FailureOther, "the answer has a job id and yet is no success")
	case status == http.StatusOK:
		o = refused(max(e.status, status), e)
	default:
		o = refused(status, e)
	}
	o.Code, o.Message, o.RequestID = e.code(), e.message, e.requestID
	return o
}

// acknowledged settles a 200 whose Success is not false. Code is not looked at:
// documented success samples carry InvalidInput (API reference, section 2).
func acknowledged(e envelope) plan.Outcome {
	id, ok := e.jobID()
	switch {
	case e.success == garbled:
		return unknown(plan.FailureTemporary, "the answer does not say whether it is a success")
	case !ok:
		return unknown(plan.FailureTemporary, "the answer has no usable job id")
	}
	return plan.Outcome{Verdict: plan.VerdictCreated, JobID: id, Why: "acknowledged"}
}

// refused settles an error reply. A refusal counts only if it is the service's
// own, with a request id, and if every code it gives is on the list: something
// in between may answer in its own name after the request went through.
func refused(status int, e envelope) plan.Outcome {
	if !mayProve(status, e) {
		return unknown(classOf(status), wordStatus(status))
	}
	var class plan.Failure
	for i, code := range e.codes {
		of, certain := refusedBeforeExecution(code)
		if !certain {
			return unknown(plan.FailureOther, "the error code does not prove that nothing was done")
		}
		if code == dateTooOld {
			return unknown(of, "the date was refused as too old, as that of a late copy would be; check this machine's clock")
		}
		if i == 0 {
			class = of
		}
	}
	if e.saysAlreadyThere() {
		return unknown(plan.FailureOther, "the service says that it exists already")
	}
	return plan.Outcome{Verdict: plan.VerdictRejected, Failure: class, Why: wordClass(class)}
}

// mayProve reports whether an error reply with status can prove anything.
func mayProve(status int, e envelope) bool {
	if len(e.codes) == 0 || e.requestID == "" {
		return false
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooEarly:
		return false
	case http.StatusServiceUnavailable:
		for _, code := range e.codes {
			if !throttling(code) {
				return false
			}
		}
		return true
	}
	return status == http.StatusOK || status >= 400 && status < 500
}

func unknown(class plan.Failure, why string) plan.Outcome {
	return plan.Outcome{Verdict: plan.VerdictUnknown, Failure: class, Why: why}
}

// classOf classifies an answer that says nothing but its status.
func classOf(status int) plan.Failure {
	if status >= 400 && !passing(status) {
		return plan.FailureOther
	}
	return plan.FailureTemporary
}

// passing reports whether status speaks of a state of affairs that may pass.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

func wordStatus(status int) string {
	if status == http.StatusOK {
		return "the answer says neither success nor why not"
	}
	return fmt.Sprintf("HTTP %d, which does not prove that nothing was done", status)
}

// wordClass says what a class of refusals means.
func wordClass(class plan.Failure) string {
	switch class {
	case plan.FailureThrottled:
		return "too many calls, the service asks to slow down"
	case plan.FailureTemporary:
		return "the service could not do it just now"
	case plan.FailureCredentials:
		return "the access key, signature, token or date was refused"
	case plan.FailurePermission:
		return "the access key is not permitted to do this"
	case plan.FailureConfig:
		return "the endpoint does not offer this operation"
	}
	return "the service refused the request"
}
