package runner_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// skewed is a service whose Date headers are off.
type skewed struct {
	*cloud
	by time.Duration
	// from is the listing or create from which on they are off.
	from, answers int
}

func (s *skewed) date(t time.Time) time.Time {
	if s.answers++; s.answers >= s.from {
		return t.Add(s.by)
	}
	return t
}

func (s *skewed) Create(ctx context.Context, r plan.CreateRequest) plan.Outcome {
	o := s.cloud.Create(ctx, r)
	o.ServerTime = s.date(time.Now())
	return o
}

func (s *skewed) List(ctx context.Context, region string, agree bool) (plan.Listing, error) {
	l, err := s.cloud.List(ctx, region, agree)
	l.ServerStart = s.date(l.ServerStart)
	l.ServerEnd = l.ServerStart
	return l, err
}

// A wrong Date header, within a run or at the start of the next, must not make
// a young request look settled.
func TestWrongDateHeaderProvesNoAbsence(t *testing.T) {
	for _, by := range []time.Duration{5 * time.Minute, time.Hour, 48 * time.Hour} {
		for from := range 6 {
			inBubble(t, 3, func(f *fixture) {
				f.cloud.lag = 20 * time.Second
				f.cloud.answer = func(r plan.CreateRequest, n int) reply {
					return map[bool]reply{true: lost(true), false: {create: true}}[r.Spec.Name == "job-000"]
				}
				all := f.plan.Jobs
				f.plan.Jobs = all[1:]
				f.mustRun() // jobs that any later listing shows: canaries
				time.Sleep(time.Minute)
				f.plan.Jobs = all
				f.service = &skewed{cloud: f.cloud, by: by, from: from}
				for range 3 {
					run, changes, err := f.prepare()
					if err == nil {
						_, err = run.Apply(f.Context(), f.drain, changes)
					}
					var skew *runner.SkewError
					if err != nil && !errors.As(err, &skew) {
						f.Fatal(err)
					}
				}
				if e := f.entry("job-000"); f.cloud.creates["job-000"] > 1 || e.State == plan.StateAbsent {
					f.Errorf("off by %s from answer %d: the entry is %s after %d creates", by, from, e.State, f.cloud.creates["job-000"])
				}
			})
		}
	}
}

func TestClockThatIsFarOffCreatesNothing(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.service = &skewed{cloud: f.cloud, by: -15 * time.Minute}
		_, _, err := f.prepare()
		var skew *runner.SkewError
		if !errors.As(err, &skew) || f.cloud.sent() != 0 {
			f.Errorf("prepare returned %v after %d creates", err, f.cloud.sent())
		}
	})
}
