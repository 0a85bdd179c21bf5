package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
)

const (
	waitFirst = 2 * time.Second // after the first look
	waitPause = 30 * time.Second
)

// Waiter waits for jobs of the ledger to be as somebody wants them. It changes
// nothing, and takes one complete listing a region for all of them at a time. Use
// it for one wait; it is not safe for concurrent use.
type Waiter struct {
	run       *Run
	condition plan.Condition
	jobs      []Awaited
}

// Awaited is how one job stands to what it is waited for.
type Awaited struct {
	Entry plan.Entry // as the ledger had it at the last look
	// Job is as the service last listed it, nil when it did not.
	Job *plan.RemoteJob
	// Met says that it was as it is waited for at one look.
	Met bool
	// Failed says in one line why it will not be, "" while it may. It may hold text
	// of the service: encode it for where it goes.
	Failed string

	seen bool // listed at one look
}

// NewWaiter waits for the jobs of entries. Of o it uses Warn, and Settle: how long a job
// that was created lately may not be listed yet.
func NewWaiter(ledger Ledger, service Service, condition plan.Condition, entries []plan.Entry, o Options) *Waiter {
	w := &Waiter{run: New(&plan.Plan{}, ledger, service, nil, nil, Clock{Now: time.Now}, o), condition: condition}
	for _, entry := range entries {
		w.jobs = append(w.jobs, Awaited{Entry: entry})
	}
	return w
}

// Wait returns when all jobs are as they are waited for, when one will not be, or
// with the error of ctx when that ends: in each case with how every job stands, in
// the order of the entries. observe is told after each look; nil means that nobody
// is watching. A listing that fails shows nothing, and the next one is waited for,
// unless its error says that no other will succeed.
func (w *Waiter) Wait(ctx context.Context, observe func([]Awaited)) ([]Awaited, error) {
	for pause := waitFirst; ; pause = min(2*pause, waitPause) {
		if err := w.look(ctx); err != nil {
			if ctx.Err() != nil {
				return w.jobs, ctx.Err()
			}
			if ledger := (*LedgerError)(nil); failureOf(err).StopsRun() || errors.As(err, &ledger) {
				return w.jobs, err
			}
			w.run.options.Warn(fmt.Sprintf("nothing was seen this time, and the next look is in %s: %v", pause, err))
		}
		if observe != nil {
			observe(w.jobs)
		}
		if w.over() {
			return w.jobs, nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return w.jobs, ctx.Err()
		}
	}
}

func (w *Waiter) over() bool {
	return slices.ContainsFunc(w.jobs, func(j Awaited) bool { return j.Failed != "" }) ||
		!slices.ContainsFunc(w.jobs, func(j Awaited) bool { return !j.Met })
}

// look reads the ledger and lists the regions of the jobs that are waited for.
func (w *Waiter) look(ctx context.Context) error {
	entries := make([]plan.Entry, len(w.jobs))
	for i, job := range w.jobs {
		entries[i] = job.Entry
	}
	entries, err := w.run.asNow(ctx, entries)
	if err != nil {
		return err
	}
	regions := map[string][]*Awaited{}
	for i := range w.jobs {
		job := &w.jobs[i]
		if entries[i].Name != "" { // else it was forgotten meanwhile
			job.Entry = entries[i]
		}
		e := job.Entry
		job.Failed = w.condition.Hopeless(e)
		switch {
		case e.JobID != "":
			regions[e.Region] = append(regions[e.Region], job)
		case w.condition.Gone() && !open(e):
			job.Met, job.Failed = true, ""
		}
	}
	maps.DeleteFunc(regions, func(_ string, jobs []*Awaited) bool {
		return !slices.ContainsFunc(jobs, func(j *Awaited) bool { return !j.Met })
	})
	return w.list(ctx, regions)
}

func (w *Waiter) list(ctx context.Context, regions map[string][]*Awaited) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(regionsAtOnce)
	for region, jobs := range regions {
		group.Go(func() error {
			listing, err := w.run.service.List(ctx, region, false)
			if err == nil && w.condition.Gone() && missesSome(listing, jobs) {
				listing, err = w.run.service.List(ctx, region, true)
			}
			if err != nil {
				return err
			}
			w.run.server.observe(listing.ServerEnd)
			return w.judge(ctx, jobs, listing)
		})
	}
	return group.Wait()
}

// missesSome reports whether some of jobs seem to be gone.
func missesSome(listing plan.Listing, jobs []*Awaited) bool {
	listed := newView(listing, nil).listed
	return slices.ContainsFunc(jobs, func(j *Awaited) bool { return !j.Met && !listed[j.Entry.JobID] })
}

// judge holds the jobs of one region against its listing.
func (w *Waiter) judge(ctx context.Context, jobs []*Awaited, listing plan.Listing) error {
	var v *view
	if w.condition.Gone() {
		live, err := w.run.ledger.Live(ctx, listing.Region)
		if err != nil {
			return ledgerFailed("read the ledger", err)
		}
		v = newView(listing, w.others(live))
	}
	listed := make(map[string]*plan.RemoteJob, len(listing.Jobs))
	for i := range listing.Jobs {
		listed[listing.Jobs[i].ID] = &listing.Jobs[i]
	}
	for _, job := range jobs {
		job.Job = listed[job.Entry.JobID]
		switch {
		case w.condition.Gone():
			_, sees := v.canary(job.Entry)
			// What was created lately and was never seen may not be listed yet.
			job.seen = job.seen || job.Job != nil
			job.Met = job.Met || job.Job == nil && listing.Agreed && sees && (job.seen || isLeaving(job.Entry) || w.run.settled(job.Entry))
		case job.Job == nil:
		case plan.ClassOf(job.Job.Status) == plan.ClassFailed:
			job.Failed = "its status is " + job.Job.Status
			if message := job.Job.ErrorMessage; message != "" && !strings.EqualFold(message, "OK") {
				job.Failed += ": " + message
			}
		default:
			job.Met = job.Met || w.condition.Met(*job.Job)
		}
	}
	return nil
}

// others are the live entries that are not waited for: jobs that go together are no
// witnesses for each other.
func (w *Waiter) others(live []plan.Entry) []plan.Entry {
	awaited := map[string]bool{}
	for _, job := range w.jobs {
		awaited[job.Entry.JobID] = true
	}
	return slices.DeleteFunc(live, func(e plan.Entry) bool { return awaited[e.JobID] })
}
