package runner

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
)

// jobAt is a job of the service.
type jobAt struct{ region, id string }

// details asks for the details of jobs, Parallel at a time, and hands each answer to take,
// one at a time and in no order. What take returns ends it.
func (r *Run) details(ctx context.Context, jobs []jobAt, take func(i int, detail plan.RemoteDetail, err error) error) error {
	var mu sync.Mutex
	progress := r.describing(len(jobs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(r.options.Parallel)
	for i, job := range jobs {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			detail, err := r.service.Detail(ctx, job.region, job.id)
			mu.Lock()
			defer mu.Unlock()
			progress()
			return take(i, detail, err)
		})
	}
	return group.Wait()
}

// describing returns what counts the details that were asked for, one at a time.
func (r *Run) describing(total int) func() {
	p, started := Progress{Total: total}, time.Now()
	return func() {
		p.Done++
		p.Elapsed = time.Since(started)
		r.options.Observe(p)
	}
}
