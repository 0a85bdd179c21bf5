package aps

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/apsctl/apsctl/plan"
)

const (
	opLogs      = "DescribeApsActionLogs"
	logPageSize = 100 // of the documented 30, 50 and 100
	logPagesMax = 3
	// logWindow is the longest that may be asked for, without the minutes that the
	// ends are rounded to.
	logWindow  = 30*24*time.Hour - 2*time.Minute
	minuteForm = "2006-01-02T15:04Z"
)

// ActionLogs returns what a job of the cluster, its destination, logged as warnings
// and errors in the 30 days before now, oldest first; of very many, some. now is
// by the service's clock, and may be a minute off. Errors are *plan.CallError.
//
// That a job's id is its WorkloadId, is not documented.
func (c *Client) ActionLogs(ctx context.Context, region, cluster, id string, now time.Time) ([]plan.ActionLog, error) {
	if !validID(id) {
		return nil, badID(opLogs, region)
	}
	k, failed := c.prepare(opLogs, region, map[string]string{
		"DBClusterId": cluster, "WorkloadId": id, "State": "WARN,ERROR", "PageSize": strconv.Itoa(logPageSize),
		"StartTime": now.Add(-logWindow).UTC().Format(minuteForm), "EndTime": now.Add(time.Minute).UTC().Format(minuteForm),
	})
	if failed != nil {
		return nil, failed
	}
	k.inQuery = true
	var logs []plan.ActionLog
	for number, more := 1, true; more && number <= logPagesMax; number++ {
		k.params["PageNumber"] = strconv.Itoa(number)
		err := c.ask(ctx, k, func(e envelope, _ http.Header) error {
			page, ok := parseLogs(e)
			if !ok {
				return &plan.CallError{
					Operation: opLogs, Region: region, Failure: plan.FailureOther,
					Why: "the answer holds no log", RequestID: e.requestID, HTTPStatus: http.StatusOK,
				}
			}
			logs, more = append(logs, page...), len(page) == logPageSize
			return nil
		})
		if err != nil {
			return logs, err
		}
	}
	// In which order they come is not documented. Their times are texts of one form.
	slices.SortStableFunc(logs, func(a, b plan.ActionLog) int { return cmp.Compare(a.Time, b.Time) })
	return logs, nil
}

func parseLogs(e envelope) (logs []plan.ActionLog, ok bool) {
	var entries []json.RawMessage
	if list := e.field("ActionLogs"); list != nil && json.Unmarshal(list, &entries) != nil {
		return nil, false
	}
	for _, entry := range entries {
		o, err := parseObject(entry)
		if err != nil {
			return nil, false
		}
		logs = append(logs, plan.ActionLog{
			Time: o.trimmed("Time"), State: o.trimmed("State"), Stage: o.trimmed("Stage"), Text: o.trimmed("Context"),
		})
	}
	return logs, true
}
