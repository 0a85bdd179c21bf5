package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// adoption is what came of taking over one existing job.
type adoption struct {
	id      string
	differs []string // where the job is not as the plan says
	err     error
}

// adopt takes over the one job that the service has under a wanted name, or under the
// one that it had before, if its details agree with the plan.
func (r *Run) adopt(ctx context.Context, c plan.Change) adoption {
	job, remote := c.Job, c.Remote[0]
	a := adoption{id: remote.ID}
	detail, err := r.service.Detail(ctx, job.Region, remote.ID)
	if err != nil {
		a.err = err
		return a
	}
	if a.differs = plan.DisagreeDetail(job.Spec, detail); len(a.differs) > 0 {
		return a
	}
	spec, digest := c.Adopted()
	err = r.ledger.Settle(context.WithoutCancel(ctx), plan.Transition{
		Plan: r.plan.Name, Name: job.Name, From: c.State(), Attempt: c.Attempt(), To: plan.StateCreated,
		Spec: spec, Digest: digest, Labels: job.Labels, Life: job.Life, JobID: remote.ID, Compared: true, Reason: "adopted",
		Evidence: evidence{Kind: "adopted", Region: job.Region}.JSON(), Baseline: listedIDs(c),
		RunID: r.options.RunID, At: r.clock.Now(),
	})
	switch {
	case errors.Is(err, plan.ErrMovedOn):
		a.err = err
	case errors.Is(err, plan.ErrTaken):
		a.differs, a.err = r.ownerOf(ctx, job.Region, remote.ID)
	case err != nil:
		a.err = ledgerFailed(fmt.Sprintf("record the adoption of job %q", job.Name), err)
	}
	return a
}

// ownerOf says which entry turned out to have a job.
func (r *Run) ownerOf(ctx context.Context, region, id string) ([]string, error) {
	live, err := r.ledger.Live(context.WithoutCancel(ctx), region)
	if err != nil {
		return nil, ledgerFailed("read the ledger", err)
	}
	if owner := newView(plan.Listing{}, live).owner(id); owner != nil {
		return []string{"it " + owner.Owns(r.options.Commands)}, nil
	}
	return []string{"the ledger has it for another job already (" + r.options.Commands.List() + " shows which)"}, nil
}

// adopted takes in what came of an adoption.
func (s *scheduler) adopted(t *task, a adoption) {
	s.inFlight--
	var ledger *LedgerError
	switch {
	case a.err == nil && len(a.differs) == 0:
		s.existing(t, EndAdopted, a.id)
	case a.err == nil:
		s.finish(t, EndBlocked, fmt.Sprintf("job %s was to be taken over, but %s", a.id, strings.Join(a.differs, ", ")), "exists and differs")
	case errors.As(a.err, &ledger):
		s.err = a.err
		s.end(StopLedger, a.err.Error(), plan.FailureNone)
	case errors.Is(a.err, context.Canceled):
		s.queue.add(t) // the run is stopping: it is counted as not tried
	default:
		s.failedBefore(t, a.err)
	}
}
