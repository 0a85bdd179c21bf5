package aps

import (
	"context"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

const opCreate = "CreateAPSJob" // the capitals are the service's

// dateFormat is that of the x-acs-date header, in UTC.
const dateFormat = "2006-01-02T15:04:05Z"

// Create sends one CreateAPSJob request and says what its answer proves. There
// is at most one wire attempt and never a retry, not even of a connection that
// failed. Nonce and date are the request's own. Create does not ask the Limiter
// to wait: the date was chosen before, and would grow old.
//
// A refused security token is FailureTemporary as long as a fresh one can be
// fetched, which the next call does, and FailureCredentials after that.
func (c *Client) Create(ctx context.Context, request plan.CreateRequest) plan.Outcome {
	region := request.Spec.Region
	at, err := c.at(region)
	if err != nil {
		return plan.Outcome{Verdict: plan.VerdictNotSent, Failure: plan.FailureConfig, Why: err.Error()}
	}
	if request.Nonce == "" || request.SignedAt.IsZero() {
		return plan.Outcome{Verdict: plan.VerdictNotSent, Failure: plan.FailureOther, Why: "the request has no nonce or date, nothing was sent"}
	}
	r := c.send(ctx, call{
		operation: opCreate, region: region, version: apiVersion, at: at,
		params: createForm(request),
		headers: map[string]string{
			"x-acs-signature-nonce": request.Nonce,
			"x-acs-date":            request.SignedAt.UTC().Format(dateFormat),
		},
		passwords: []secret.Value{request.SourcePassword, request.DestinationPassword},
		timeout:   c.opts.CreateTimeout, bodyMax: bodyMax,
	})
	o := r.outcome()
	c.noteToken(r, o.Code)
	if o.Verdict == plan.VerdictRejected && tokenRefused(o.Code) && c.keys.refused(r.key) {
		o.Failure, o.Why = plan.FailureTemporary, "the security token was refused; a new one is fetched"
	}
	if r.status != 0 {
		c.observe(r.call, o.Failure == plan.FailureThrottled || o.HTTPStatus == 429, o.RetryAfter)
	}
	o.Code, o.Message, o.RequestID = r.clean(o.Code), r.cleanMessage(o.Message), r.clean(o.RequestID)
	return o
}

// createForm returns the parameters. Empty ones are left out, but for those that
// the service requires (API reference, section 2).
func createForm(request plan.CreateRequest) map[string]string {
	spec := request.Spec
	form := map[string]string{
		"RegionId":                      spec.Region,
		"ApsJobName":                    spec.Name,
		"SourceEndpointInstanceID":      spec.Source.Instance,
		"DestinationEndpointInstanceID": spec.Destination.Instance,
		"DbList":                        spec.DBList,
	}
	for name, value := range map[string]string{
		"SourceEndpointRegion":        spec.Source.Region,
		"SourceEndpointUserName":      spec.Source.User,
		"DestinationEndpointUserName": spec.Destination.User,
		"PartitionList":               spec.PartitionList,
		"TargetTableMode":             spec.TargetTableMode,
	} {
		if value != "" {
			form[name] = value
		}
	}
	for name, value := range map[string]secret.Value{
		"SourceEndpointPassword":      request.SourcePassword,
		"DestinationEndpointPassword": request.DestinationPassword,
	} {
		if !value.IsZero() {
			form[name] = value.Reveal()
		}
	}
	return form
}
