package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"google.golang.org/protobuf/proto"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// metricsBeginning is how a file of metrics begins, whoever wrote it.
const metricsBeginning = "# "

// writeMetrics writes what a run and its ledger come to for node_exporter's
// textfile collector. The file is replaced as a whole and may be read by everybody:
// the collector is another user, and names of plans are all that it tells.
func writeMetrics(ctx context.Context, path string, used inUse, b *bulletin) error {
	if err := cmp.Or(ordinaryOrNew(path), used.refuseBut(path, metricsBeginning)); err != nil {
		return err
	}
	if b.record.Plan == "" {
		return errors.New("the plan's name is not known")
	}
	families, err := b.metrics(ctx)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	for _, family := range families {
		if _, err := expfmt.MetricFamilyToText(&text, family); err != nil {
			return err
		}
	}
	return replaceForAll(path, text.Bytes())
}

// replaceForAll puts content in place of the file at path, or makes it, with mode
// 0644. The collector takes up names that end in .prom, which the draft's does not.
func replaceForAll(path string, content []byte) error {
	draft, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(draft.Name()) // it is gone already when all went well
	_, err = draft.Write(content)
	err = cmp.Or(err, draft.Chmod(0o644))
	if err = cmp.Or(err, draft.Close()); err != nil {
		return err
	}
	return os.Rename(draft.Name(), path)
}

// metrics are all families, in the order of the file. Where the ledger cannot be
// read, those that are read from it are left out.
func (b *bulletin) metrics(ctx context.Context) ([]*dto.MetricFamily, error) {
	p := &page{plan: b.record.Plan}
	p.gauge("apsctl_build_info", "Always 1; the version of apsctl that wrote this file.").add(1, "version", b.record.Version)
	b.runMetrics(p)
	ledger, err := store.OpenReadOnly(ctx, b.ledger)
	if errors.Is(err, fs.ErrNotExist) || b.code == exitLedger {
		return p.families, nil
	}
	if err != nil {
		return nil, err
	}
	defer ledger.Close()
	return p.families, b.ledgerMetrics(ctx, p, ledger)
}

// runMetrics are about this run.
func (b *bulletin) runMetrics(p *page) {
	p.gauge("apsctl_last_run_start_timestamp_seconds", "When the last run of the plan began.").add(seconds(b.record.StartedAt))
	p.gauge("apsctl_last_run_end_timestamp_seconds", "When the last run of the plan ended.").add(seconds(b.finished))
	p.gauge("apsctl_last_run_duration_seconds", "How long the last run took.").add(b.took().Seconds())
	p.gauge("apsctl_last_run_exit_code", "The exit code of the last run.").add(float64(b.code))
	ended := p.gauge("apsctl_last_run_outcome", "1 for the outcome of the last run, 0 for all others.")
	for _, one := range sortedOutcomes() {
		ended.add(oneIf(one == b.outcome()), "outcome", string(one))
	}
	if b.report == nil {
		return // nothing was carried out: there is nothing to count
	}
	c := b.report.Counts()
	jobs := p.gauge("apsctl_last_run_jobs", "What became of the jobs in the last run.")
	for _, one := range countsByEnding(c) {
		jobs.add(float64(one.n), "ending", string(one.ending))
	}
	p.gauge("apsctl_last_run_create_requests", "Create requests that the last run sent.").add(float64(b.report.Requests))
	p.gauge("apsctl_last_run_create_retries", "Of these, further ones for the same job.").add(float64(b.report.Retries))
	p.gauge("apsctl_last_run_create_throttled", "Of these, answered by a request to slow down.").add(float64(b.report.Throttled))
	b.callMetrics(p)
}

// callMetrics add up the calls of the run by operation.
func (b *bulletin) callMetrics(p *page) {
	sent := p.gauge("apsctl_last_run_calls", "Calls that the last run made, by operation.")
	throttled := p.gauge("apsctl_last_run_throttled_calls", "Of these, answered by a request to slow down.")
	byOperation := map[string]aps.CallCount{}
	for _, c := range b.calls {
		sum := byOperation[c.Operation]
		sum.Sent, sum.Throttled = sum.Sent+c.Sent, sum.Throttled+c.Throttled
		byOperation[c.Operation] = sum
	}
	for _, operation := range slices.Sorted(maps.Keys(byOperation)) {
		sent.add(float64(byOperation[operation].Sent), "operation", operation)
		throttled.add(float64(byOperation[operation].Throttled), "operation", operation)
	}
}

// ledgerMetrics are about the plan's jobs as the ledger has them.
func (b *bulletin) ledgerMetrics(ctx context.Context, p *page, ledger *store.Ledger) error {
	done, err := ledger.LastDone(ctx, b.record.Plan, commandWord(b.record))
	if err != nil {
		return err
	}
	if !done.IsZero() {
		p.gauge("apsctl_last_done_timestamp_seconds", "When a run of the plan last ended with exit code 0.").add(seconds(done))
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: b.record.Plan})
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
		if d, ok := b.delays[e.JobID]; ok && e.JobID != "" {
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

// delaysIn are the delays of the jobs in listings, by job id.
func delaysIn(listings map[string]plan.Listing) map[string]int64 {
	delays := map[string]int64{}
	for _, listing := range listings {
		for _, job := range listing.Jobs {
			delays[job.ID] = job.DelaySeconds
		}
	}
	return delays
}

// page gathers the metrics of one plan.
type page struct {
	plan     string
	families []*dto.MetricFamily
}

// gauge begins a family of gauges, all of them labelled with the plan.
func (p *page) gauge(name, help string) gauges {
	f := &dto.MetricFamily{Name: proto.String(name), Help: proto.String(help), Type: dto.MetricType_GAUGE.Enum()}
	p.families = append(p.families, f)
	return gauges{f, p.plan}
}

type gauges struct {
	family *dto.MetricFamily
	plan   string
}

// add adds one gauge with further labels: names and values in turn.
func (g gauges) add(value float64, labels ...string) {
	pairs := []*dto.LabelPair{{Name: proto.String("plan"), Value: proto.String(g.plan)}}
	for i := 0; i < len(labels); i += 2 {
		pairs = append(pairs, &dto.LabelPair{Name: proto.String(labels[i]), Value: proto.String(labels[i+1])})
	}
	g.family.Metric = append(g.family.Metric, &dto.Metric{Label: pairs, Gauge: &dto.Gauge{Value: proto.Float64(value)}})
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func sortedOutcomes() []runOutcome {
	all := make([]runOutcome, 0, len(outcomeWords))
	for _, one := range outcomeWords {
		all = append(all, one.name)
	}
	slices.Sort(all)
	return all
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
