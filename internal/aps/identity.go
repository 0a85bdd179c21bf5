package aps

import (
	"context"
	"net/http"

	"github.com/apsctl/apsctl/plan"
)

const (
	opIdentity = "GetCallerIdentity"
	stsVersion = "2015-04-01"
)

// Identity is who the access key belongs to, as STS says.
type Identity struct {
	AccountID   string // never empty
	Arn         string
	PrincipalID string
	Type        string // Account, RAMUser or AssumedRoleUser
}

// CallerIdentity asks STS whose access key it is. It costs no permission.
// Errors are *plan.CallError.
func (c *Client) CallerIdentity(ctx context.Context) (Identity, error) {
	k := call{
		operation: opIdentity, version: stsVersion, at: c.sts,
		timeout: c.opts.ReadTimeout, bodyMax: bodyMax,
	}
	var id Identity
	err := c.ask(ctx, k, func(e envelope, _ http.Header) error {
		id = Identity{e.trimmed("AccountId"), e.trimmed("Arn"), e.trimmed("PrincipalId"), e.trimmed("IdentityType")}
		if !validID(id.AccountID) {
			return &plan.CallError{Operation: opIdentity, Failure: plan.FailureOther, Why: "the answer names no account", RequestID: e.requestID, HTTPStatus: http.StatusOK}
		}
		return nil
	})
	return id, err
}
