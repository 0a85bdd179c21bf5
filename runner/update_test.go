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

// editObjects changes what the plan wants of one job in a way that the service
// can carry out in place.
func (f *fixture) editObjects(i int, dbList string) {
	f.plan.Jobs[i].DBList = dbList
	f.plan.Jobs[i].Digest = plan.HashSpec(f.plan.Jobs[i].Spec)
}

func TestChangedObjectsAreUpdatedInPlace(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-001").JobID
		f.editObjects(1, `{"sales":{"all":true}}`)
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 2, Updated: 1})
		if e := f.entry("job-001"); e.JobID != id || e.Digest != f.plan.Jobs[1].Digest || e.Spec.DBList != `{"sales":{"all":true}}` || e.Attempt != 1 {
			f.Errorf("the entry is %+v", e)
		}
		if got := f.cloud.specOf(id).DBList; got != `{"sales":{"all":true}}` || f.cloud.sent() != 3 {
			f.Errorf("the service has %s, after %d creates", got, f.cloud.sent())
		}
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 3})
	})
}

// TestUpdateThatIsNotConfirmedIsMadeAgain: as long as the service does not show
// the change, the ledger does not claim it.
func TestUpdateThatIsNotConfirmedIsMadeAgain(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-000").JobID
		before := f.entry("job-000").Digest
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.cloud.details = map[string]plan.RemoteDetail{id: {ID: id, SourceInstance: "pc-1", DestinationInstance: "amv-1", DBList: `{"EntireInstance":true}`}}
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Unknown: 1})
		if e := f.entry("job-000"); e.Digest != before || e.State != plan.StateCreated {
			f.Errorf("the entry is %+v after %q", e, report.Results[0].Error)
		}
		f.cloud.details = nil
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
	})
}

// What a job is for is not known while a change of it is open, and by that it would be known
// under another name: it is not forgotten until that is settled.
func TestJobWithAnOpenChangeIsNotForgotten(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		id := f.entry("job-000").JobID
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.cloud.details = map[string]plan.RemoteDetail{id: {ID: id, SourceInstance: "pc-1", DestinationInstance: "amv-1", DBList: `{"EntireInstance":true}`}}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		order := runner.Order{Kind: runner.OrderForget, Entry: f.entry("job-000")}
		_, err := f.resolver(f.ledger).Judge(f.Context(), order)
		if refused := (*runner.RefusedError)(nil); !errors.As(err, &refused) || !refused.Forcible || !strings.Contains(refused.Why, "next apply") {
			f.Errorf("got %v", err)
		}
		order.Force = true
		if d, err := f.resolver(f.ledger).Judge(f.Context(), order); err != nil || !strings.Contains(d.Forced, "a change of it was sent") || len(d.Notes) != 1 {
			f.Errorf("forced: %+v, %v", d, err)
		}
		f.cloud.details = nil
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if d, err := f.resolver(f.ledger).Judge(f.Context(), runner.Order{Kind: runner.OrderForget, Entry: f.entry("job-000")}); err != nil || d.Forced != "" {
			f.Errorf("settled: %+v, %v", d, err)
		}
	})
}

func TestThrottledUpdateIsTriedAgain(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"sales":{"all":true}}`)
		tries := 0
		f.cloud.modify = func(string) error {
			if tries++; tries < 3 {
				return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureThrottled, Why: "too many calls", RetryAfter: 5 * time.Second, Undone: true}
			}
			return nil
		}
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		f.editObjects(0, `{"stock":{"all":true}}`)
		f.cloud.modify = func(string) error {
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureOther, Undone: true, Why: "refused", Code: "IncorrectDBInstanceState"}
		}
		if report := f.mustRun(); report.Counts() != (runner.Counts{Planned: 1, Failed: 1}) || report.Results[0].Cause != "IncorrectDBInstanceState" {
			f.Errorf("a refused update ends as %+v", report.Results)
		}
	})
}

// TestUpdateWhoseRecordIsLostIsMadeAgain: a process that dies between the change
// and its record leaves a difference that the next run sees.
func TestUpdateWhoseRecordIsLostIsMadeAgain(t *testing.T) {
	inBubble(t, 2, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"sales":{"all":true}}`)
		run, changes, err := f.prepare()
		if err != nil {
			f.Fatal(err)
		}
		ctx, cancel := context.WithCancel(f.Context())
		f.cloud.modify = func(string) error { cancel(); return nil }
		if _, err := run.Apply(ctx, f.drain, changes); err != nil {
			f.Fatal(err)
		}
		f.cloud.modify = nil
		f.mustRun()
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 2})
		if f.cloud.specOf(f.entry("job-000").JobID).DBList != `{"sales":{"all":true}}` {
			f.Error("the service does not have the change")
		}
	})
}

// TestUpdateWithoutAnswerIsNotTakenForUndone: the plan is put back after a change
// got no answer, and the service may have the new objects all the same.
func TestUpdateWithoutAnswerIsNotTakenForUndone(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		id, before := f.entry("job-000").JobID, f.plan.Jobs[0].DBList
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.options.MaxAttempts = 1
		f.cloud.modify = func(id string) error {
			f.cloud.setObjects(id, `{"sales":{"all":true}}`)
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "the answer was cut short"}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		f.cloud.modify = nil

		f.editObjects(0, before)
		report := f.mustRun()
		f.wantCounts(report, runner.Counts{Unknown: 1})
		if settles := report.Results[0].SettlesAt; time.Until(settles) <= 0 || f.cloud.calls["modify"] != 1 {
			t.Errorf("it settles at %v, after %d changes", settles, f.cloud.calls["modify"])
		}
		time.Sleep(runner.SettleDefault)
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if got := f.cloud.specOf(id).DBList; got != before {
			t.Errorf("the service has %s", got)
		}
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1})
	})
}

// TestUpdateWithoutAnswerThatTookEffectIsConfirmed: the next run asks first, and
// sends nothing.
func TestUpdateWithoutAnswerThatTookEffectIsConfirmed(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.options.MaxAttempts = 1
		f.cloud.modify = func(id string) error {
			f.cloud.setObjects(id, `{"sales":{"all":true}}`)
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "the answer was cut short"}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if f.cloud.calls["modify"] != 1 {
			t.Errorf("%d changes were sent", f.cloud.calls["modify"])
		}
		f.wantCounts(f.mustRun(), runner.Counts{Kept: 1})
	})
}

// TestUpdateThatIsInterruptedIsUnknown: what was sent is not counted as failed.
func TestUpdateThatIsInterruptedIsUnknown(t *testing.T) {
	inBubble(t, 3, func(f *fixture) {
		f.mustRun()
		for i := range f.plan.Jobs {
			f.editObjects(i, `{"sales":{"all":true}}`)
		}
		f.options.Parallel = 1
		run, changes, err := f.prepare()
		if err != nil {
			f.Fatal(err)
		}
		ctx, cancel := context.WithCancel(f.Context())
		f.cloud.modify = func(string) error {
			cancel()
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "given up before the answer came"}
		}
		report, err := run.Apply(ctx, f.drain, changes)
		if err != nil {
			f.Fatal(err)
		}
		f.wantCounts(report, runner.Counts{Unknown: 1, NotTried: 2})
	})
}

// TestPromiseOfTheSameSecondIsNotTakenForAnother: two processes send the same
// change within a second. What the first records of its own must not take away
// the promise of the second, whose request is under way.
func TestPromiseOfTheSameSecondIsNotTakenForAnother(t *testing.T) {
	inBubble(t, 1, func(f *fixture) {
		f.mustRun()
		f.editObjects(0, `{"sales":{"all":true}}`)
		f.options.MaxAttempts = 1
		f.cloud.modify = func(string) error {
			return &plan.CallError{Operation: "ModifyApsJob", Failure: plan.FailureTemporary, Why: "the answer was cut short"}
		}
		f.wantCounts(f.mustRun(), runner.Counts{Unknown: 1})
		first := f.entry("job-000")
		f.cloud.modify = func(string) error {
			// The first process finds out that its change came to nothing.
			err := f.ledger.Promise(f.Context(), plan.Promise{
				Plan: first.Plan, Name: first.Name, Attempt: first.Attempt, JobID: first.JobID,
				Before: first.Pending, Reason: "it did not take effect", RunID: "first", At: time.Now(),
			})
			if !errors.Is(err, plan.ErrMovedOn) {
				t.Errorf("the promise of the second was taken back: %v", err)
			}
			return nil
		}
		f.wantCounts(f.mustRun(), runner.Counts{Updated: 1})
		if f.cloud.calls["modify"] != 2 {
			t.Errorf("%d changes were sent", f.cloud.calls["modify"])
		}
	})
}
