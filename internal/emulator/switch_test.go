package emulator

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestNameFilter(t *testing.T) {
	for filter, want := range map[NameFilter][]string{
		"":           {"my-job-1", "job-10", "job-1"},
		NameContains: {"my-job-1", "job-10", "job-1"},
		NamePrefix:   {"job-10", "job-1"},
		NameExact:    {"job-1"},
	} {
		c, _ := open(t, Options{NameFilter: filter})
		for _, name := range []string{"job-1", "job-10", "my-job-1", "job-2"} {
			c.create(name)
		}
		got := c.list("ApsJobName", "job-1", "PageSize", "100")
		if !slices.Equal(got.names(), want) || got.text("TotalCount") != string(rune('0'+len(want))) {
			t.Errorf("%q: got %v of %s, want %v", filter, got.names(), got.text("TotalCount"), want)
		}
		if got := c.list("ApsJobName", "job-1", "PageSize", "1", "PageNumber", "2").names(); len(got) != min(1, len(want)-1) {
			t.Errorf("%q: got %v on the second page", filter, got)
		}
	}
}

func TestDuplicates(t *testing.T) {
	c, server := open(t, Options{})
	first := c.create("a")
	c.create("a")
	c.create("a")
	c.create("a", "SourceEndpointInstanceID", "pc-2")
	c.create("a", "RegionId", "cn-beijing")
	if got := server.Stats(); got.Duplicates != 2 || got.Jobs != 5 {
		t.Errorf("got %d duplicates of %d jobs, want 2 of 5", got.Duplicates, got.Jobs)
	}
	c.ok("DeleteApsJob", byID(first))
	if got := server.Stats().Duplicates; got != 1 {
		t.Errorf("got %d duplicates after a delete, want 1", got)
	}

	c, server = open(t, Options{DuplicateNames: DuplicatesRefuse})
	id := c.create("a")
	c.refused("CreateAPSJob", createParams("a", "SourceEndpointInstanceID", "pc-2"), 400, "ApsJobName.Duplicate")
	c.create("a", "RegionId", "cn-beijing")
	c.ok("DeleteApsJob", byID(id))
	c.create("a")
	if got := server.Stats().Creates; got != 3 {
		t.Errorf("got %d creates, want 3", got)
	}
}

func TestJobQuotas(t *testing.T) {
	c, _ := open(t, Options{JobsPerSource: 1, JobsPerRegion: 2})
	c.create("a")
	c.refused("CreateAPSJob", createParams("b"), 400, "QuotaExceeded.ApsJobPerSource")
	id := c.create("b", "SourceEndpointInstanceID", "pc-2")
	c.refused("CreateAPSJob", createParams("c", "SourceEndpointInstanceID", "pc-3"), 400, "QuotaExceeded.ApsJobPerRegion")
	c.ok("DeleteApsJob", byID(id))
	c.create("c", "SourceEndpointInstanceID", "pc-2")
}

func TestThrottling(t *testing.T) {
	for _, test := range []struct {
		opts          Options
		status        int
		code          string
		header, value string
	}{
		{Options{}, 400, "Throttling.User", "X-Acs-Retry-After", ""},
		{Options{QuotaHint: HintRetryAfter}, 400, "Throttling.User", "X-Acs-Retry-After", "500"},
		{Options{QuotaHint: HintRateLimit, QuotaStatus: 429, QuotaCode: "Throttling.Api"}, 429, "Throttling.Api", "X-Ratelimit-User-Api", "Limit:2,Remain:0,TimeLeft:500"},
		{Options{QuotaStatus: 503, QuotaCode: "Rejected.Throttling"}, 503, "Rejected.Throttling", "X-Ratelimit-User-Api", ""},
	} {
		clock := newClock()
		test.opts.Quota, test.opts.Now = 2, clock.now
		c, server := open(t, test.opts)
		c.create("a")
		c.create("b")
		got := c.refused("CreateAPSJob", createParams("c"), test.status, test.code)
		if value := got.header.Get(test.header); value != test.value {
			t.Errorf("%v: got %s %q, want %q", test.opts, test.header, value, test.value)
		}
		c.create("c", "RegionId", "cn-beijing") // its own bucket
		c.list()                                // another one
		clock.pass(500 * time.Millisecond)
		c.create("c")
		c.refused("CreateAPSJob", createParams("d"), test.status, test.code)
		clock.pass(time.Hour) // does not save up more than a second's worth
		c.create("d")
		c.create("e")
		c.refused("CreateAPSJob", createParams("f"), test.status, test.code)
		want := ActionStats{Calls: 9, AnsweredOK: 6, Refused: 3, Throttled: 3}
		if got := server.Stats().Actions["CreateAPSJob"]; got != want {
			t.Errorf("got stats %+v, want %+v", got, want)
		}
	}
}

func TestListLag(t *testing.T) {
	for _, atOnce := range []bool{false, true} {
		clock := newClock()
		c, _ := open(t, Options{Now: clock.now, ListLag: time.Minute, DetailAtOnce: atOnce})
		id := c.create("a")
		clock.pass(time.Minute - time.Millisecond)
		if got := c.list(); got.text("TotalCount") != "0" || len(got.names()) != 0 {
			t.Errorf("got %s before the lag has passed", got.raw)
		}
		if got := c.call("DescribeApsJobDetail", byID(id)).status; (got == 200) != atOnce {
			t.Errorf("detail at once %v: got status %d", atOnce, got)
		}
		clock.pass(time.Millisecond)
		if got := c.list().names(); !slices.Equal(got, []string{"a"}) {
			t.Errorf("got %v after the lag", got)
		}
		c.ok("DescribeApsJobDetail", byID(id))
	}
}

func TestShowAll(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now, ListLag: time.Minute})
	id := c.create("a")
	if got := c.list().names(); len(got) != 0 {
		t.Fatalf("got %v before the lag has passed", got)
	}
	if got := string(c.page("POST", "/_emulator/jobs", "").raw); !strings.Contains(got, `"listed": true`) {
		t.Errorf("got %s", got)
	}
	clock.pass(time.Second)
	c.create("b")
	if got := c.list().names(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("got %v, and b is new", got)
	}
	c.ok("DescribeApsJobDetail", byID(id))
	clock.pass(time.Minute)
	if got := c.list().names(); len(got) != 2 {
		t.Errorf("got %v after the lag", got)
	}
}

func TestLatency(t *testing.T) {
	c, _ := open(t, Options{Latency: 50 * time.Millisecond})
	start := time.Now()
	c.create("a")
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("answered after %v", took)
	}
}

func TestPageCap(t *testing.T) {
	c, _ := open(t, Options{PageCap: 2})
	for _, name := range []string{"a", "b", "c"} {
		c.create(name)
	}
	got := c.list()
	if got.text("PageSize") != "2" || !slices.Equal(got.names(), []string{"c", "b"}) {
		t.Errorf("got %s", got.raw)
	}
	if got := c.list("PageNumber", "2").names(); !slices.Equal(got, []string{"a"}) {
		t.Errorf("second page: got %v, want what the lowered size leaves", got)
	}
	c, _ = open(t, Options{PageCapMode: PageCapRefuse})
	c.list("PageSize", "100")
	c.refused("DescribeApsJobs", map[string]string{"PageNumber": "1", "PageSize": "101"}, 400, "InvalidPageSize")
}

func TestCreateTime(t *testing.T) {
	clock := newClock()
	c, _ := open(t, Options{Now: clock.now, CreateTimeZone: time.UTC})
	c.create("a") // at 03:04:05 UTC
	if got := c.list().entries()[0]["CreateTime"]; got != "2026-01-02 03:04:05" {
		t.Errorf("got %v", got)
	}
	for _, test := range []struct{ start, end, want string }{
		{"2026-01-02T03:04Z", "", "1"}, {"2026-01-02T03:05Z", "", "0"},
		{"", "2026-01-02T03:04Z", "0"}, {"", "2026-01-02T03:05Z", "1"},
		{"2026-01-02T03:04Z", "2026-01-02T03:05Z", "1"},
	} {
		if got := c.list("CreateTimeStart", test.start, "CreateTimeEnd", test.end).text("TotalCount"); got != test.want {
			t.Errorf("%v: got %s", test, got)
		}
	}
}

func TestDetailForms(t *testing.T) {
	const sent = `{"b": {"y":1,"x":[{"q":1e400,"p":"<&>"}]}, "a":true}`
	for _, test := range []struct {
		opts Options
		want []string
	}{
		{Options{}, []string{`"DbList":{"a":true,"b":{"x":[{"p":"\u003c\u0026\u003e","q":1e400}],"y":1}}`, `"TargetTableMode":1`, `"PartitionList":{}`}},
		{Options{DetailKeys: KeysAsSent}, []string{`"DbList":{"b":{"y":1,"x":[{"q":1e400,"p":"\u003c\u0026\u003e"}]},"a":true}`}},
		{Options{DetailForm: FormString, DetailKeys: KeysAsSent, DetailMode: ModeString}, []string{`"DbList":"{\"b\": {\"y\":1,\"x\":[{\"q\":1e400,\"p\":\"\u003c\u0026\u003e\"}]}, \"a\":true}"`, `"TargetTableMode":"1"`, `"PartitionList":"{}"`}},
		{Options{DetailForm: FormString}, []string{`"DbList":"{\"a\":true,`}},
	} {
		c, _ := open(t, test.opts)
		got := c.ok("DescribeApsJobDetail", byID(c.create("a", "DbList", sent, "TargetTableMode", "1")))
		for _, want := range test.want {
			if !strings.Contains(string(got.raw), want) {
				t.Errorf("%+v: got %s, want %s in it", test.opts, got.raw, want)
			}
		}
	}
	c, _ := open(t, Options{})
	got := c.ok("DescribeApsJobDetail", byID(c.create("a", "TargetTableMode", "01")))
	if !strings.Contains(string(got.raw), `"TargetTableMode":"01"`) {
		t.Errorf("got %s, want the mode kept as text", got.raw)
	}
}

func TestUnknownDetailEmpty(t *testing.T) {
	c, _ := open(t, Options{UnknownDetail: UnknownDetailEmpty})
	got := c.ok("DescribeApsJobDetail", byID("none"))
	if detail, ok := got.body["APSJobDetail"].(map[string]any); !ok || len(detail) != 0 {
		t.Errorf("got %s, want an empty detail", got.raw)
	}
}

func TestOmittedPartitions(t *testing.T) {
	for mode, want := range map[OmittedPartitions]string{"": `"PartitionList":{}`, OmittedKeep: `"PartitionList":{"p":1}`} {
		c, _ := open(t, Options{OmittedPartitions: mode})
		id := c.create("a", "PartitionList", `{"p":1}`)
		c.ok("ModifyApsJob", with(byID(id), "DbList", "{}"))
		if got := c.ok("DescribeApsJobDetail", byID(id)); !strings.Contains(string(got.raw), want) {
			t.Errorf("%q: got %s, want %s", mode, got.raw, want)
		}
	}
}

func TestNeedsSuspended(t *testing.T) {
	c, _ := open(t, Options{ModifyNeedsSuspended: true, DeleteNeedsSuspended: true})
	id := c.create("a")
	c.refused("ModifyApsJob", with(byID(id), "DbList", "{}"), 400, "IncorrectDBInstanceState")
	c.refused("DeleteApsJob", byID(id), 400, "IncorrectDBInstanceState")
	c.ok("SuspendApsJob", byID(id))
	c.ok("ModifyApsJob", with(byID(id), "DbList", "{}"))
	c.ok("DeleteApsJob", byID(id))
}

func TestBusinessErrorsAsHTTP200(t *testing.T) {
	c, _ := open(t, Options{BusinessErrors: BusinessHTTP200, JobsPerSource: 1})
	c.create("a")
	got := c.refused("CreateAPSJob", createParams("b"), 200, "QuotaExceeded.ApsJobPerSource")
	if got.body["Success"] != false || got.text("ApsJobId") != "" {
		t.Errorf("got %s, want Success false and no id", got.raw)
	}
	// Refusals of the gateway keep their status.
	c.refused("CreateAPSJob", createParams("b", "RegionId", ""), 400, "MissingRegionId")
}

func TestCrossRegion(t *testing.T) {
	c, _ := open(t, Options{CrossRegion: true})
	id := c.create("a", "SourceEndpointRegion", "cn-beijing")
	detail := c.ok("DescribeApsJobDetail", byID(id)).body["APSJobDetail"].(map[string]any)
	if detail["SourceEndpointRegion"] != "cn-beijing" || detail["DestinationEndpointRegion"] != "cn-hangzhou" {
		t.Errorf("got %v", detail)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, opts := range map[string]Options{
		"fuzzy":     {NameFilter: "fuzzy"},
		"quota -1":  {Quota: -1},
		"latency":   {Latency: -1},
		"page cap":  {PageCap: -1},
		"region -1": {JobsPerRegion: -1},
		"418":       {QuotaStatus: 418},
		"nowhere":   {DefaultRegion: "nowhere"},
		"kind":      {Faults: []Fault{{}}},
		"key":       {Keys: []Key{{ID: "a"}}},
		"http500":   {BusinessErrors: "http500"},
		"no key":    {NoDefaultKey: true},
		"list lag":  {ListLag: -time.Second},
		"sometimes": {DuplicateNames: "sometimes"},
	} {
		if _, err := Open(opts); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that says what is wrong", name, err)
		}
	}
}
