package runner_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// What the creation protocol assumes about the service.
const (
	timeWindow = 15 * time.Minute // age of a signed date that is still accepted
	timeWork   = 5 * time.Minute  // from acceptance to the job
	timeLag    = 10 * time.Minute // from the job to its first listing
	timeSettle = 31 * time.Minute
)

// simCloud is the service of one history. What a request does is decided when
// it is sent, with the moments at which it does it, so that the cloud needs no
// goroutine: it is asked what is there by now.
type simCloud struct {
	h        *history
	jobs     []*simJob
	received map[string]time.Time // by nonce: when a create first arrived
	pageSize int
	newest   bool          // the order of listings
	filter   string        // how names are filtered: exact, fuzzy or ignored
	forgets  bool          // does not remember nonces
	lag      time.Duration // until a new job is listed, at most
	scans    map[string]int
	listed   map[string]int
	// Whether a new job has to be started, and a running one be suspended before it
	// can be deleted or changed.
	needsStart, deletesSuspended, modifiesSuspended bool
	// Whether the id of a job that is not listed yet is nobody's.
	idsLate bool
}

func newSimCloud(h *history) *simCloud {
	rng, habits := h.dice.roll("cloud"), h.dice.roll("habits")
	return &simCloud{
		h: h, received: map[string]time.Time{}, scans: map[string]int{}, listed: map[string]int{},
		pageSize: oneOf(rng, 2, 2, 3, 5, 30), newest: rng.IntN(2) == 0,
		filter: oneOf(rng, "exact", "fuzzy", "ignored"), forgets: rng.IntN(2) == 0,
		needsStart: habits.IntN(2) == 0, deletesSuspended: habits.IntN(2) == 0,
		modifiesSuspended: h.dice.roll("rests").IntN(3) == 0,
		idsLate:           h.dice.roll("ids").IntN(2) == 0,
		lag:               oneOf(rng, 2*time.Second, 2*time.Second, 20*time.Second, 3*time.Minute),
	}
}

func (c *simCloud) byID(id string) *simJob {
	for _, job := range c.jobs {
		if job.id == id {
			return job
		}
	}
	return nil
}

// known is the job that the service knows by an id, nil for none.
func (c *simCloud) known(id string) *simJob {
	job := c.byID(id)
	if job == nil || !job.exists(time.Now()) || c.idsLate && !job.isListed(time.Now()) {
		return nil
	}
	return job
}

// serve answers one request that p sent just now.
func (c *simCloud) serve(p *proc, r simRequest, x *fate) answer {
	switch r.op {
	case opCreate:
		return c.create(p, r, x)
	case opList:
		return c.list(p, r, x)
	case opDetail:
		return c.detail(p, r, x)
	case opModify, opStart, opSuspend, opDelete:
		return c.change(p, r, x)
	}
	c.h.violate("I6", "p%d sent %s, which apply has no business with", p.id, r.op)
	return refuse(http.StatusBadRequest, "InvalidAction.NotFound", "")
}

func (c *simCloud) create(p *proc, r simRequest, x *fate) answer {
	name := r.form.Get("ApsJobName")
	if !x.arrives {
		c.h.log("p%d create %s: %s", p.id, name, x.why)
		return answer{}
	}
	now := time.Now()
	a, what := c.receive(p, r, x, now.Add(x.transit))
	c.h.log("p%d create %s: %s, %s", p.id, name, what, cmp.Or(string(x.why), "answered"))
	if x.copyAfter > 0 {
		again := *x
		again.refusal, again.executes, again.work = nil, true, time.Second
		_, what := c.receive(p, r, &again, now.Add(x.transit+x.copyAfter))
		c.h.log("p%d create %s again: %s", p.id, name, what)
	}
	return a
}

// receive is one copy of a create arriving at the gateway at that moment.
func (c *simCloud) receive(p *proc, r simRequest, x *fate, at time.Time) (a answer, what string) {
	if at.Sub(r.date).Abs() > timeWindow {
		return refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", r.echo), "its date is refused"
	}
	_, known := c.received[r.nonce]
	if known && !c.forgets {
		return refuse(http.StatusBadRequest, "SignatureNonceUsed", r.echo), "its nonce is refused"
	}
	c.received[r.nonce] = at
	for _, name := range []string{"RegionId", "ApsJobName", "SourceEndpointInstanceID", "DestinationEndpointInstanceID", "DbList"} {
		if r.form.Get(name) == "" {
			return refuse(http.StatusBadRequest, "Missing"+name, r.echo), name + " is missing"
		}
	}
	if x.refusal != nil {
		return *x.refusal, fmt.Sprintf("refused with HTTP %d", x.refusal.status)
	}
	if !x.executes {
		return failed(x, r, ""), "not executed"
	}
	job := c.execute(p, r, at.Add(x.work), x.lag)
	what = fmt.Sprintf("job %s at %s, listed at %s", job.id, c.h.moment(job.at), c.h.moment(job.listedAt))
	if known {
		c.h.excuse(job.name, "the service executed a replayed request")
	}
	return failed(x, r, job.id), what
}

func (c *simCloud) execute(p *proc, r simRequest, at time.Time, lag time.Duration) *simJob {
	job := c.add(&simJob{
		name: r.form.Get("ApsJobName"), region: r.form.Get("RegionId"),
		source: r.form.Get("SourceEndpointInstanceID"), dest: r.form.Get("DestinationEndpointInstanceID"),
		dbList: r.form.Get("DbList"), nonce: r.nonce, at: at, listedAt: at.Add(lag),
	})
	if lag > timeLag {
		c.h.excuse(job.name, "it was listed later than is assumed")
	}
	if f := c.h.strike(deletion, p, "deletion", job.id); f != nil {
		job.gone = at.Add(between(c.h.dice.roll("deleted", job.id), time.Second, 40*time.Minute))
		c.h.log("others will delete %s at %s", job.id, c.h.moment(job.gone))
	}
	return job
}

func (c *simCloud) add(job *simJob) *simJob {
	job.id = fmt.Sprintf("aps-%04d", len(c.jobs)+1)
	c.jobs = append(c.jobs, job)
	return job
}

// foreign makes a job that apsctl did not ask for.
func (c *simCloud) foreign(spec plan.Spec, at time.Time) *simJob {
	return c.add(&simJob{
		name: spec.Name, region: spec.Region, source: spec.Source.Instance,
		dest: spec.Destination.Instance, dbList: spec.DBList, at: at, listedAt: at,
	})
}

func (c *simCloud) detail(p *proc, r simRequest, x *fate) answer {
	if x.refusal != nil {
		return *x.refusal
	}
	job := c.known(r.form.Get("ApsJobId"))
	if job == nil {
		return refuse(http.StatusBadRequest, "InvalidInput", "")
	}
	return success(map[string]any{"APSJobDetail": map[string]any{
		"SourceEndpointInstanceID": job.source, "DestinationEndpointInstanceID": job.dest,
		"DbList": job.objects(time.Now()), "PartitionList": map[string]any{}, "TargetTableMode": 0, "Status": job.status(time.Now(), c.needsStart),
	}})
}

// change is a request that changes an existing job. Only one that the ledger has
// as created, with this request promised, may be touched, and deleted only what
// the plan does not want as it is.
func (c *simCloud) change(p *proc, r simRequest, x *fate) answer {
	job := c.known(r.form.Get("ApsJobId"))
	if job == nil {
		return refuse(http.StatusBadRequest, "InvalidInput", r.echo)
	}
	if r.op == opModify && r.form.Get("PartitionList") == "" {
		c.h.violate("I6", "p%d changes %s without saying both lists", p.id, job.id)
	}
	c.h.checkChange(p, r, job)
	if !x.arrives {
		c.h.log("p%d %s of %s: %s", p.id, r.op, job.id, x.why)
		return answer{}
	}
	a := c.receiveChange(p, r, x, job, time.Now().Add(x.transit))
	if x.copyAfter > 0 {
		again := *x
		again.refusal, again.executes = nil, true
		c.receiveChange(p, r, &again, job, time.Now().Add(x.transit+x.copyAfter))
	}
	return a
}

// receiveChange is one copy of a change arriving at the gateway.
func (c *simCloud) receiveChange(p *proc, r simRequest, x *fate, job *simJob, at time.Time) answer {
	if at.Sub(r.date).Abs() > timeWindow {
		return refuse(http.StatusBadRequest, "InvalidTimeStamp.Expired", r.echo)
	}
	_, known := c.received[r.nonce]
	if known && !c.forgets {
		return refuse(http.StatusBadRequest, "SignatureNonceUsed", r.echo)
	}
	c.received[r.nonce] = at
	if x.refusal != nil {
		return *x.refusal
	}
	if !c.fits(r.op, job, at) {
		return refuse(http.StatusBadRequest, "IncorrectDBInstanceState", r.echo)
	}
	// Success says of a change that it is carried out, without an id: that nothing happens
	// then, beside a listing that hides the job, is more than any protocol can see.
	if x.executes || x.why == noID {
		at = at.Add(x.work)
		c.h.log("p%d %s of %s of %s at %s %s", p.id, r.op, job.id, job.name, c.h.moment(at), r.form.Get("DbList"))
		job.take(r, at)
		if known {
			c.h.excuse(job.name, "the service executed a replayed request")
		}
	}
	if x.spoil {
		return spoilt(x)
	}
	return success(map[string]any{})
}

// fits reports whether a job is in the state that the operation asks for.
func (c *simCloud) fits(op string, job *simJob, at time.Time) bool {
	status := job.status(at, c.needsStart)
	switch op {
	case opStart:
		return status != "Running"
	case opSuspend:
		return status == "Running"
	case opDelete:
		return !c.deletesSuspended || status != "Running"
	case opModify:
		return !c.modifiesSuspended || status != "Running"
	}
	return true
}

// visible are the jobs that a listing shows now, were it honest.
func (c *simCloud) visible(region, name string) []*simJob {
	now := time.Now()
	var jobs []*simJob
	for _, job := range c.jobs {
		if job.region == region && job.isListed(now) && c.passes(job.name, name) {
			jobs = append(jobs, job)
		}
	}
	slices.SortFunc(jobs, func(a, b *simJob) int { return strings.Compare(a.id, b.id) })
	if c.newest {
		slices.Reverse(jobs)
	}
	return jobs
}

// passes is the service's filter by name, of which nothing is documented.
func (c *simCloud) passes(name, filter string) bool {
	switch {
	case filter == "" || c.filter == "ignored":
		return true
	case c.filter == "fuzzy":
		return strings.Contains(strings.ToLower(name), strings.ToLower(filter))
	}
	return name == filter
}

// takenID is a job id that the ledger has on record, "" if there is none. An
// answer with another job's id that nobody has recorded yet would be believed,
// by any client.
func (h *history) takenID(region string) string {
	live, err := h.witness.Live(h.background, region)
	if h.ledgerError(err) || len(live) == 0 {
		return ""
	}
	return live[0].JobID
}
