package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

func TestRunningJobIsSuspendedToBeChangedOnlyWhenThatIsAllowed(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		report := f.mustRun()
		if c := report.Counts(); c.Failed != 1 || service.status != "Running" || !strings.Contains(report.Results[0].Error, "--allow suspend") {
			t.Errorf("without the flag: %+v, %s", report.Results, service.status)
		}
		service.operations()
		f.options.AllowSuspend = true
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if got := service.operations(); got != "Modify Suspend Modify Start" || service.status != "Running" {
			t.Errorf("%s were sent, and it is %s", got, service.status)
		}
		if e := f.entry("job-000"); e.Doing != plan.Running || e.Digest != f.plan.Jobs[0].Digest {
			t.Errorf("the entry is %+v", e)
		}
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1})
	})
}

// TestSuspensionThatIsNotShownAtOnceIsWaitedFor: what was acknowledged takes a while to
// show, and the same run goes on then.
func TestSuspensionThatIsNotShownAtOnceIsWaitedFor(t *testing.T) {
	for _, state := range []plan.DesiredState{"", plan.Suspended} {
		withRestless(t, func(f *fixture, service *restless) {
			f.options.AllowSuspend = true
			f.plan.Jobs[0].State = state
			service.meanwhile = "Running"
			report := f.mustRun()
			f.wantCounts(report, runner.Counts{Updated: 1})
			if rests := service.status == "Suspended"; rests != (state == plan.Suspended) || report.Elapsed > time.Minute {
				t.Errorf("it is %s, after %s", service.status, report.Elapsed)
			}
		})
	}
}

// TestJobThatIsToStandStillIsNotStartedAfterItsChange: the plan wants it suspended,
// and it runs when it is changed.
func TestJobThatIsToStandStillIsNotStartedAfterItsChange(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		f.plan.Jobs[0].State = plan.Suspended
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if got := service.operations(); got != "Modify Suspend Modify" || service.status != "Suspended" {
			t.Errorf("%s were sent, and it is %s", got, service.status)
		}
	})
}

// TestPlanThatSuspendsNeedsNoLeave: what is to be suspended anyway is, to be changed.
func TestPlanThatSuspendsNeedsNoLeave(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.plan.Jobs[0].State = plan.Suspended
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if service.status != "Suspended" {
			t.Errorf("it is %s", service.status)
		}
	})
}

// TestRecordThatItIsToRunAgainIsThereFirst: when the suspension is sent, the ledger
// has it already.
func TestRecordThatItIsToRunAgainIsThereFirst(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		service.refuses = func(operation plan.Operation) error {
			if e := f.entry("job-000"); operation == plan.OperationSuspend && e.Doing != plan.Paused {
				t.Errorf("it is suspended while the ledger has %+v", e)
			}
			return nil
		}
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
	})
}

// TestSuspensionWithoutAnAnswerIsNotOvertaken: it may take effect after the start that
// would follow the change.
func TestSuspensionWithoutAnAnswerIsNotOvertaken(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		sent := 0
		service.refuses = func(operation plan.Operation) error {
			if operation == plan.OperationSuspend {
				if sent++; sent == 1 {
					return &plan.CallError{Operation: string(operation), Failure: plan.FailureTemporary, Why: "no answer"}
				}
			}
			return nil
		}
		if result := f.mustRun().Results[0]; result.SettlesAt.IsZero() || sent != 1 || strings.Contains(service.operations(), "Start") {
			t.Errorf("it ended as %+v after %s", result, service.operations())
		}
		time.Sleep(2 * time.Hour)
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if e := f.entry("job-000"); service.status != "Running" || e.Doing != plan.Running {
			t.Errorf("it is %s, and the entry is %+v", service.status, e)
		}
	})
}
