package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// TestJobWhoseChangeIsRefusedAtRestRunsAgain: it was suspended for nothing.
func TestJobWhoseChangeIsRefusedAtRestRunsAgain(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		service.refuses = func(operation plan.Operation) error {
			if operation == plan.OperationModify {
				return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureOther, Undone: true, Why: "refused", Code: "InvalidDbList"}
			}
			return nil
		}
		report := f.mustRun()
		if got := service.operations(); got != "Modify Suspend Modify Start" || service.status != "Running" || !strings.Contains(report.Results[0].Error, "InvalidDbList") {
			t.Errorf("%s were sent, it is %s, and it ended as %+v", got, service.status, report.Results)
		}
		if e := f.entry("job-000"); e.Doing != plan.Running {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// TestSuspendedJobIsStartedByWhoeverComesNext: the run ends between suspending and
// changing, and the next one has no flag, or a plan without the change, or without
// the job.
func TestSuspendedJobIsStartedByWhoeverComesNext(t *testing.T) {
	for name, next := range map[string]func(f *fixture){
		"no flag":     func(f *fixture) { f.options.AllowSuspend = false },
		"no change":   func(f *fixture) { f.editObjects(0, `{"EntireInstance":true}`) },
		"left":        func(f *fixture) { f.plan = &plan.Plan{Name: f.plan.Name} },
		"started":     func(f *fixture) { f.service.(*restless).status = "Running" },
		"at once":     func(*fixture) {},
		"much later":  func(*fixture) { time.Sleep(2 * time.Hour) },
		"no answer":   func(f *fixture) { time.Sleep(2 * time.Hour) },
		"wants it so": func(f *fixture) { f.plan.Jobs[0].State = plan.Running },
	} {
		t.Run(name, func(t *testing.T) {
			withRestless(t, func(f *fixture, service *restless) {
				f.options.AllowSuspend = true
				f.options.MaxAttempts = 1
				service.refuses = func(operation plan.Operation) error {
					if operation == plan.OperationModify || name == "no answer" {
						return &plan.CallError{Operation: string(operation), Failure: plan.FailureTemporary, Why: "no answer"}
					}
					return nil
				}
				report := f.mustRun()
				if name != "no answer" && (service.status != "Suspended" || !strings.Contains(report.Results[0].Error, "suspended the job")) {
					t.Fatalf("it is %s, and ended as %+v", service.status, report.Results)
				}
				service.refuses = nil
				f.options.MaxAttempts = 0
				next(f)
				for range 3 {
					f.mustRun()
					time.Sleep(time.Hour)
				}
				if e := f.entry("job-000"); service.status != "Running" || e.Doing != plan.Running {
					t.Errorf("it is %s, and the entry is %+v", service.status, e)
				}
			})
		})
	}
}

// TestSuspendedJobWhoseChangeDoesNotShowRunsAgain: the service acknowledges the
// change, and its details never agree.
func TestSuspendedJobWhoseChangeDoesNotShowRunsAgain(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		id := f.entry("job-000").JobID
		f.cloud.details = map[string]plan.RemoteDetail{id: {ID: id, SourceInstance: "pc-1", DestinationInstance: "amv-1", DBList: `{"EntireInstance":true}`}}
		f.mustRun()
		if e := f.entry("job-000"); service.status != "Running" || e.Doing != plan.Running || e.Digest == f.plan.Jobs[0].Digest {
			t.Errorf("it is %s, and the entry is %+v", service.status, e)
		}
	})
}

// TestChangeIsComparedAlsoWhereTheStartAfterItGotNoAnswer: that the objects may be
// others is not forgotten for it, also where the plan wants them as they were by then.
func TestChangeIsComparedAlsoWhereTheStartAfterItGotNoAnswer(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend = true
		id, before := f.entry("job-000").JobID, f.entry("job-000").Spec.DBList
		f.cloud.details = map[string]plan.RemoteDetail{id: {ID: id, SourceInstance: "pc-1", DestinationInstance: "amv-1", DBList: before}}
		service.refuses = func(operation plan.Operation) error {
			if operation == plan.OperationStart {
				return &plan.CallError{Operation: string(operation), Failure: plan.FailureTemporary, Why: "no answer"}
			}
			return nil
		}
		f.mustRun()
		if e := f.entry("job-000"); e.Pending.Operation != plan.OperationStart || f.cloud.specOf(id).DBList == before {
			t.Fatalf("the entry is %+v, and the job has %s", e, f.cloud.specOf(id).DBList)
		}
		service.refuses, f.cloud.details = nil, nil
		f.editObjects(0, before)
		for range 2 { // the first has to wait until nothing can take effect any more
			f.mustRun()
			time.Sleep(2 * time.Hour)
		}
		if got := f.cloud.specOf(id).DBList; got != before || service.status != "Running" {
			t.Errorf("the plan wants %s, and the job is %s with %s: %+v", before, service.status, got, f.entry("job-000"))
		}
		clear(f.cloud.calls)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1})
		if len(f.cloud.calls) != 0 {
			t.Errorf("a run with nothing to do calls %v", f.cloud.calls)
		}
	})
}

// TestSuspendedJobThatIsBlockedRunsAgain: by now the plan wants something that only a
// replacement brings, which is not allowed, or protected from.
func TestSuspendedJobThatIsBlockedRunsAgain(t *testing.T) {
	for _, protect := range []bool{false, true} {
		withRestless(t, func(f *fixture, service *restless) {
			service.pause(f)
			time.Sleep(2 * time.Hour)
			f.plan.Jobs[0].Source.Instance = "pc-other"
			f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
			f.plan.Jobs[0].Protect = protect
			report := f.mustRun()
			f.wantCounts(report, runner.Counts{Blocked: 1})
			if e := f.entry("job-000"); service.status != "Running" || e.Doing != plan.Running || !strings.Contains(report.Results[0].Error, "started again") {
				t.Errorf("it is %s, the entry is %+v, after %q", service.status, e, report.Results[0].Error)
			}
		})
	}
}

// TestSuspendedJobDoesNotWaitForAChangeToRun: a change that got no answer leaves what
// the job does alone.
func TestSuspendedJobDoesNotWaitForAChangeToRun(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		service.pause(f)
		f.editObjects(0, `{"stock":{"all":true}}`)
		report := f.mustRun()
		if e := f.entry("job-000"); service.status != "Running" || report.Results[0].SettlesAt.IsZero() || e.Pending.Operation != plan.OperationModify {
			t.Errorf("it is %s, the entry is %+v, and it ended as %+v", service.status, e, report.Results)
		}
	})
}

// TestJobThatSomebodyStartedIsNotTakenForSuspended: without the flag there is nothing
// to wait for then.
func TestJobThatSomebodyStartedIsNotTakenForSuspended(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		service.pause(f)
		service.status = "Running"
		service.operations()
		report := f.mustRun()
		if r := report.Results[0]; r.Ending != runner.EndFailed || report.Retries != 0 || strings.Contains(r.Error, "suspended the job") || f.entry("job-000").Doing != plan.Running {
			t.Errorf("after %d retries it ended as %+v, and the entry is %+v", report.Retries, r, f.entry("job-000"))
		}
	})
}

// TestChangedJobThatCannotBeStartedIsToRun: between its change and its start the ledger
// has it as it is to be, and as one to start.
func TestChangedJobThatCannotBeStartedIsToRun(t *testing.T) {
	withRestless(t, func(f *fixture, service *restless) {
		f.options.AllowSuspend, f.options.MaxAttempts = true, 1
		service.refuses = func(operation plan.Operation) error {
			if operation == plan.OperationStart {
				return &plan.CallError{Operation: string(operation), Failure: plan.FailureOther, Undone: true, Why: "refused", Code: "Forbidden"}
			}
			return nil
		}
		for range 5 { // the suspension takes a while
			f.mustRun()
			time.Sleep(time.Second)
		}
		if e := f.entry("job-000"); e.Doing != plan.Paused || e.Digest != f.plan.Jobs[0].Digest {
			t.Errorf("the entry is %+v", e)
		}
	})
}

// TestJobThatStoodStillIsNotStartedAfterARefusal: somebody else suspended it.
func TestJobThatStoodStillIsNotStartedAfterARefusal(t *testing.T) {
	for _, code := range []string{"InvalidDbList", "IncorrectDBInstanceState"} {
		withRestless(t, func(f *fixture, service *restless) {
			f.options.AllowSuspend = true
			service.status = "Suspended"
			service.refuses = func(operation plan.Operation) error {
				if operation == plan.OperationModify {
					return &plan.CallError{Operation: string(operation), Failure: plan.FailureOther, Undone: true, Why: "refused", Code: code}
				}
				return nil
			}
			f.wantCounts(f.mustRun(), runner.Counts{Failed: 1})
			if got := service.operations(); got != "Modify" {
				t.Errorf("after %s, %s were sent", code, got)
			}
		})
	}
}

// unrecorded is a ledger that cannot record that a job is put to something.
type unrecorded struct {
	runner.Ledger
	to plan.DesiredState
}

func (l unrecorded) Settle(ctx context.Context, t plan.Transition) error {
	if t.Doing == l.to {
		return errors.New("the disk is full")
	}
	return l.Ledger.Settle(ctx, t)
}

// TestRecordThatItRunsAgainIsNotMissedInSilence: after a change that was refused, and
// for a job that somebody started meanwhile.
func TestRecordThatItRunsAgainIsNotMissedInSilence(t *testing.T) {
	for name, prepare := range map[string]func(f *fixture, service *restless){
		"started again": func(f *fixture, service *restless) {
			f.options.AllowSuspend = true
			service.refuses = func(operation plan.Operation) error {
				if operation == plan.OperationModify {
					return &plan.CallError{Operation: string(operation), Failure: plan.FailureOther, Undone: true, Why: "refused", Code: "InvalidDbList"}
				}
				return nil
			}
		},
		"started by somebody": func(f *fixture, service *restless) {
			service.pause(f)
			service.status = "Running"
		},
	} {
		withRestless(t, func(f *fixture, service *restless) {
			prepare(f, service)
			f.wrap = func(l runner.Ledger) runner.Ledger { return unrecorded{l, plan.Running} }
			report, err := f.run()
			if failed := new(runner.LedgerError); !errors.As(err, &failed) || report.Stop != runner.StopLedger {
				t.Errorf("%s: it ended with %v, stopped by %q: %+v", name, err, report.Stop, report.Results)
			}
		})
	}
}

// TestBlockedJobSaysWhyAlsoWhereItsStartTookTwoTries, and where the run ended before
// the second.
func TestBlockedJobSaysWhyAlsoWhereItsStartTookTwoTries(t *testing.T) {
	for _, ends := range []bool{false, true} {
		withRestless(t, func(f *fixture, service *restless) {
			service.pause(f)
			starts := 0
			service.refuses = func(operation plan.Operation) error {
				if starts++; operation == plan.OperationStart && starts == 1 {
					return &plan.CallError{Operation: string(operation), Failure: plan.FailureThrottled, Undone: true, Why: "too many requests", Code: "Throttling.User"}
				}
				return nil
			}
			if ends {
				f.options.Until = time.Now().Add(time.Millisecond)
			}
			f.plan.Jobs[0].Source.Instance = "pc-other"
			f.plan.Jobs[0].Digest = plan.HashSpec(f.plan.Jobs[0].Spec)
			result := f.mustRun().Results[0]
			if result.Ending != runner.EndBlocked || !strings.Contains(result.Error, "source") || strings.Contains(result.Error+result.Cause, "Throttling") {
				t.Errorf("ends %v: it ended as %s: %s (%s)", ends, result.Ending, result.Error, result.Cause)
			}
		})
	}
}
