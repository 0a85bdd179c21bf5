package runner_test

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// cloud is an APS service in memory. It checks on every create that the
// request's intent is already on disk, as seen by a second reader of the
// ledger file: the witness.
type cloud struct {
	t      *testing.T
	ledger string // path of the ledger that the witness reads
	// answer decides what becomes of the n-th create (from 1) of a job. nil
	// creates it and says so.
	answer func(request plan.CreateRequest, n int) reply
	// listErr and findErr fail the reads; details overrides a detail.
	listErr, findErr error
	details          map[string]plan.RemoteDetail
	modify           func(id string) error // fails a change before it takes effect
	lag              time.Duration         // until a new job is listed
	latency          time.Duration
	status           func(cloudJob) string // nil: all run

	mu      sync.Mutex
	jobs    []cloudJob
	made    int            // jobs ever made: ids are not used again
	creates map[string]int // requests received, by job name
	nonces  map[string]bool
	calls   map[string]int
	busy    int // creates under way
	busiest int
}

type cloudJob struct {
	plan.RemoteJob
	spec plan.Spec
	at   time.Time
}

// reply is what the cloud does with a create: whether it takes effect, when,
// and what the client gets to hear.
type reply struct {
	create  bool
	after   time.Duration // effect delayed past the answer
	outcome *plan.Outcome // nil: the truth
}

func newCloud(t *testing.T, ledger string) *cloud {
	return &cloud{t: t, ledger: ledger, creates: map[string]int{}, nonces: map[string]bool{}, calls: map[string]int{}}
}

func (c *cloud) Create(ctx context.Context, request plan.CreateRequest) plan.Outcome {
	c.witness(request)
	n := c.enter(request)
	defer c.leave()
	if err := waitFor(ctx, c.latency); err != nil {
		return plan.Outcome{Why: "cancelled", Failure: plan.FailureTemporary}
	}
	r := reply{create: true}
	if c.answer != nil {
		r = c.answer(request, n)
	}
	id := ""
	if r.create {
		id = c.add(request.Spec, time.Now().Add(r.after))
	}
	if r.outcome != nil {
		return *r.outcome
	}
	return plan.Outcome{Verdict: plan.VerdictCreated, JobID: id, RequestID: "req-" + id, ServerTime: time.Now()}
}

// witness fails the test unless the request is a committed intent.
func (c *cloud) witness(request plan.CreateRequest) {
	reader, err := store.OpenReadOnly(context.Background(), c.ledger)
	if err != nil {
		c.t.Errorf("witness: %v", err)
		return
	}
	defer reader.Close()
	attempt, found, err := reader.AttemptByNonce(context.Background(), request.Nonce)
	switch {
	case err != nil || !found:
		c.t.Errorf("witness: a create of %q arrived whose nonce is not on disk (%v)", request.Spec.Name, err)
	case attempt.Outcome != plan.StateIntent || !attempt.SignedAt.Equal(request.SignedAt):
		c.t.Errorf("witness: create of %q arrived while its attempt is %s, signed %v, on disk %v",
			request.Spec.Name, attempt.Outcome, request.SignedAt, attempt.SignedAt)
	}
}

// witnessChange fails the test unless the change is promised in the ledger.
func (c *cloud) witnessChange(request plan.ChangeRequest) {
	reader, err := store.OpenReadOnly(context.Background(), c.ledger)
	if err != nil {
		c.t.Errorf("witness: %v", err)
		return
	}
	defer reader.Close()
	live, err := reader.Live(context.Background(), request.Region)
	for _, e := range live {
		if e.JobID == request.JobID && e.Pending.Operation == request.Operation && e.Pending.SignedAt.Equal(request.SignedAt) {
			return
		}
	}
	c.t.Errorf("witness: %s of %s arrived without a promise on disk (%v)", request.Operation, request.JobID, err)
}

func (c *cloud) enter(request plan.CreateRequest) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nonces[request.Nonce] {
		c.t.Errorf("nonce of %q was sent twice", request.Spec.Name)
	}
	c.nonces[request.Nonce] = true
	c.creates[request.Spec.Name]++
	c.busy++
	c.busiest = max(c.busiest, c.busy)
	return c.creates[request.Spec.Name]
}

func (c *cloud) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.busy--
}

// add makes a job that takes effect at the given time.
func (c *cloud) add(spec plan.Spec, at time.Time) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made++
	id := fmt.Sprintf("aps-%04d", c.made)
	c.jobs = append(c.jobs, cloudJob{plan.RemoteJob{
		ID: id, Name: spec.Name, SourceInstance: spec.Source.Instance,
		DestinationInstance: spec.Destination.Instance, Status: "Running",
	}, spec, at})
	return id
}

func (c *cloud) remove(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.jobs = slices.DeleteFunc(c.jobs, func(j cloudJob) bool { return j.Name == name })
}

func (c *cloud) listed(match func(cloudJob) bool) []plan.RemoteJob {
	c.mu.Lock()
	defer c.mu.Unlock()
	var jobs []plan.RemoteJob
	for _, job := range c.jobs {
		if !time.Now().Before(job.at.Add(c.lag)) && match(job) {
			if c.status != nil {
				job.Status = c.status(job)
			}
			jobs = append(jobs, job.RemoteJob)
		}
	}
	slices.SortFunc(jobs, func(a, b plan.RemoteJob) int { return cmp.Compare(a.ID, b.ID) })
	return jobs
}

func (c *cloud) count(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[operation]++
}

func (c *cloud) List(ctx context.Context, region string, agree bool) (plan.Listing, error) {
	c.count("list")
	c.mu.Lock()
	failed := c.listErr
	c.mu.Unlock()
	if failed != nil {
		return plan.Listing{}, failed
	}
	jobs := c.listed(func(j cloudJob) bool { return j.spec.Region == region })
	return plan.Listing{Region: region, Jobs: jobs, ServerStart: time.Now(), ServerEnd: time.Now(), Agreed: agree}, ctx.Err()
}

func (c *cloud) Find(ctx context.Context, region, name string) ([]plan.RemoteJob, error) {
	c.count("find")
	if c.findErr != nil {
		return nil, c.findErr
	}
	return c.listed(func(j cloudJob) bool { return j.spec.Region == region && j.Name == name }), ctx.Err()
}

func (c *cloud) Change(_ context.Context, request plan.ChangeRequest) error {
	id := request.JobID
	c.witnessChange(request)
	c.count("modify")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.modify != nil {
		if err := c.modify(id); err != nil {
			return err
		}
	}
	for i := range c.jobs {
		if c.jobs[i].ID != id {
			continue
		}
		switch request.Operation {
		case plan.OperationModify:
			c.jobs[i].spec.DBList, c.jobs[i].spec.PartitionList = request.DBList, request.PartitionList
		case plan.OperationDelete:
			c.jobs = slices.Delete(c.jobs, i, i+1)
		default:
			c.jobs[i].Status = map[plan.Operation]string{plan.OperationStart: "Running", plan.OperationSuspend: "Suspended"}[request.Operation]
		}
		return nil
	}
	return &plan.CallError{Operation: string(request.Operation), Failure: plan.FailureOther, Why: "no such job", Code: "InvalidInput"}
}

// setObjects changes a job behind an answer; c.mu is held.
func (c *cloud) setObjects(id, dbList string) {
	for i := range c.jobs {
		if c.jobs[i].ID == id {
			c.jobs[i].spec.DBList = dbList
		}
	}
}

func (c *cloud) Detail(_ context.Context, _, id string) (plan.RemoteDetail, error) {
	c.count("detail")
	if detail, ok := c.details[id]; ok {
		return detail, nil
	}
	for _, job := range c.listed(func(j cloudJob) bool { return j.ID == id }) {
		spec := c.specOf(job.ID)
		return plan.RemoteDetail{
			ID: id, SourceInstance: spec.Source.Instance, DestinationInstance: spec.Destination.Instance,
			DBList: spec.DBList, PartitionList: spec.PartitionList, Status: job.Status,
		}, nil
	}
	return plan.RemoteDetail{}, &plan.CallError{Operation: "DescribeApsJobDetail", Failure: plan.FailureOther, Why: "no such job", Code: "InvalidInput"}
}

func (c *cloud) specOf(id string) plan.Spec {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, job := range c.jobs {
		if job.ID == id {
			return job.spec
		}
	}
	return plan.Spec{}
}

// sent is the number of create requests received.
func (c *cloud) sent() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, count := range c.creates {
		n += count
	}
	return n
}

// duplicates is the number of jobs beyond the first of each name.
func (c *cloud) duplicates() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen, n := map[string]bool{}, 0
	for _, job := range c.jobs {
		if seen[job.Name] {
			n++
		}
		seen[job.Name] = true
	}
	return n
}

func waitFor(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
