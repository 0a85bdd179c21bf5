package main

import (
	"context"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// finish prints the report and closes the run's record.
func (c *applyCommand) finish(ctx context.Context, wanted *plan.Plan, service *service, ledger *store.Ledger, runID string, report *runner.Report, failed error) error {
	code, _ := classify(failed)
	if report != nil {
		code = exitCodeOf(*report, failed)
	}
	logs := c.unhealthyLogs(ctx, wanted, service, report)
	end := c.app.runEnd(code, struct{}{}, service.Calls(), failed)
	if report != nil {
		end.counts = report.Counts()
		end = end.with(*report)
	}
	return c.app.conclude(ctx, ledger, runID, end, failed, func() error {
		if report == nil {
			return nil
		}
		return c.print(wanted, runID, *report, logs, code)
	})
}

// unhealthyLogs asks why jobs that this run made do not run, unless somebody wants
// it to end.
func (c *applyCommand) unhealthyLogs(ctx context.Context, wanted *plan.Plan, service *service, report *runner.Report) map[string][]plan.ActionLog {
	if report == nil || report.Counts().Unhealthy == 0 || ctx.Err() != nil || report.Stop == runner.StopInterrupted {
		return nil
	}
	specs := map[string]plan.Spec{}
	for _, job := range wanted.Jobs {
		specs[job.Name] = job.Spec
	}
	var failed []plan.Entry
	for _, r := range report.Results {
		if spec, ok := specs[r.Name]; ok && r.Ending == runner.EndUnhealthy {
			failed = append(failed, plan.Entry{Name: r.Name, Region: spec.Region, Spec: spec, JobID: r.JobID})
		}
	}
	return c.app.lastLogs(ctx, service, failed)
}

func (c *applyCommand) print(wanted *plan.Plan, runID string, report runner.Report, logs map[string][]plan.ActionLog, code int) error {
	crashpoint.At(crashpoint.ReportBegun)
	if c.alone.silent(report, code) {
		return nil
	}
	if c.output.json() {
		out := newApplyJSON(runID, wanted.Name, report, code)
		for i := range out.Jobs {
			out.Jobs[i].Logs = jsonform.Logs(logs[out.Jobs[i].JobID])
		}
		return writeJSON(c.app.stdout, out)
	}
	return writeReport(c.app.stdout, report, logs, c.resolve)
}
