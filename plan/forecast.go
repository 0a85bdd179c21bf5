package plan

import (
	"fmt"
	"strings"
	"time"
)

// Operations of the API beside those of Operation.
const (
	operationCreate = "CreateAPSJob" // the capitals are the service's
	operationList   = "DescribeApsJobs"
	operationDetail = "DescribeApsJobDetail"
)

const (
	pageJobs = 30 // jobs on a page of a listing
	// callTime is what one call is taken to last. Nothing is documented.
	callTime = 500 * time.Millisecond
)

// Pace is how fast a run may be, and what it may do.
type Pace struct {
	Parallel int     // calls in flight, at least 1
	Rate     float64 // calls per second, for each operation and region; 0: no ceiling
	// AllowReplace counts replaces, which are otherwise only reported.
	AllowReplace bool
}

// Forecast is what a run over changes comes to when nothing goes wrong: without
// throttling, retries, and waits for jobs to run or to go.
type Forecast struct {
	Calls []Tally // by operation, most first
	Time  time.Duration
	Pace  Pace
}

// lane is one operation in one region: each has a rate of its own.
type lane struct{ operation, region string }

// NewForecast counts the calls that changes need. Listings are counted by the jobs
// that are known, so they may take more.
func NewForecast(changes []Change, pace Pace) Forecast {
	calls := map[lane]int{}
	exist, listed := map[string]int{}, map[string]bool{}
	for i := range changes {
		c := &changes[i]
		region := c.Region()
		add := func(operation string, n int) { calls[lane{operation, region}] += n }
		if c.State() == StateCreated {
			exist[region]++
		}
		switch c.Kind {
		case KindReplace:
			if !pace.AllowReplace {
				continue
			}
			add(string(OperationDelete), 1)
			add(operationCreate, 1)
		case KindCreate:
			add(operationCreate, 1)
		case KindAdopt:
			add(operationDetail, 1)
		case KindUpdate:
			if c.OnlyRecorded() {
				continue
			}
			add(string(OperationModify), 1)
			add(operationDetail, 1)
		case KindDelete:
			add(string(OperationDelete), 1)
		case KindKeep, KindBlocked, KindLeftOver:
			continue
		}
		if c.Kind != KindUpdate && c.Kind != KindStart && c.Kind != KindSuspend {
			listed[region] = true
		}
		// A job that was just created or changed is put to the state that is wanted, too.
		if operation := c.putsBy(); operation != OperationNone {
			add(string(operation), 1)
			add(operationDetail, 2) // how it is before and after
		}
	}
	for region := range listed {
		calls[lane{operationList, region}] = max(1, (exist[region]+pageJobs-1)/pageJobs)
	}
	return Forecast{Calls: byOperation(calls), Time: pace.time(calls), Pace: pace}
}

// putsBy is the operation that puts a job to its wanted state, if one is sent.
func (c *Change) putsBy() Operation {
	if c.Kind == KindAdopt || c.Kind == KindDelete || c.Kind == KindResolve {
		return OperationNone
	}
	return c.Puts().Operation()
}

func byOperation(calls map[lane]int) []Tally {
	counts := map[string]int{}
	for l, n := range calls {
		counts[l.operation] += n
	}
	return mostFirst(counts)
}

// time is what the slowest of the rates takes, or the workers when they are what
// holds a run up, after the listings.
func (p Pace) time(calls map[lane]int) time.Duration {
	var paced, pages, total time.Duration
	for l, n := range calls {
		if p.Rate > 0 {
			paced = max(paced, time.Duration(float64(n)/p.Rate*float64(time.Second)))
		}
		if l.operation == operationList {
			pages = max(pages, time.Duration(n)*callTime)
		} else {
			total += time.Duration(n) * callTime
		}
	}
	return pages + max(paced, total/time.Duration(max(1, p.Parallel)))
}

// String is the forecast in one line: calls, time, and what it assumes. "" when
// nothing is to be sent.
func (f Forecast) String() string {
	if len(f.Calls) == 0 {
		return ""
	}
	parts := make([]string, len(f.Calls))
	for i, call := range f.Calls {
		parts[i] = fmt.Sprintf("%d %s", call.Count, call.Name)
	}
	rate := "no ceiling of calls per second"
	if f.Pace.Rate > 0 {
		rate = "at most " + plainNumber(f.Pace.Rate) + " calls/s for each operation and region"
	}
	return fmt.Sprintf("Forecast: at least %s; about %s with %d in flight and %s, if a call takes %s and none is throttled.",
		strings.Join(parts, ", "), rounded(f.Time), f.Pace.Parallel, rate, callTime)
}

// rounded is a duration as a person says it: 45s, 12m, 1h23m.
func rounded(d time.Duration) string {
	if d < time.Minute {
		return max(time.Second, d.Round(time.Second)).String()
	}
	text := strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	if hours, whole := strings.CutSuffix(text, "h0m"); whole {
		return hours + "h"
	}
	return text
}

// SecondsPerCall is what a forecast takes one call to last.
func (Forecast) SecondsPerCall() float64 { return callTime.Seconds() }
