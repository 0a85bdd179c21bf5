package metrics

import (
	"maps"
	"slices"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/runner"
)

// aboutRun adds what the run itself comes to.
func (p *page) aboutRun(run *notice.Run, calls []aps.CallCount) {
	p.gauge("apsctl_last_run_start_timestamp_seconds", "When the last run of the plan began.").add(seconds(run.Record.StartedAt))
	p.gauge("apsctl_last_run_end_timestamp_seconds", "When the last run of the plan ended.").add(seconds(run.Finished))
	p.gauge("apsctl_last_run_duration_seconds", "How long the last run took.").add(run.Took().Seconds())
	p.gauge("apsctl_last_run_exit_code", "The exit code of the last run.").add(float64(run.ExitCode))
	ended := p.gauge("apsctl_last_run_outcome", "1 for the outcome of the last run, 0 for all others.")
	for _, one := range notice.Outcomes() {
		ended.add(oneIf(one == run.Outcome), "outcome", string(one))
	}
	if run.Report == nil {
		return // nothing was carried out: there is nothing to count
	}
	c := run.Report.Counts()
	jobs := p.gauge("apsctl_last_run_jobs", "What became of the jobs in the last run.")
	for _, one := range countsByEnding(c) {
		jobs.add(float64(one.n), "ending", string(one.ending))
	}
	p.gauge("apsctl_last_run_create_requests", "Create requests that the last run sent.").add(float64(run.Report.Requests))
	p.gauge("apsctl_last_run_create_retries", "Of these, further ones for the same job.").add(float64(run.Report.Retries))
	p.gauge("apsctl_last_run_create_throttled", "Of these, answered by a request to slow down.").add(float64(run.Report.Throttled))
	p.aboutCalls(calls)
}

// aboutCalls adds up the calls of the run by operation.
func (p *page) aboutCalls(calls []aps.CallCount) {
	sent := p.gauge("apsctl_last_run_calls", "Calls that the last run made, by operation.")
	throttled := p.gauge("apsctl_last_run_throttled_calls", "Of these, answered by a request to slow down.")
	byOperation := map[string]aps.CallCount{}
	for _, c := range calls {
		sum := byOperation[c.Operation]
		sum.Sent, sum.Throttled = sum.Sent+c.Sent, sum.Throttled+c.Throttled
		byOperation[c.Operation] = sum
	}
	for _, operation := range slices.Sorted(maps.Keys(byOperation)) {
		sent.add(float64(byOperation[operation].Sent), "operation", operation)
		throttled.add(float64(byOperation[operation].Throttled), "operation", operation)
	}
}

type endingCount struct {
	ending runner.Ending
	n      int
}

func countsByEnding(c runner.Counts) []endingCount {
	return []endingCount{
		{runner.EndCreated, c.Created}, {runner.EndAdopted, c.Adopted}, {runner.EndUpdated, c.Updated}, {runner.EndReplaced, c.Replaced},
		{runner.EndDeleted, c.Deleted}, {runner.EndStarted, c.Started}, {runner.EndSuspended, c.Suspended}, {runner.EndKept, c.Kept},
		{runner.EndUnhealthy, c.Unhealthy}, {runner.EndFailed, c.Failed}, {runner.EndUnknown, c.Unknown}, {runner.EndBlocked, c.Blocked},
		{runner.EndNotTried, c.NotTried},
	}
}
