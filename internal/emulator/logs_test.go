package emulator

import (
	"maps"
	"testing"
	"time"
)

func TestActionLogs(t *testing.T) {
	for order, want := range map[ListOrder]string{OrderNewest: "ERROR", OrderOldest: "INFO"} {
		clock := newClock()
		c, _ := open(t, Options{Now: clock.now, FailShare: 1, ListOrder: order})
		id := c.create("job-1")
		clock.pass(time.Minute)
		params := map[string]string{
			"RegionId": "cn-hangzhou", "DBClusterId": createParams("job-1")["DestinationEndpointInstanceID"], "WorkloadId": id,
			"StartTime": "2026-01-02T03:00Z", "EndTime": "2026-01-02T04:00Z",
		}
		c.inQuery = true
		got := c.ok("DescribeApsActionLogs", params)
		logs, _ := got.body["ActionLogs"].([]any)
		if len(logs) != 3 || got.text("TotalCount") != "3" || got.text("PageSize") != "30" || got.text("WorkloadId") != id {
			t.Fatalf("got %s", got.raw)
		}
		if first := logs[0].(map[string]any); first["State"] != want {
			t.Errorf("%s: the first line is %v", order, first)
		}
		for _, test := range []struct {
			name, value string
			lines       int
		}{
			{"State", "WARN,ERROR", 1}, {"State", "WARN", 0}, {"Stage", "StructureMigrate", 1}, {"Keyword", "primary key", 1},
			{"EndTime", "2026-01-02T03:04Z", 0}, {"PageNumber", "2", 0},
		} {
			got := c.ok("DescribeApsActionLogs", with(maps.Clone(params), test.name, test.value))
			if logs, ok := got.body["ActionLogs"].([]any); !ok || len(logs) != test.lines {
				t.Errorf("%s=%s: got %s, want %d lines", test.name, test.value, got.raw, test.lines)
			}
		}
		for _, test := range []struct{ name, value, code string }{
			{"StartTime", "", "MissingStartTime"}, {"StartTime", "2026-01-02T03:00:00Z", "InvalidStartTime"},
			{"StartTime", "2025-12-01T00:00Z", "InvalidEndTime"}, {"EndTime", "2026-01-02T03:00Z", "InvalidEndTime"},
			{"PageSize", "31", "InvalidPageSize"}, {"State", "INFO,WORSE", "InvalidState"}, {"Stage", "Sync", "InvalidStage"},
			{"WorkloadId", "aps-none", "InvalidInput"}, {"DBClusterId", "amv-other", "InvalidDBClusterId.NotFound"},
		} {
			c.refused("DescribeApsActionLogs", with(maps.Clone(params), test.name, test.value), 400, test.code)
		}
		c.refused("DescribeApsJobDetail", byID(id), 400, "InvalidParameter")
		c.inQuery = false
		c.refused("DescribeApsActionLogs", params, 400, "InvalidParameter")
	}
}
