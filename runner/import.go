package runner

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/apsctl/apsctl/plan"
)

// Importer takes over jobs that the service has and no plan of the ledger knows.
// It never creates one. Use it for one command.
type Importer struct {
	service Service
	ledger  Ledger
	clock   Clock
	options Options
}

// NewImporter joins the parts of an importer. Of o it uses RunID, Parallel,
// Observe and Commands. ledger may be nil for one that only looks.
func NewImporter(ledger Ledger, service Service, clock Clock, o Options) *Importer {
	return &Importer{service, ledger, clock, o.withDefaults()}
}

// Look takes one complete listing of each region and holds it against entries,
// which are those of all plans. The jobs come by region and id.
func (m *Importer) Look(ctx context.Context, regions []string, entries []plan.Entry) ([]plan.Found, error) {
	listings := make([]plan.Listing, len(regions))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(regionsAtOnce)
	for i, region := range regions {
		group.Go(func() (err error) {
			listings[i], err = m.service.List(ctx, region, false)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return plan.FindJobs(listings, entries, m.options.Commands), nil
}

// Imported is what came of one job.
type Imported struct {
	plan.Found
	// Spec is what the ledger has of it; empty unless it is in the plan now.
	Spec plan.Spec
	// Err says that the call for its details failed. What else kept it out is
	// Found.Why.
	Err error
}

// Import takes over jobs into a plan, each as its details describe it. Jobs that
// the plan has already stay as they are. It returns one Imported per job, in
// order. An error means that going on made no sense; what was recorded before it
// stays recorded, and another Import goes on from there.
func (m *Importer) Import(ctx context.Context, planName string, jobs []plan.Found) ([]Imported, error) {
	all := make([]Imported, len(jobs))
	progress := m.progress(len(jobs))
	err := m.each(ctx, len(jobs), func(ctx context.Context, i int) error {
		all[i].Found = jobs[i]
		err := m.importOne(ctx, planName, &all[i])
		progress(all[i].Err == nil && all[i].Why == "")
		return err
	})
	return all, err
}

// each works on n things, some at once, until one cannot go on.
func (m *Importer) each(ctx context.Context, n int, work func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(m.options.Parallel)
	for i := range n {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return work(ctx, i)
		})
	}
	return group.Wait()
}

// progress returns what counts the jobs that are done.
func (m *Importer) progress(total int) func(well bool) {
	var mu sync.Mutex
	p := Progress{Total: total}
	started := time.Now()
	return func(well bool) {
		mu.Lock()
		defer mu.Unlock()
		if p.Done++; !well {
			p.Failed++
		}
		p.Elapsed = time.Since(started)
		m.options.Observe(p)
	}
}

// importOne takes over one job. Its error ends the import; what is the matter
// with the job alone is noted in it.
func (m *Importer) importOne(ctx context.Context, planName string, job *Imported) error {
	switch {
	case job.Why != "":
		return nil
	case job.Entry != nil:
		job.Spec = job.Entry.Spec
		job.Spec.Name = job.Entry.Name
		return nil
	}
	detail, err := m.service.Detail(ctx, job.Region, job.Job.ID)
	if refusedAsIs(err) {
		job.Err = err
		return nil
	}
	if err != nil {
		return err
	}
	spec, err := plan.ImportedSpec(job.Found, detail)
	if err != nil {
		job.Why, job.WayOut = err.Error(), "leave it to the console, and out of plans"
		return nil
	}
	err = m.ledger.Settle(context.WithoutCancel(ctx), plan.Transition{
		Plan: planName, Name: job.Job.Name, From: plan.StateNone, To: plan.StateCreated,
		Spec: spec, Digest: plan.HashSpec(spec), JobID: job.Job.ID, Compared: true, Reason: "imported",
		Evidence: evidence{Kind: "imported", Region: job.Region}.JSON(),
		RunID:    m.options.RunID, At: m.clock.Now(),
	})
	if err != nil {
		return ledgerFailed(fmt.Sprintf("record the import of job %q", job.Job.Name), err)
	}
	job.Spec = spec
	return nil
}

// Same groups jobs that have one region, source, destination and objects. Details
// are asked for only where the listing leaves that open.
func (m *Importer) Same(ctx context.Context, jobs []plan.Found) ([][]plan.Found, error) {
	pairs := map[[3]string][]plan.Found{}
	for _, f := range jobs {
		key := [3]string{f.Region, f.Job.SourceInstance, f.Job.DestinationInstance}
		pairs[key] = append(pairs[key], f)
	}
	var open []plan.Found
	for _, pair := range pairs {
		if len(pair) > 1 {
			open = append(open, pair...)
		}
	}
	objects := make([]string, len(open))
	err := m.each(ctx, len(open), func(ctx context.Context, i int) (err error) {
		objects[i], err = m.objectsOf(ctx, open[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	return sameWork(open, objects), nil
}

// objectsOf is "" for a job that the service does not describe: nothing is known
// to be the same then.
func (m *Importer) objectsOf(ctx context.Context, f plan.Found) (string, error) {
	detail, err := m.service.Detail(ctx, f.Region, f.Job.ID)
	if refusedAsIs(err) {
		return "", nil
	}
	if canonical, bad := plan.CanonicalJSON(detail.DBList); bad == nil {
		return canonical, err
	}
	return detail.DBList, err
}

func sameWork(jobs []plan.Found, objects []string) [][]plan.Found {
	groups := map[[4]string][]plan.Found{}
	for i, f := range jobs {
		if objects[i] != "" {
			key := [4]string{f.Region, f.Job.SourceInstance, f.Job.DestinationInstance, objects[i]}
			groups[key] = append(groups[key], f)
		}
	}
	var same [][]plan.Found
	for _, group := range groups {
		if len(group) > 1 {
			slices.SortFunc(group, byRegionAndID)
			same = append(same, group)
		}
	}
	slices.SortFunc(same, func(a, b []plan.Found) int { return byRegionAndID(a[0], b[0]) })
	return same
}

func byRegionAndID(a, b plan.Found) int {
	return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.Job.ID, b.Job.ID))
}
