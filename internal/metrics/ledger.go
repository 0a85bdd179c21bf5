package metrics

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// aboutLedger adds what the plan's jobs come to as the ledger has them.
func (p *page) aboutLedger(ctx context.Context, ledger *store.Ledger, run *notice.Run, delays map[string]int64) error {
	done, err := ledger.LastDone(ctx, run.Record.Plan, run.CommandWord())
	if err != nil {
		return err
	}
	if !done.IsZero() {
		p.gauge("apsctl_last_done_timestamp_seconds", "When a run of the plan last ended with exit code 0.").add(seconds(done))
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: run.Record.Plan})
	if err != nil {
		return err
	}
	counts, delay, listed := map[plan.State]int{}, int64(0), false
	var oldest time.Time
	for _, e := range entries {
		counts[e.State]++
		if e.State.Unresolved() && (oldest.IsZero() || e.SignedAt.Before(oldest)) {
			oldest = e.SignedAt
		}
		if d, ok := delays[e.JobID]; ok && e.JobID != "" {
			delay, listed = max(delay, d), true
		}
	}
	jobs := p.gauge("apsctl_jobs", "Jobs of the plan in the ledger, by state.")
	for _, state := range plan.States {
		jobs.add(float64(counts[state]), "state", string(state))
	}
	if !oldest.IsZero() {
		p.gauge("apsctl_unknown_oldest_timestamp_seconds", "When the oldest create was sent whose outcome is not known; missing when there is none.").add(seconds(oldest))
	}
	if listed {
		p.gauge("apsctl_job_delay_max", "The longest delay of a job as the service tells it, in the service's unit; missing when the last run took no listing.").add(float64(delay))
	}
	return nil
}
