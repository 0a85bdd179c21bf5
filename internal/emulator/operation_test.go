package emulator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// without removes the ids that differ on every run, so that the rest can be
// compared with the documented samples.
func (r reply) without(names ...string) map[string]any {
	for _, name := range append(names, "RequestId") {
		delete(r.body, name)
	}
	return r.body
}

func wantBody(t *testing.T, what string, got, want map[string]any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestRoundTrip(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now})
	created := c.ok("CreateAPSJob", createParams("job-1", "SourceEndpointUserName", "u", "SourceEndpointPassword", "p",
		"DbList", `{"b":{"all":true},"a":1.50}`, "TargetTableMode", "1"))
	id := created.text("ApsJobId")
	if len(id) != 22 || id[:6] != "aps-ch" {
		t.Errorf("got id %q, want it to look like aps-ch…", id)
	}
	wantBody(t, "create", created.without("ApsJobId"), map[string]any{
		"HttpStatusCode": json.Number("200"), "Success": true, "Code": "InvalidInput", "Message": "OK",
	})

	wantBody(t, "list", c.list().without(), map[string]any{
		"Success": true, "Code": "ok", "HttpStatusCode": "ok", "Message": "ok",
		"PageNumber": "1", "PageSize": "30", "TotalCount": "1",
		"APSJobs": []any{map[string]any{
			"ApsJobId": id, "ApsJobName": "job-1", "SourceInstanceID": "pc-1", "DestinationInstanceID": "amv-1",
			"Status": "Initializing", "SubStatus": "FullDataSync", "CreateTime": "2026-01-02 11:04:05",
			"Delay": json.Number("0"), "Projress": "0", "ErrMessage": "OK",
		}},
	})

	detail := c.ok("DescribeApsJobDetail", byID(id))
	wantBody(t, "detail", detail.without(), map[string]any{"APSJobDetail": map[string]any{
		"SourceEndpointRegion": "cn-hangzhou", "SourceEndpointInstanceID": "pc-1",
		"DestinationEndpointRegion": "cn-hangzhou", "DestinationEndpointInstanceID": "amv-1",
		"DbList":        map[string]any{"a": json.Number("1.50"), "b": map[string]any{"all": true}},
		"PartitionList": map[string]any{}, "TargetTableMode": json.Number("1"), "Status": "Initializing",
	}})

	clock.pass(1500 * time.Millisecond)
	if got := c.list().entries()[0]["Projress"]; got != "50" {
		t.Errorf("got progress %v after half the time, want 50", got)
	}
	modified := c.ok("ModifyApsJob", with(byID(id), "DbList", `{"c":{}}`, "PartitionList", `{"p":1}`))
	wantBody(t, "modify", modified.without(), map[string]any{
		"ApsJobId": id, "HttpStatusCode": json.Number("200"), "Success": true,
		"Code": "InvalidInput\n", "Message": "SUCCESS", "ErrCode": "Success", "ErrMessage": "OK",
	})
	got := c.ok("DescribeApsJobDetail", byID(id)).body["APSJobDetail"].(map[string]any)
	wantBody(t, "DbList", got["DbList"].(map[string]any), map[string]any{"c": map[string]any{}})
	wantBody(t, "PartitionList", got["PartitionList"].(map[string]any), map[string]any{"p": json.Number("1")})

	wantBody(t, "suspend", c.ok("SuspendApsJob", byID(id)).without(), map[string]any{
		"ApsJobId": id, "HttpStatusCode": json.Number("200"), "Success": true, "ErrCode": "Success", "ErrMessage": "OK",
	})
	wantBody(t, "start", c.ok("StartApsJob", byID(id)).without(), map[string]any{
		"ApsJobId": id, "HttpStatusCode": json.Number("200"), "Success": true,
		"Code": json.Number("200"), "Message": "OK", "ErrCode": json.Number("0"), "ErrMessage": "OK",
	})
	wantBody(t, "delete", c.ok("DeleteApsJob", byID(id)).without(), map[string]any{
		"ApsJobId": id, "HttpStatusCode": json.Number("200"), "Success": true,
		"Code": json.Number("200"), "Message": "OK", "ErrCode": "Success", "ErrMessage": "OK",
	})
	c.refused("DescribeApsJobDetail", byID(id), 400, "InvalidInput")
	c.refused("DeleteApsJob", byID(id), 400, "InvalidInput")
	if got := c.list(); got.text("TotalCount") != "0" || len(got.entries()) != 0 {
		t.Errorf("after delete: got %s", got.raw)
	}
}

func TestLife(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now})
	id := c.create("a")
	want := func(status, progress string) {
		t.Helper()
		entry := c.list().entries()[0]
		if entry["Status"] != status || entry["Projress"] != progress || c.status(id) != status {
			t.Errorf("got %v at %v, want %s at %s", entry["Status"], entry["Projress"], status, progress)
		}
	}
	want("Initializing", "0")
	clock.pass(time.Second)
	want("Initializing", "33")
	c.ok("SuspendApsJob", byID(id))
	clock.pass(time.Hour)
	want("Suspended", "33")
	if got := c.list().entries()[0]["Delay"]; got != json.Number("3600") {
		t.Errorf("got delay %v after an hour of suspension, want 3600", got)
	}
	c.refused("SuspendApsJob", byID(id), 400, "IncorrectDBInstanceState")
	c.ok("StartApsJob", byID(id))
	want("Initializing", "33") // it goes on where it stopped
	clock.pass(2 * time.Second)
	want("Running", "100")
	c.refused("StartApsJob", byID(id), 400, "IncorrectDBInstanceState")
}

// TestFailShare: which jobs fail depends on their names alone, and one that is
// started again comes up.
func TestFailShare(t *testing.T) {
	var before []string
	for _, needsStart := range []bool{false, true} {
		clock := newClock()
		c, _ := open(t, Options{Now: clock.now, FailShare: 0.2, NeedsStart: needsStart})
		ids := map[string]string{}
		for i := range 100 {
			name := fmt.Sprintf("job-%03d", (i*37)%100)
			ids[name] = c.create(name)
			if needsStart {
				c.ok("StartApsJob", byID(ids[name]))
			}
		}
		clock.pass(time.Minute)
		var failed []string
		for _, name := range slices.Sorted(maps.Keys(ids)) {
			if c.status(ids[name]) == "InitializeFailed" {
				failed = append(failed, name)
			}
		}
		if len(failed) < 10 || len(failed) > 30 || before != nil && !slices.Equal(before, failed) {
			t.Fatalf("%d of 100 failed, want about 20 and the same each time: %v, %v", len(failed), before, failed)
		}
		before = failed
		id := ids[failed[0]]
		c.ok("StartApsJob", byID(id))
		clock.pass(time.Minute)
		if got := c.status(id); got != "Running" {
			t.Errorf("got %s after it was started again, want Running", got)
		}
	}
}

func TestNeedsStart(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now, NeedsStart: true, Initializing: -1, RepeatAllowed: true})
	id := c.create("a")
	clock.pass(time.Hour)
	if got := c.status(id); got != "NotStarted" {
		t.Errorf("got %s, want NotStarted", got)
	}
	c.refused("SuspendApsJob", byID(id), 400, "IncorrectDBInstanceState")
	for range 2 {
		c.ok("StartApsJob", byID(id))
		if got := c.status(id); got != "Running" {
			t.Errorf("got %s, want Running", got)
		}
	}
	for range 2 {
		c.ok("SuspendApsJob", byID(id))
		if got := c.status(id); got != "Suspended" {
			t.Errorf("got %s, want Suspended", got)
		}
	}
	c, _ = open(t, Options{Now: clock.now, FirstStatus: "Prechecking"})
	if got := c.status(c.create("a")); got != "Prechecking" {
		t.Errorf("got %s, want Prechecking", got)
	}
}

func TestRegionsAreApart(t *testing.T) {
	c, _ := open(t, Options{DefaultRegion: "cn-beijing"})
	id := c.create("a", "RegionId", "cn-beijing")
	if got := c.list().text("TotalCount"); got != "0" {
		t.Errorf("got %s jobs in cn-hangzhou, want none", got)
	}
	for _, action := range []string{"DescribeApsJobDetail", "StartApsJob", "SuspendApsJob", "DeleteApsJob"} {
		c.refused(action, byID(id), 400, "InvalidInput")
	}
	if got := c.list("RegionId", "").text("TotalCount"); got != "1" {
		t.Errorf("got %s jobs without RegionId, want the one of the default region", got)
	}
	c.ok("SuspendApsJob", map[string]string{"ApsJobId": id})
}

func TestPagesAddUp(t *testing.T) {
	for _, order := range []ListOrder{OrderNewest, OrderOldest, OrderID} {
		c, server := open(t, Options{ListOrder: order})
		for i := range 25 {
			c.create(fmt.Sprintf("job-%02d", i))
		}
		seen, ids := []string{}, []string{}
		for page := 1; ; page++ {
			got := c.list("PageNumber", fmt.Sprint(page), "PageSize", "10")
			if got.text("TotalCount") != "25" || got.text("PageSize") != "10" || got.text("PageNumber") != fmt.Sprint(page) {
				t.Errorf("page %d: got %s", page, got.raw)
			}
			if len(got.entries()) == 0 {
				break
			}
			for _, entry := range got.entries() {
				seen, ids = append(seen, entry["ApsJobName"].(string)), append(ids, entry["ApsJobId"].(string))
			}
		}
		distinct := map[string]bool{}
		for i, id := range ids {
			distinct[id] = true
			ordered := map[ListOrder]bool{
				OrderNewest: seen[i] == fmt.Sprintf("job-%02d", 24-i),
				OrderOldest: seen[i] == fmt.Sprintf("job-%02d", i),
				OrderID:     i == 0 || ids[i-1] < id,
			}
			if !ordered[order] {
				t.Errorf("%s: place %d is wrong in %v", order, i, seen)
			}
		}
		if len(ids) != 25 || len(distinct) != 25 {
			t.Errorf("%s: got %d entries, %d distinct, want 25", order, len(ids), len(distinct))
		}
		if got := server.Stats(); got.Jobs != 25 || got.Creates != 25 || got.Duplicates != 0 {
			t.Errorf("got stats %+v", got)
		}
	}
}
