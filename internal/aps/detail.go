package aps

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"

	"github.com/apsctl/apsctl/plan"
)

const opDetail = "DescribeApsJobDetail"

// Detail returns what the service tells of one job. Errors are *plan.CallError.
// What an id that is gone gets is not documented; an answer without a job is
// FailureOther, as is the code InvalidInput (API reference, section 13).
func (c *Client) Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error) {
	var detail plan.RemoteDetail
	if !validID(id) {
		return detail, badID(opDetail, region)
	}
	k, failed := c.prepare(opDetail, region, map[string]string{"ApsJobId": id})
	if failed != nil {
		return detail, failed
	}
	err := c.ask(ctx, k, func(e envelope, _ http.Header) error {
		var why string
		if detail, why = parseDetail(e, id); why != "" {
			return &plan.CallError{
				Operation: opDetail, Region: region, Failure: plan.FailureOther,
				Why: why, RequestID: e.requestID, HTTPStatus: http.StatusOK,
			}
		}
		return nil
	})
	return detail, err
}

// parseDetail reads APSJobDetail; why says what is wrong with it.
func parseDetail(e envelope, id string) (detail plan.RemoteDetail, why string) {
	job, err := parseObject(e.field("APSJobDetail"))
	if err != nil || len(job) == 0 {
		return detail, "the answer tells of no job"
	}
	detail.ID = id
	for name, to := range map[string]*string{
		"SourceEndpointRegion":          &detail.SourceRegion,
		"SourceEndpointInstanceID":      &detail.SourceInstance,
		"DestinationEndpointRegion":     &detail.DestinationRegion,
		"DestinationEndpointInstanceID": &detail.DestinationInstance,
		"TargetTableMode":               &detail.TargetTableMode,
		"Status":                        &detail.Status,
	} {
		var ok bool
		if *to, ok = job.text(name); !ok {
			return plan.RemoteDetail{}, name + " is neither text nor number"
		}
	}
	detail.DBList, detail.PartitionList = job.json("DbList"), job.json("PartitionList")
	return detail, ""
}

// json returns a field that is JSON, either as itself or as text that holds it
// (API reference, section 2: declared a string, shown as an object). Numbers
// keep their digits.
func (o object) json(name string) string {
	if text, ok := o.text(name); ok {
		return text
	}
	var out bytes.Buffer
	_ = json.Compact(&out, o.field(name)) // it was parsed before
	return out.String()
}
