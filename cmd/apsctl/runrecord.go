package main

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// Bounds of what is kept of the errors of one run.
const (
	causesKept = 50
	namesKept  = 5
)

// runDetail is what the ledger keeps of a run beside its counts. Fields are
// added, never renamed: old runs are read with it.
type runDetail struct {
	Calls  []jsonform.Calls `json:"calls,omitempty"`
	Errors []jsonform.Cause `json:"errors,omitempty"` // most jobs first
	Stop   string           `json:"stop,omitempty"`   // why it stopped before it had tried every job
	Error  string           `json:"error,omitempty"`  // what ended it altogether
}

// runEnd is the end of a run now. failed is what ended it altogether, or nil.
func (a *app) runEnd(code int, counts any, calls []aps.CallCount, failed error) runEnd {
	e := runEnd{code: code, counts: counts}
	for _, c := range calls {
		e.detail.Calls = append(e.detail.Calls, jsonform.Calls(c))
	}
	if failed != nil {
		e.detail.Error = a.redactor.Clean(failed.Error())
	}
	return e
}

// runEnd is what is recorded at the end of a run.
type runEnd struct {
	code   int
	counts any
	detail runDetail
}

// with adds what a report says about its jobs.
func (e runEnd) with(report runner.Report) runEnd {
	if e.detail.Stop = string(report.Stop); report.StopDetail != "" {
		e.detail.Stop += ": " + report.StopDetail
	}
	e.detail.Errors = causesOf(report.Results)
	return e
}

// record writes it. A run that was interrupted is recorded all the same.
func (e runEnd) record(ctx context.Context, ledger *store.Ledger, runID string) error {
	counts, err := json.Marshal(e.counts)
	if err != nil {
		return err
	}
	detail, err := json.Marshal(e.detail)
	if err != nil {
		return err
	}
	return ledger.FinishRun(context.WithoutCancel(ctx), runID, store.RunEnd{
		FinishedAt: time.Now(), ExitCode: e.code, Counts: string(counts), Detail: string(detail),
	})
}

// causesOf groups what is wrong with jobs, most jobs first, and keeps the
// commonest.
func causesOf(results []runner.Result) []jsonform.Cause {
	groups := map[[2]string]*jsonform.Cause{}
	for _, r := range results {
		if r.Error == "" || r.Ending == runner.EndKept {
			continue
		}
		key := [2]string{string(r.Ending), r.Cause}
		g := groups[key]
		if g == nil {
			g = &jsonform.Cause{Ending: key[0], Cause: key[1], Code: string(resultCode(r)), Example: r.Error}
			groups[key] = g
		}
		if g.Jobs++; len(g.Names) < namesKept {
			g.Names = append(g.Names, r.Name)
		}
	}
	all := make([]jsonform.Cause, 0, len(groups))
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(x, y jsonform.Cause) int {
		return cmp.Or(cmp.Compare(y.Jobs, x.Jobs), cmp.Compare(x.Ending, y.Ending), cmp.Compare(x.Cause, y.Cause))
	})
	return all[:min(len(all), causesKept)]
}
