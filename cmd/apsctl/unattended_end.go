package main

import (
	"cmp"
	"context"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/apsctl/apsctl/internal/metrics"
	"github.com/apsctl/apsctl/internal/notice"
	"github.com/apsctl/apsctl/store"
)

// over tells other programs how the run ended. None of them has a say in it. A run
// that left the ledger to another tells nothing: the other one does.
func (u *unattended) over(parent context.Context, a *app, err error) {
	if u.skipped || u.news.Record.Command == "" {
		return
	}
	// A signal ends the telling and not the process: the exit code is decided.
	ctx, stop := signal.NotifyContext(parent, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	endNews(&u.news, err)
	u.stream.end(&u.news)
	if u.log != nil {
		_ = u.log.Close()
	}
	if u.notifier != nil {
		u.notifier.PutOnRecord = func(ctx context.Context) (string, error) { return u.putOnRecord(ctx, a, err) }
		u.notifier.Tell(ctx, &u.news)
	}
	if u.metrics != "" {
		if err := u.writeMetrics(ctx); err != nil {
			a.warn("the metrics were not written to " + u.metrics + ": " + err.Error())
		}
	}
	u.beat.End(ctx, &u.news)
}

// endNews fills in how a run ended that ended with err: by its report, if it has one,
// as people and scripts are told of it everywhere else.
func endNews(n *notice.Run, err error) {
	exit, said := classify(err)
	n.Finished, n.ExitCode, n.Outcome = time.Now(), exit, outcomeOf(exit)
	if n.Report != nil {
		var counts strings.Builder
		writeCounts(&counts, n.Report.Counts(), *n.Report)
		n.Summary, n.Code = strings.TrimSpace(counts.String()), string(stopCode(*n.Report))
		n.Causes = causesOf(n.Report.Results)
	}
	if !said {
		n.Failed, n.Code = err, string(codeOf(err))
	}
}

// putOnRecord puts the run on record that ended with failed before it could be.
func (u *unattended) putOnRecord(ctx context.Context, a *app, failed error) (id string, err error) {
	ledger, err := store.Open(ctx, u.news.Ledger, store.Options{})
	if err != nil {
		return "", err
	}
	defer ledger.Close()
	record := u.news.Record
	record.ID = newRunID()
	if err := ledger.BeginRun(ctx, record); err != nil {
		return "", err
	}
	end := a.runEnd(u.news.ExitCode, struct{}{}, nil, failed)
	end.detail.Error, _, _ = strings.Cut(end.detail.Error, "\n") // of a plan's mistakes, the first
	return record.ID, end.record(ctx, ledger, record.ID)
}

// writeMetrics writes the file of --metrics, unless it is one of somebody else.
func (u *unattended) writeMetrics(ctx context.Context) error {
	if err := cmp.Or(ordinaryOrNew(u.metrics), u.used.refuseBut(u.metrics, metrics.Beginning)); err != nil {
		return err
	}
	return metrics.Write(ctx, u.metrics, &u.news, u.seen)
}
