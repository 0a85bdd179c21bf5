package runner

import (
	"context"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// What the tests' weakenings of the protocol change (see
// internal/mutant). In a normal build each of these is nothing.

// weakenOrder sends the request before its intent is on disk.
func (r *Run) weakenOrder(ctx context.Context, request *plan.CreateRequest) {
	if mutant.On(mutant.IntentAfterSend) {
		r.service.Create(ctx, *request)
	}
}

// weakenNonce changes the nonce after it was promised.
func weakenNonce(request *plan.CreateRequest) {
	if mutant.On(mutant.LateNonce) {
		request.Nonce, _ = newNonce(request.SignedAt)
	}
}

// weakenDate changes the date after it was promised.
func weakenDate(request *plan.CreateRequest, now time.Time) {
	if mutant.On(mutant.LateDate) {
		request.SignedAt = now.UTC().Truncate(time.Second)
	}
}

// weakenVerdict has an unknown create sent again in this run.
func weakenVerdict(o *plan.Outcome) {
	if mutant.On(mutant.RetryUnknown) && o.Verdict == plan.VerdictUnknown {
		o.Verdict = plan.VerdictNotSent
	}
}

// verdictContext is what verdicts are written on: no interrupt ends it.
func verdictContext(ctx context.Context) context.Context {
	if mutant.On(mutant.CancelledVerdict) {
		return ctx
	}
	return context.WithoutCancel(ctx)
}

// listedName is the name that a listed job is found under: its own.
func listedName(name string) string {
	if mutant.On(mutant.FuzzyName) {
		return strings.ToLower(name)
	}
	return name
}
