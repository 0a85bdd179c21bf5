package aps

import (
	"net/http"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// What the tests' weakenings of the protocol change here (see internal/mutant).
// In a normal build each of these is nothing.

// weakenVerdict takes what proves nothing for a refusal.
func weakenVerdict(o *plan.Outcome, status int) {
	if mutant.On(mutant.DefaultRejected) && o.Verdict == plan.VerdictUnknown ||
		mutant.On(mutant.ServerErrorFails) && status >= 500 {
		o.Verdict = plan.VerdictRejected
	}
}

// weakenHook is an HTTPClient that follows redirects, or hook itself.
func weakenHook(hook HTTPClient) HTTPClient {
	if hook != nil && mutant.On(mutant.FollowRedirects) {
		return following{hook}
	}
	return hook
}

type following struct{ HTTPClient }

func (f following) Call(request *http.Request, transport *http.Transport) (*http.Response, error) {
	response, err := f.HTTPClient.Call(request, transport)
	if err == nil && response.StatusCode/100 == 3 {
		return f.HTTPClient.Call(request, transport)
	}
	return response, err
}
