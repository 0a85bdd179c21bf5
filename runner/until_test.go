package runner_test

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func TestTimeThatIsOverLeavesTheRestToTheNextRun(t *testing.T) {
	inBubble(t, 100, func(f *fixture) {
		f.options.Parallel, f.rate = 2, 1
		f.options.Until = time.Now().Add(30 * time.Second)
		slow := 20 * time.Second
		f.cloud.answer = func(plan.CreateRequest, int) reply {
			time.Sleep(slow)
			return reply{create: true}
		}
		start := time.Now()
		report := f.mustRun()
		counts := report.Counts()
		if report.Stop != runner.StopTime || report.StopDetail == "" {
			f.Errorf("stopped by %q (%s)", report.Stop, report.StopDetail)
		}
		// The requests on the wire at that moment are awaited and recorded.
		if counts.Created != 4 || counts.NotTried != 96 || f.cloud.sent() != 4 {
			f.Errorf("counts are %+v, %d sent", counts, f.cloud.sent())
		}
		if took := time.Since(start); took < 30*time.Second || took > 50*time.Second {
			f.Errorf("it took %s", took)
		}
		f.options.Until, slow = time.Time{}, 0
		f.wantCounts(f.mustRun(), runner.Counts{Created: 96, Kept: 4})
	})
}

func TestTimeThatIsOverEndsWaits(t *testing.T) {
	for name, wait := range map[string]func(f *fixture){
		"for a retry": func(f *fixture) {
			f.cloud.answer = func(plan.CreateRequest, int) reply { return throttled(5 * time.Minute) }
		},
		"for a lost answer": func(f *fixture) {
			f.options.MaxElapsed = time.Hour
			f.cloud.answer = func(plan.CreateRequest, int) reply { return lost(false) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, 1, func(f *fixture) {
				wait(f)
				f.options.Until = time.Now().Add(time.Minute)
				start := time.Now()
				report := f.mustRun()
				if report.Stop != runner.StopTime || time.Since(start) != time.Minute {
					f.Errorf("stopped by %q after %s", report.Stop, time.Since(start))
				}
				if state := f.entry("job-000").State; name == "for a lost answer" && state != plan.StateUnknown {
					f.Errorf("the ledger says %q of a create without an answer", state)
				}
			})
		})
	}
}

func TestRunThatIsDoneInTimeIsNotStopped(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.options.Until = time.Now().Add(time.Hour)
		if report := f.mustRun(); report.Stop != runner.StopNone {
			f.Errorf("stopped by %q", report.Stop)
		}
	})
}
