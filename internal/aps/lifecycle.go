package aps

import (
	"context"

	"github.com/apsctl/apsctl/plan"
)

const (
	opModify  = "ModifyApsJob"
	opStart   = "StartApsJob"
	opSuspend = "SuspendApsJob"
	opDelete  = "DeleteApsJob"
)

// Modify replaces the objects of a job. Both lists are always sent, since what
// leaving one out does is not documented; an empty partitionList is {} (API
// reference, section 6).
//
// Modify, Start, Suspend and Delete make one attempt and do not ask the Limiter
// to wait. Errors are *plan.CallError; the caller decides about repeating.
func (c *Client) Modify(ctx context.Context, region, id, dbList, partitionList string) error {
	return c.changeJob(ctx, opModify, region, id, map[string]string{
		"DbList": dbList, "PartitionList": or(partitionList, "{}"),
	})
}

// Start starts a job that is suspended or was never started.
func (c *Client) Start(ctx context.Context, region, id string) error {
	return c.changeJob(ctx, opStart, region, id, nil)
}

// Suspend suspends a job.
func (c *Client) Suspend(ctx context.Context, region, id string) error {
	return c.changeJob(ctx, opSuspend, region, id, nil)
}

// Delete deletes a job.
func (c *Client) Delete(ctx context.Context, region, id string) error {
	return c.changeJob(ctx, opDelete, region, id, nil)
}

func (c *Client) changeJob(ctx context.Context, operation, region, id string, params map[string]string) error {
	if !validID(id) {
		return badID(operation, region)
	}
	form := map[string]string{"ApsJobId": id}
	for name, value := range params {
		form[name] = value
	}
	return c.change(ctx, operation, region, form)
}

func badID(operation, region string) error {
	return &plan.CallError{Operation: operation, Region: region, Failure: plan.FailureOther, Why: "that is no job id; nothing was sent"}
}
