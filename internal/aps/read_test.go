package aps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// limiter records what it is told.
type limiter struct {
	mu  sync.Mutex
	log []string
	err error
}

func (l *limiter) Wait(_ context.Context, operation, region string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, fmt.Sprintf("wait %s %s", operation, region))
	return l.err
}

func (l *limiter) Observe(operation, region string, throttled bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, fmt.Sprintf("%s %s %v %v", operation, region, throttled, retryAfter))
}

func TestLimiter(t *testing.T) {
	var n atomic.Int32
	var l limiter
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("X-Acs-Action") != opList:
			answer(429, "")(w, r)
		case n.Add(1) == 1:
			answer(400, errorBody("Throttling"), "x-acs-retry-after", "70")(w, r)
		default:
			answer(200, pageBody(nil, "30", "0"))(w, r)
		}
	}, func(o *Options) { o.Limiter = &l })
	if _, err := c.List(t.Context(), region, false); err != nil {
		t.Fatal(err)
	}
	c.Create(t.Context(), request())
	_ = c.Change(t.Context(), changeOf(plan.OperationStart, "aps-1", ""))
	want := []string{
		"wait DescribeApsJobs cn-hangzhou", "DescribeApsJobs cn-hangzhou true 70ms",
		"wait DescribeApsJobs cn-hangzhou", "DescribeApsJobs cn-hangzhou false 0s",
		"CreateAPSJob cn-hangzhou true 0s", "StartApsJob cn-hangzhou true 0s",
	}
	if !slices.Equal(l.log, want) {
		t.Errorf("got  %v\nwant %v", l.log, want)
	}
	l.err = errors.New("closed")
	if _, err := c.List(t.Context(), region, false); !errors.Is(err, l.err) {
		t.Errorf("got %v", err)
	}
}

func TestLimiterIsNotToldOfSilence(t *testing.T) {
	var l limiter
	c := newTestClient(t, "http://127.0.0.1:1", func(o *Options) { o.Limiter = &l })
	c.Create(t.Context(), request())
	if len(l.log) != 0 {
		t.Errorf("got %v", l.log)
	}
}

func TestPauseGrowsAndHeedsHints(t *testing.T) {
	for attempt := 1; attempt <= 20; attempt++ {
		limit := min(backoffBase<<min(attempt-1, 10), backoffMax)
		for range 50 {
			if got := pause(min(attempt, throttledMax), 0); got < min(limit, backoffBase<<(throttledMax-1))/2 || got > limit {
				t.Fatalf("attempt %d: got %v, want %v to %v", attempt, got, limit/2, limit)
			}
		}
	}
	if got := pause(1, 20*time.Second); got < 20*time.Second {
		t.Errorf("hint of 20s: got %v", got)
	}
	if got := pause(1, time.Hour); got > hintMax+backoffBase {
		t.Errorf("hint of an hour: got %v", got)
	}
}

func TestSleep(t *testing.T) {
	if err := sleep(t.Context(), time.Millisecond); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sleep(ctx, time.Hour); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestDetail(t *testing.T) {
	want := plan.RemoteDetail{
		ID: "aps-1", SourceRegion: region, SourceInstance: "pc-1", DestinationRegion: region,
		DestinationInstance: "amv-1", DBList: `{"b":1.00,"a":[12345678901234567890]}`,
		PartitionList: "{}", TargetTableMode: "0", Status: "Running",
	}
	body := `{"RequestId":"R1","APSJobDetail":{"SourceEndpointRegion":"cn-hangzhou","SourceEndpointInstanceID":"pc-1",` +
		`"DestinationEndpointRegion":"cn-hangzhou","DestinationEndpointInstanceID":"amv-1","Status":"Running",%s}}`
	for _, fields := range []string{
		`"DbList":{"b": 1.00, "a":[12345678901234567890]},"PartitionList":{ },"TargetTableMode":0`,
		`"DbList":"{\"b\":1.00,\"a\":[12345678901234567890]}","PartitionList":"{}","TargetTableMode":"0"`,
	} {
		c := serve(t, func(w http.ResponseWriter, r *http.Request) {
			if got := form(t, r).Encode(); got != "ApsJobId=aps-1&RegionId=cn-hangzhou" {
				t.Errorf("parameters: %s", got)
			}
			answer(200, fmt.Sprintf(body, fields))(w, r)
		})
		got, err := c.Detail(t.Context(), region, "aps-1")
		if err != nil || got != want {
			t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
		}
	}
}

func TestDetailWithoutAJob(t *testing.T) {
	for _, body := range []string{
		`{"RequestId":"R1"}`, `{"RequestId":"R1","APSJobDetail":{}}`, `{"RequestId":"R1","APSJobDetail":null}`,
		`{"RequestId":"R1","APSJobDetail":"x"}`, `{"RequestId":"R1","APSJobDetail":{"Status":{}}}`,
	} {
		got, err := serve(t, answer(200, body)).Detail(t.Context(), region, "aps-1")
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Failure != plan.FailureOther || got != (plan.RemoteDetail{}) {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
}

const (
	opModify  = string(plan.OperationModify)
	opStart   = string(plan.OperationStart)
	opSuspend = string(plan.OperationSuspend)
	opDelete  = string(plan.OperationDelete)
)

// changes makes one of each change of a job.
func changes(t *testing.T, c *Client, id, dbList string) map[string]error {
	errs := map[string]error{}
	for _, operation := range []plan.Operation{plan.OperationModify, plan.OperationStart, plan.OperationSuspend, plan.OperationDelete} {
		errs[string(operation)] = c.Change(t.Context(), changeOf(operation, id, dbList))
	}
	return errs
}

func changeOf(operation plan.Operation, id, dbList string) plan.ChangeRequest {
	return plan.ChangeRequest{Operation: operation, Region: region, JobID: id, SignedAt: time.Now(), DBList: dbList}
}

func TestLifecycle(t *testing.T) {
	samples := map[string]string{ // the documented ones, with their odd types
		opModify:  `{"ApsJobId":"a","RequestId":"R1","HttpStatusCode":200,"Success":true,"Code":"InvalidInput\n","Message":"SUCCESS","ErrCode":"Success","ErrMessage":"OK"}`,
		opStart:   `{"ApsJobId":"a","RequestId":"R1","HttpStatusCode":200,"Success":true,"Code":200,"Message":"OK","ErrCode":0}`,
		opSuspend: `{"ApsJobId":"a","RequestId":"R1","HttpStatusCode":200,"Success":true,"ErrCode":"Success","ErrMessage":"OK"}`,
		opDelete:  `{"ApsJobId":"a","RequestId":"R1","HttpStatusCode":200,"Success":true,"Code":200,"ErrCode":"Success"}`,
	}
	params := map[string]string{
		opModify: "ApsJobId=aps-1&DbList=%7B%22a%22%3A1%7D&PartitionList=%7B%7D&RegionId=cn-hangzhou",
	}
	calls := func(c *Client, id string) map[string]error {
		return changes(t, c, id, `{"a":1}`)
	}
	var n atomic.Int32
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		action := r.Header.Get("X-Acs-Action")
		if got := form(t, r).Encode(); got != or(params[action], "ApsJobId=aps-1&RegionId=cn-hangzhou") {
			t.Errorf("%s: parameters %s", action, got)
		}
		answer(200, samples[action])(w, r)
	})
	for operation, err := range calls(c, "aps-1") {
		if err != nil {
			t.Errorf("%s: %v", operation, err)
		}
	}
	for operation, err := range calls(c, "") {
		if err == nil {
			t.Errorf("%s: no error for an empty id", operation)
		}
	}
	if n.Load() != 4 {
		t.Errorf("%d calls, want 4", n.Load())
	}
	c = serve(t, func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		answer(400, errorBody("IncorrectDBInstanceState"))(w, r)
	})
	for operation, err := range calls(c, "aps-1") {
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Code != "IncorrectDBInstanceState" || failed.Failure != plan.FailureOther || failed.Operation != operation {
			t.Errorf("%s: got %v", operation, err)
		}
	}
	if n.Load() != 8 {
		t.Errorf("%d calls, want 8: a change is tried once", n.Load())
	}
}

// A 200 without Success is what its code says; with Success, the code may be
// anything, as the documented samples have it.
func TestCodeDecidesWhereSuccessIsMissing(t *testing.T) {
	for body, want := range map[string]plan.Failure{
		`{"RequestId":"R1"}`:                                         plan.FailureNone,
		`{"RequestId":"R1","Code":200,"ErrCode":0}`:                  plan.FailureNone,
		`{"RequestId":"R1","Success":true,"Code":"InvalidInput"}`:    plan.FailureNone,
		`{"RequestId":"R1","Code":"InvalidInput"}`:                   plan.FailureOther,
		`{"RequestId":"R1","ErrCode":"IncorrectDBInstanceState"}`:    plan.FailureOther,
		`{"RequestId":"R1","Code":"Forbidden.RAM"}`:                  plan.FailurePermission,
		`{"RequestId":"R1","Code":"Throttling.User"}`:                plan.FailureThrottled,
		`{"RequestId":"R1","Success":false,"Code":"InternalError"}`:  plan.FailureTemporary,
		`{"RequestId":"R1","Success":"maybe","Code":"InvalidInput"}`: plan.FailureOther,
	} {
		c := serve(t, answer(200, body))
		for name, err := range changes(t, c, "aps-1", "{}") {
			got := plan.FailureNone
			if failed := (*plan.CallError)(nil); errors.As(err, &failed) {
				got = failed.Failure
			}
			if got != want {
				t.Errorf("%s of %s: got %v (%v), want %v", name, body, got, err, want)
			}
		}
	}
}

func TestHintsAreCappedAndNotLost(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"": 0, "x": 0, "-5": 0, "1500": 1500 * time.Millisecond, " 20 ": 20 * time.Millisecond,
		"2147483648": time.Hour, "9223372036854775807": time.Hour, "99999999999999999999": time.Hour, "-99999999999999999999": 0,
	} {
		if got := retryAfter(http.Header{"X-Acs-Retry-After": {text}}); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func TestCallerIdentity(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Acs-Action") != "GetCallerIdentity" || r.Header.Get("X-Acs-Version") != "2015-04-01" {
			t.Errorf("got %v", r.Header)
		}
		answer(200, `{"IdentityType":"RAMUser","AccountId":"1234567890","RequestId":"R1","PrincipalId":"28","UserId":"28","Arn":"acs:ram::1234567890:user/x"}`)(w, r)
	})
	got, err := c.CallerIdentity(t.Context())
	if want := (Identity{"1234567890", "acs:ram::1234567890:user/x", "28", "RAMUser"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	_, err = serve(t, answer(200, `{"RequestId":"R1"}`)).CallerIdentity(t.Context())
	if err == nil {
		t.Error("no error without an account")
	}
}
