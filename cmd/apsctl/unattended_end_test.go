package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// TestEachOutcomeIsOfOneExitCode: what is told of a run says how its process ended.
func TestEachOutcomeIsOfOneExitCode(t *testing.T) {
	codes := map[notice.Outcome]int{}
	for code := range exitOutcomes {
		codes[outcomeOf(code)]++
	}
	for _, outcome := range notice.Outcomes() {
		if codes[outcome] != 1 {
			t.Errorf("%d exit codes are %s", codes[outcome], outcome)
		}
	}
	if len(codes) != len(notice.Outcomes()) || outcomeOf(exitChanges) != notice.OutcomeError {
		t.Errorf("the outcomes are %v", codes)
	}
}

func TestEndOfTheNews(t *testing.T) {
	report := runner.Report{Stop: runner.StopFailureCap, Requests: 1, Results: []runner.Result{
		{Name: "a", Ending: runner.EndFailed, Cause: "InvalidParameter", Error: "it said no"}, {Name: "b", Ending: runner.EndNotTried},
	}}
	causes := []jsonform.Cause{{Code: string(codeJobFailed), Ending: "failed", Cause: "InvalidParameter", Jobs: 1, Example: "it said no", Names: []string{"a"}}}
	for name, test := range map[string]struct {
		report  *runner.Report
		err     error
		exit    int
		outcome notice.Outcome
		failed  bool
		code    errorCode
		causes  []jsonform.Cause
	}{
		"done":                  {report: &runner.Report{}, outcome: notice.OutcomeDone, causes: []jsonform.Cause{}},
		"the report says it":    {report: &report, err: exitWith(exitLeft), exit: exitLeft, outcome: notice.OutcomeLeft, code: codeStopFailures, causes: causes},
		"an error beside it":    {report: &report, err: coded(codeOutput, errors.New("x")), exit: exitFailure, outcome: notice.OutcomeError, failed: true, code: codeOutput, causes: causes},
		"before anything began": {err: plan.Problems{{Message: "x"}}, exit: exitInvalid, outcome: notice.OutcomeInvalid, failed: true, code: codePlan},
	} {
		n := notice.Run{Report: test.report}
		endNews(&n, test.err)
		if n.ExitCode != test.exit || n.Outcome != test.outcome || (n.Failed != nil) != test.failed || n.Code != string(test.code) {
			t.Errorf("%s: got %+v", name, n)
		}
		if diff := cmp.Diff(test.causes, n.Causes); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if (n.Summary == "") != (test.report == nil) || strings.Contains(n.Summary, "\n") || n.Finished.IsZero() {
			t.Errorf("%s: the summary is %q", name, n.Summary)
		}
	}
}
