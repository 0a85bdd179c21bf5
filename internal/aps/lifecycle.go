package aps

import (
	"context"

	"github.com/apsctl/apsctl/plan"
)

// Change sends one request that changes an existing job. It makes one attempt and
// does not ask the Limiter to wait: the date was chosen before, and would grow
// old. Errors are *plan.CallError, and when ctx ended also what ctx says; the
// caller decides about repeating.
func (c *Client) Change(ctx context.Context, request plan.ChangeRequest) error {
	operation := string(request.Operation)
	if !validID(request.JobID) {
		return badID(operation, request.Region)
	}
	if request.SignedAt.IsZero() {
		return &plan.CallError{Operation: operation, Region: request.Region, Failure: plan.FailureOther, Undone: true,
			Why: "the request has no date; nothing was sent"}
	}
	form := map[string]string{"ApsJobId": request.JobID}
	if request.Operation == plan.OperationModify {
		form["DbList"], form["PartitionList"] = request.DBList, or(request.PartitionList, "{}")
	}
	k, failed := c.prepare(operation, request.Region, form)
	if failed != nil {
		failed.Undone = true
		return failed
	}
	k.timeout = c.opts.CreateTimeout
	k.headers = map[string]string{"x-acs-date": request.SignedAt.UTC().Format(dateFormat)}
	if _, _, failed := c.once(ctx, k); failed != nil {
		return withCause(ctx, failed)
	}
	return nil
}

func badID(operation, region string) error {
	return &plan.CallError{Operation: operation, Region: region, Failure: plan.FailureOther, Undone: true,
		Why: "that is no job id; nothing was sent"}
}
