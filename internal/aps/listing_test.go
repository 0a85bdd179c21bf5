package aps

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// lister serves list by pages, capped at max a page, as scripted by edit: it is
// called with the number of the request and may change what is listed.
func lister(t *testing.T, max int, list []map[string]any, edit func(n int, list []map[string]any) []map[string]any) (http.HandlerFunc, *atomic.Int32) {
	var calls atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		p := form(t, r)
		if edit != nil {
			list = edit(int(calls.Load())+1, list)
		}
		calls.Add(1)
		number, _ := strconv.Atoi(p.Get("PageNumber"))
		size, _ := strconv.Atoi(p.Get("PageSize"))
		size = min(size, max)
		if p.Get("RegionId") != region || number < 1 || size < 1 {
			t.Errorf("parameters: %v", p)
		}
		from := min((number-1)*size, len(list))
		to := min(from+size, len(list))
		answer(200, pageBody(list[from:to], strconv.Itoa(size), strconv.Itoa(len(list))))(w, r)
	}, &calls
}

func idsOf(list []plan.RemoteJob) []string {
	ids := []string{}
	for _, j := range list {
		ids = append(ids, j.ID)
	}
	return ids
}

func TestListSizes(t *testing.T) {
	for _, max := range []int{30, 10, 1, 7} { // lowered silently
		for _, n := range []int{0, 1, 29, 30, 31, 65} {
			handler, calls := lister(t, max, jobs(0, n), nil)
			c := serve(t, handler)
			got, err := c.List(t.Context(), region, false)
			if err != nil {
				t.Fatalf("%d jobs, %d a page: %v", n, max, err)
			}
			want := []string{}
			for i := range n {
				want = append(want, fmt.Sprintf("aps-%04d", i))
			}
			if ids := idsOf(got.Jobs); !slices.Equal(ids, want) {
				t.Errorf("%d jobs, %d a page: got %v", n, max, ids)
			}
			// Behind a full last page, one more is asked for.
			if pages := int32(n/max + 1); calls.Load() != pages {
				t.Errorf("%d jobs, %d a page: %d calls", n, max, calls.Load())
			}
			if got.Region != region || got.Agreed || got.ServerStart.IsZero() || got.ServerEnd.Before(got.ServerStart) {
				t.Errorf("got %q, agreed %v, from %v to %v", got.Region, got.Agreed, got.ServerStart, got.ServerEnd)
			}
		}
	}
}

// TestListTellsHowFarItIs: before each page is asked for, and that it is over.
func TestListTellsHowFarItIs(t *testing.T) {
	handler, _ := lister(t, 10, jobs(0, 20), nil)
	c := serve(t, handler)
	var told []Scan
	c.opts.Scanned = func(s Scan) { told = append(told, s) }
	if _, err := c.List(t.Context(), region, false); err != nil {
		t.Fatal(err)
	}
	want := []Scan{{region, 1, 0, 0}, {region, 2, 10, 20}, {region, 3, 20, 20}, {region, 0, 20, 20}}
	if !slices.Equal(told, want) {
		t.Errorf("got %v, want %v", told, want)
	}
	told = nil
	if _, err := c.Find(t.Context(), region, "a"); err != nil || len(told) > 0 {
		t.Errorf("a search for one name: %v, %v", told, err)
	}
}

func TestListFields(t *testing.T) {
	c := serve(t, answer(200, pageBody(jobs(3, 4), "30", "1")))
	got, err := c.List(t.Context(), region, false)
	if err != nil {
		t.Fatal(err)
	}
	want := plan.RemoteJob{
		ID: "aps-0003", Name: "job-3", SourceInstance: "pc-1", DestinationInstance: "amv-1",
		Status: "Running", SubStatus: "-", CreateTime: "2022-06-28 15:00:04",
		Delay: 7, Progress: "30", ErrorMessage: "OK",
	}
	if got.Jobs[0] != want {
		t.Errorf("got  %+v\nwant %+v", got.Jobs[0], want)
	}
}

// A total that is too small just where a page ends would hide what follows.
func TestTotalTooSmallAtTheEndOfAPage(t *testing.T) {
	all := jobs(0, 12)
	handler := func(w http.ResponseWriter, r *http.Request) {
		number, _ := strconv.Atoi(form(t, r).Get("PageNumber"))
		page := all[min(10*(number-1), len(all)):min(10*number, len(all))]
		answer(200, pageBody(page, "10", "10"))(w, r)
	}
	_, err := serve(t, handler).List(t.Context(), region, false)
	if incomplete := (*IncompleteError)(nil); !errors.As(err, &incomplete) || !strings.Contains(err.Error(), "page 2 shows further jobs") {
		t.Errorf("got %v", err)
	}
}

// A service may refuse a page behind its last, or say any total there.
func TestPageBehindTheEndIsRefused(t *testing.T) {
	for _, beyond := range []http.HandlerFunc{
		answer(400, `{"Code": "InvalidPageNumber", "Message": "no such page", "RequestId": "R"}`),
		answer(200, pageBody(nil, "10", "0")),
	} {
		handler := func(w http.ResponseWriter, r *http.Request) {
			if form(t, r).Get("PageNumber") != "1" {
				beyond(w, r)
				return
			}
			answer(200, pageBody(jobs(0, 10), "10", "10"))(w, r)
		}
		got, err := serve(t, handler).List(t.Context(), region, false)
		if err != nil || len(got.Jobs) != 10 {
			t.Errorf("got %d jobs, %v", len(got.Jobs), err)
		}
	}
}

func TestListAgrees(t *testing.T) {
	handler, calls := lister(t, 30, jobs(0, 45), nil)
	got, err := serve(t, handler).List(t.Context(), region, true)
	if err != nil || !got.Agreed || len(got.Jobs) != 45 || calls.Load() != 4 {
		t.Errorf("got %d jobs, agreed %v, %d calls, %v", len(got.Jobs), got.Agreed, calls.Load(), err)
	}
}

func TestAgreementIgnoresStatus(t *testing.T) {
	handler, _ := lister(t, 30, jobs(0, 3), func(n int, list []map[string]any) []map[string]any {
		list[0]["Status"], list[0]["Delay"] = fmt.Sprint("S", n), n
		return list
	})
	if _, err := serve(t, handler).List(t.Context(), region, true); err != nil {
		t.Error(err)
	}
}

func TestAgreementNeedsTwoInARow(t *testing.T) {
	handler, calls := lister(t, 30, jobs(0, 3), func(n int, list []map[string]any) []map[string]any {
		if n <= 3 { // one more each time
			list = append(list, job(10+n))
		}
		return list
	})
	got, err := serve(t, handler).List(t.Context(), region, true)
	if err != nil || len(got.Jobs) != 6 || calls.Load() != 4 {
		t.Errorf("got %d jobs after %d calls, %v", len(got.Jobs), calls.Load(), err)
	}
	handler, _ = lister(t, 30, jobs(0, 3), func(n int, list []map[string]any) []map[string]any {
		list[0]["ApsJobName"] = fmt.Sprint("renamed-", n)
		return list
	})
	_, err = serve(t, handler).List(t.Context(), region, true)
	wantIncomplete(t, err, "no two scans in a row were the same")
}

func TestAgreementDatesFromTheFirstScan(t *testing.T) {
	var n atomic.Int64
	start := time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		date := start.Add(time.Duration(n.Add(1)) * time.Second).Format(http.TimeFormat)
		answer(200, pageBody(jobs(0, 1), "30", "1"), "Date", date)(w, r)
	})
	got, err := c.List(t.Context(), region, true)
	if err != nil || !got.ServerStart.Equal(start.Add(time.Second)) || !got.ServerEnd.Equal(start.Add(2*time.Second)) {
		t.Errorf("got %v to %v, %v", got.ServerStart, got.ServerEnd, err)
	}
}

func wantIncomplete(t *testing.T, err error, why string) {
	t.Helper()
	var incomplete *IncompleteError
	if !errors.As(err, &incomplete) {
		t.Fatalf("got %v, want an incomplete listing", err)
	}
	has(t, incomplete.Error(), why)
}

func TestListUnderInserts(t *testing.T) {
	// A job is put in front between the pages of the first two scans, so that
	// the last job of a page comes again on the next one.
	handler, calls := lister(t, 10, jobs(0, 25), func(n int, list []map[string]any) []map[string]any {
		if n == 2 || n == 4 {
			list = append([]map[string]any{job(100 + n)}, list...)
		}
		return list
	})
	got, err := serve(t, handler).List(t.Context(), region, false)
	if err != nil || len(got.Jobs) != 27 {
		t.Errorf("got %d jobs after %d calls, %v", len(got.Jobs), calls.Load(), err)
	}
}

func TestListSwap(t *testing.T) {
	// One job goes and one comes, so that the total stays and the pages shift.
	handler, _ := lister(t, 10, jobs(0, 25), func(n int, list []map[string]any) []map[string]any {
		if n == 2 {
			list = append([]map[string]any{job(200)}, list[:24]...)
		}
		return list
	})
	got, err := serve(t, handler).List(t.Context(), region, true)
	if err != nil || !slices.Contains(idsOf(got.Jobs), "aps-0200") || len(got.Jobs) != 25 {
		t.Errorf("got %v, %v", idsOf(got.Jobs), err)
	}
}

func TestListThatNeverAddsUp(t *testing.T) {
	bare := func(body string) http.HandlerFunc { return answer(200, body) }
	counting := func(page func(n int32) string) http.HandlerFunc {
		var n atomic.Int32
		return func(w http.ResponseWriter, r *http.Request) { answer(200, page(n.Add(1)))(w, r) }
	}
	tests := map[string]struct {
		handler http.HandlerFunc
		why     string
	}{
		"total too small":        {bare(pageBody(jobs(0, 3), "30", "2")), "more than the total of 2"},
		"total too large":        {bare(pageBody(jobs(0, 3), "30", "4")), "3 of 4 jobs came, and page 2 had no further one"},
		"total without jobs":     {bare(pageBody(nil, "30", "4")), "0 of 4 jobs"},
		"duplicates in one page": {bare(pageBody([]any{job(1), job(1)}, "30", "2")), "1 of 2 jobs"},
		"one id, two names":      {bare(pageBody([]any{job(1), map[string]any{"ApsJobId": "aps-0001", "ApsJobName": "x"}}, "30", "2")), "differ"},
		"total is a word":        {bare(pageBody(jobs(0, 1), "30", "abc")), "does not say how many"},
		"total is negative":      {bare(pageBody(jobs(0, 1), "30", "-1")), "does not say how many"},
		"total is huge":          {bare(pageBody(jobs(0, 1), "30", "99999999999999999999")), "does not say how many"},
		"total is missing":       {bare(`{"RequestId":"R1","APSJobs":[]}`), "does not say how many"},
		"total is an object":     {bare(`{"RequestId":"R1","TotalCount":{},"APSJobs":[]}`), "does not say how many"},
		"jobs are an object":     {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":{"a":1}}`), "no list of jobs"},
		"an entry is a text":     {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":["a"]}`), "entry 1 of page 1 is no job"},
		"an entry without an id": {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":[{"ApsJobName":"a"}]}`), `entry 1 of page 1 (the job "a") has no id that can be used: there is none`},
		"an id that is a number": {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":[{"ApsJobId":1}]}`), "entry 1 of page 1 (a job without a name) has no id that can be used: 1"},
		"a name that is a list":  {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":[{"ApsJobId":"a","ApsJobName":[]}]}`), "(a job without a name) has something else than a text as ApsJobName"},
		"five are no texts":      {bare(`{"RequestId":"R1","TotalCount":1,"APSJobs":[{"ApsJobId":"a","ErrMessage":[],"Status":[],"SubStatus":{},"CreateTime":[],"Projress":[]}]}`), "has something else than a text as Status"},
		"an odd id on page 2": {counting(func(n int32) string {
			page := jobs(0, 2)
			if n%2 == 0 {
				page = jobs(2, 4)
				page[1]["ApsJobId"], page[1]["ApsJobName"] = "aps\u202e 1", "订单\x1b[31m\u2066"
			}
			return pageBody(page, "2", "4")
		}), `entry 2 of page 2 (the job "订单\x1b[31m\u2066") has no id that can be used: "aps\u202e 1"`},
		"a long id is cut":        {bare(pageBody([]any{map[string]any{"ApsJobId": strings.Repeat("x", 9000)}}, "30", "1")), strings.Repeat("x", 97) + `..."`},
		"the total changes":       {counting(func(n int32) string { return pageBody(jobs(0, 1), "1", fmt.Sprint(2+n)) }), "the total changed"},
		"the page size changes":   {counting(func(n int32) string { return pageBody(jobs(int(n), int(n)+1), fmt.Sprint(1+n%2), "9") }), "the page size changed"},
		"too many jobs":           {bare(pageBody(jobs(0, 30), "30", "61")), "the total is 61, and a listing takes in 60 jobs at most"},
		"the first page for ever": {bare(pageBody(jobs(0, 30), "30", "60")), "page 2 had no further one"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			c := serve(t, test.handler)
			c.jobsMax = 60
			_, err := c.List(t.Context(), region, false)
			wantIncomplete(t, err, test.why)
			if jobs, err := c.Find(t.Context(), region, "job-0"); err == nil {
				t.Errorf("find: got %v", jobs)
			}
		})
	}
}

// TestListIsBoundedByJobs: the bound was one of pages, so that in pages of one a
// listing could take in a thirtieth of the jobs that it can in pages of 30.
func TestListIsBoundedByJobs(t *testing.T) {
	for _, size := range []int{30, 1} { // lowered silently
		for n, calls := range map[int]int32{60: 60/int32(size) + 1, 61: 1} {
			handler, got := lister(t, size, jobs(0, n), nil)
			c := serve(t, handler)
			c.jobsMax = 60
			listing, err := c.List(t.Context(), region, false)
			if n > c.jobsMax {
				wantIncomplete(t, err, "the total is 61")
			} else if err != nil || len(listing.Jobs) != n {
				t.Errorf("%d jobs in pages of %d: got %d, %v", n, size, len(listing.Jobs), err)
			}
			if got.Load() != calls {
				t.Errorf("%d jobs in pages of %d: %d calls, want %d", n, size, got.Load(), calls)
			}
		}
	}
}

func TestListOfAnotherShape(t *testing.T) {
	for _, body := range []string{
		`{"RequestId":"R1","TotalCount":0}`,
		`{"requestId":"R1","totalCount":"0","apsJobs":null}`,
		`{"RequestId":"R1","TotalCount":" 0 ","PageSize":"many","APSJobs":[]}`,
	} {
		got, err := serve(t, answer(200, body)).List(t.Context(), region, true)
		if err != nil || len(got.Jobs) != 0 {
			t.Errorf("%s: got %v, %v", body, got.Jobs, err)
		}
	}
}

func TestListRetriesPages(t *testing.T) {
	handler, _ := lister(t, 10, jobs(0, 25), nil)
	faults := []http.HandlerFunc{
		answer(503, errorBody("ServiceUnavailable")), answer(429, errorBody("Throttling"), "x-acs-retry-after", "9000"),
		answer(200, "<html>"), answer(500, ""),
	}
	var n atomic.Int32
	var slept naps
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if i := int(n.Add(1)) - 1; i%2 == 0 && i/2 < len(faults) {
			faults[i/2](w, r)
			return
		}
		handler(w, r)
	}, func(o *Options) { o.Sleep = slept.sleep })
	got, err := c.List(t.Context(), region, false)
	if err != nil || len(got.Jobs) != 25 {
		t.Errorf("got %d jobs, %v", len(got.Jobs), err)
	}
	if len(slept.taken) != 3 || slept.taken[1] < 9*time.Second {
		t.Errorf("slept %v", slept.taken)
	}
}

func TestListFails(t *testing.T) {
	for _, test := range []struct {
		handler http.HandlerFunc
		want    plan.Failure
		calls   int32
	}{
		{answer(403, errorBody("Forbidden.RAM")), plan.FailurePermission, 1},
		{answer(400, errorBody("SignatureDoesNotMatch")), plan.FailureCredentials, 1},
		{answer(404, errorBody("InvalidAction.NotFound")), plan.FailureConfig, 1},
		{answer(400, errorBody("InvalidPageSize")), plan.FailureOther, int32(len(pageSizes))},
		{answer(404, "not here"), plan.FailureOther, 1},
		{answer(200, `{"RequestId":"R1","Success":false,"Code":"InvalidRegionId"}`), plan.FailureOther, 1},
		{answer(200, `{"RequestId":"R1","Success":false,"Code":"Throttling"}`), plan.FailureThrottled, throttledMax},
		{answer(429, ""), plan.FailureThrottled, throttledMax},
		{answer(500, errorBody("InternalError")), plan.FailureTemporary, attemptsMax},
		{answer(400, errorBody("SignatureNonceUsed")), plan.FailureTemporary, attemptsMax},
		{answer(200, "{}"), plan.FailureTemporary, attemptsMax},
		{answer(200, "<html>"), plan.FailureTemporary, attemptsMax},
	} {
		var n atomic.Int32
		c := serve(t, func(w http.ResponseWriter, r *http.Request) { n.Add(1); test.handler(w, r) })
		_, err := c.List(t.Context(), region, false)
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Failure != test.want || n.Load() != test.calls {
			t.Errorf("got %v after %d calls, want %v after %d", err, n.Load(), test.want, test.calls)
		} else if failed.Operation != opList || failed.Region != region || failed.Why == "" {
			t.Errorf("got %+v", failed)
		}
	}
}

func TestListEndsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { cancel(); answer(500, "")(w, r) })
	_, err := c.List(ctx, region, false)
	if !errors.Is(err, context.Canceled) || !errors.As(err, new(*plan.CallError)) {
		t.Errorf("got %v", err)
	}
}

func TestFind(t *testing.T) {
	// The filter is fuzzy, or is not looked at.
	var asked string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = form(t, r).Get("ApsJobName")
		list := []any{
			map[string]any{"ApsJobId": "aps-3", "ApsJobName": "orders"},
			map[string]any{"ApsJobId": "aps-2", "ApsJobName": "Orders"},
			map[string]any{"ApsJobId": "aps-1", "ApsJobName": "orders"},
			map[string]any{"ApsJobId": "aps-4", "ApsJobName": "orders-eu"},
		}
		answer(200, pageBody(list, "30", "4"))(w, r)
	})
	got, err := c.Find(t.Context(), region, "orders")
	if err != nil || !slices.Equal(idsOf(got), []string{"aps-1", "aps-3"}) || asked != "orders" {
		t.Errorf("got %v, %v, asked for %q", idsOf(got), err, asked)
	}
}

func TestBadRegionIsNotAsked(t *testing.T) {
	c := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("a request was sent") })
	for _, region := range []string{"", "x.evil.example#", "cn-hangzhou/", "-a", "CN", strings.Repeat("a", 99)} {
		_, err := c.List(t.Context(), region, false)
		var failed *plan.CallError
		if !errors.As(err, &failed) || failed.Failure != plan.FailureConfig {
			t.Errorf("%q: got %v", region, err)
		}
	}
}
