package runner_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func TestPictureShowsWorkersWaitsAndUnknowns(t *testing.T) {
	inBubble(t, 20, func(f *fixture) {
		f.options.Parallel = 3
		f.cloud.latency = time.Second
		f.cloud.answer = func(r plan.CreateRequest, n int) reply {
			switch {
			case r.Spec.Name == "job-000" && n == 1:
				return throttled(20 * time.Second)
			case r.Spec.Name == "job-001" && n == 1:
				return lost(false)
			}
			return reply{create: true}
		}
		run, changes, err := f.prepare()
		if err != nil {
			f.Fatal(err)
		}
		start := time.Now()
		go func() { _, _ = run.Apply(f.Context(), f.drain, changes) }()
		time.Sleep(2500 * time.Millisecond) // job-000 and job-001 have had their answers
		synctest.Wait()
		p, ok := run.Picture()
		if !ok {
			f.Fatal("there is no picture of a run under way")
		}
		if len(p.Working) != 3 || p.Working[0].Doing != "create" || p.Working[0].Attempt != 1 || p.Working[0].Since.Before(start) {
			f.Errorf("working are %+v", p.Working)
		}
		if diff := cmp.Diff([]runner.Retries{{Cause: "Throttling.User", Jobs: 1}}, p.Retries); diff != "" {
			f.Errorf("causes (-want +got):\n%s", diff)
		}
		if p.Total != 20 || p.Unknown != 1 || p.Waiting != 1 || p.Rate == 0 {
			f.Errorf("progress is %+v", p.Progress)
		}
		if due := p.RetryAt.Sub(start); due < 20*time.Second {
			f.Errorf("the first retry is due at %s", due)
		}
		if len(p.Unknowns) != 1 || p.Unknowns[0].Name != "job-001" || p.LookAt.Before(p.At) {
			f.Fatalf("unknown are %+v, the next look is at %s", p.Unknowns, p.LookAt)
		}
		if at := p.Unknowns[0].SettlesAt.Sub(start); at < runner.SettleDefault || at > runner.SettleDefault+time.Minute {
			f.Errorf("it settles after %s", at)
		}
		close(f.drain)
		time.Sleep(time.Minute)
		if _, ok := run.Picture(); ok {
			f.Error("there is a picture of a run that is over")
		}
	})
}

// TestNothingWaitsInThePictureOnceItWentOn would fail if a cause stayed counted after its
// jobs went on.
func TestNothingWaitsInThePictureOnceItWentOn(t *testing.T) {
	inBubble(t, 5, func(f *fixture) {
		f.cloud.latency = time.Minute
		f.cloud.answer = func(_ plan.CreateRequest, n int) reply {
			if n == 1 {
				return throttled(time.Second)
			}
			return reply{create: true}
		}
		run, changes, err := f.prepare()
		if err != nil {
			f.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = run.Apply(f.Context(), f.drain, changes)
		}()
		time.Sleep(110 * time.Second) // second requests are on the wire
		synctest.Wait()
		p, _ := run.Picture()
		if len(p.Working) != 5 || p.Working[0].Attempt != 2 || len(p.Retries) != 0 || !p.RetryAt.IsZero() {
			f.Errorf("the picture is %+v", p)
		}
		<-done
	})
}
