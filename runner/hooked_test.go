package runner_test

import (
	"context"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// hooked is a ledger with something in the way.
type hooked struct {
	runner.Ledger
	afterIntend func()
	failIntend  error
	failSettle  error
}

func (h hooked) Intend(ctx context.Context, intent plan.Intent) error {
	if h.failIntend != nil {
		return h.failIntend
	}
	err := h.Ledger.Intend(ctx, intent)
	if h.afterIntend != nil {
		h.afterIntend()
	}
	return err
}

func (h hooked) Settle(ctx context.Context, transition plan.Transition) error {
	if h.failSettle != nil {
		return h.failSettle
	}
	return h.Ledger.Settle(ctx, transition)
}
