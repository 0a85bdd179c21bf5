package runner_test

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// list answers one page, with the lies that are due.
func (c *simCloud) list(p *proc, r simRequest, x *fate) answer {
	if x.refusal != nil {
		return *x.refusal
	}
	region, name := r.form.Get("RegionId"), r.form.Get("ApsJobName")
	number, _ := strconv.Atoi(r.form.Get("PageNumber"))
	asked, _ := strconv.Atoi(r.form.Get("PageSize"))
	if region == "" || number < 1 || asked < 1 {
		return refuse(http.StatusBadRequest, "MissingPageNumber", "")
	}
	if number > 1 {
		c.churn(p, region)
	}
	jobs := c.honestBut(p, region, name, number, x)
	size := min(asked, c.pageSize)
	total := strconv.Itoa(len(jobs))
	from := min((number-1)*size, len(jobs))
	page := jobs[from:min(from+size, len(jobs))]
	if f := c.h.active(missingPage, p.n); f != nil && (number == f.n || len(c.unrecorded(page)) > 0) {
		page = nil
	}
	if f := c.h.active(wrongTotal, p.n); f != nil && c.h.dice.chance(f.odds, "total", p.id, c.listed[region]) {
		total = [...]string{strconv.Itoa(len(jobs) + 1), strconv.Itoa(len(jobs) - 1), "abc", "", "-1", "9"}[f.n]
		if c.h.active(missingPage, p.n) != nil && f.n != 2 && f.n != 3 {
			// A total that leaves out just the jobs of the missing page is that of a
			// smaller service: where no canary is known, nothing can tell.
			total = strconv.Itoa(len(jobs) + 1)
		}
	}
	c.listed[region]++
	rows := make([]map[string]any, len(page))
	for i, job := range page {
		rows[i] = row(job, job.status(time.Now(), c.needsStart))
	}
	a := success(map[string]any{
		"PageNumber": strconv.Itoa(number), "PageSize": strconv.Itoa(size), "TotalCount": total, "APSJobs": rows,
	})
	if x.spoil {
		return spoilt(x)
	}
	return a
}

func row(job *simJob, status string) map[string]any {
	return map[string]any{
		"ApsJobId": job.id, "ApsJobName": job.name, "SourceInstanceID": job.source,
		"DestinationInstanceID": job.dest, "Status": status, "SubStatus": "-",
		"CreateTime": "2022-06-28 15:00:04", "Delay": 0, "Projress": "30", "ErrMessage": "OK",
	}
}

// honestBut is what the listing is taken from: the visible jobs without those
// that a fault hides.
func (c *simCloud) honestBut(p *proc, region, name string, number int, x *fate) (shown []*simJob) {
	jobs := c.visible(region, name)
	honest := slices.Clone(jobs)
	defer func() { c.regret(honest, shown) }()
	if f := c.h.active(hideCluster, p.n); f != nil {
		if cluster := c.hiddenCluster(f, region); cluster != "" {
			jobs = slices.DeleteFunc(jobs, func(j *simJob) bool { return j.dest == cluster || j.source == cluster })
		}
	}
	if f := c.h.active(flap, p.n); f != nil && c.flaps(p, region, name, number, x) {
		jobs = slices.DeleteFunc(jobs, func(j *simJob) bool { return c.h.dice.chance(0.5, "flap", p.n, j.id) })
	}
	return jobs
}

// regret excuses what comes of hiding a job of others with a wanted name: that a
// job is made beside it.
func (c *simCloud) regret(honest, shown []*simJob) {
	for _, job := range honest {
		if !job.ours() && c.h.wants(job.name) && !slices.Contains(shown, job) {
			c.h.excuse(job.name, "the listing hides a job of others")
		}
	}
}

// flaps reports whether this scan hides jobs. No protocol can tell a job that
// two scans in a row hide from one that is not there; one that the first look
// misses and the next shows, it can. So the first two complete scans of a
// process may hide, the first being the one that only asks whether a second is
// needed, and then every other one.
func (c *simCloud) flaps(p *proc, region, name string, number int, x *fate) bool {
	key := fmt.Sprint(p.id, region, name != "")
	if number == 1 && x.delivered() {
		c.scans[key]++
	}
	n := c.scans[key]
	return n == 1 || n%2 == 0
}

// hiddenCluster is the instance whose jobs the credentials may not see; "" as
// long as the ledger knows no job of it, since then nothing could tell.
func (c *simCloud) hiddenCluster(f *fault, region string) string {
	live, err := c.h.witness.Live(c.h.background, region)
	if err != nil {
		c.h.violate("harness", "the witness cannot read: %v", err)
		return ""
	}
	cluster := func(j *simJob) string {
		if f.yes {
			return j.source
		}
		return j.dest
	}
	hidden := ""
	open := c.unrecorded(c.jobs)
	for _, entry := range live {
		job := c.byID(entry.JobID)
		if job == nil || !job.stays(time.Now()) {
			continue
		}
		hidden = cluster(job)
		if slices.ContainsFunc(open, func(j *simJob) bool { return cluster(j) == hidden }) {
			break // it hides what somebody looks for
		}
	}
	return hidden
}

// unrecorded are the jobs of ours among jobs that the ledger has not as created:
// those whose absence would matter.
func (c *simCloud) unrecorded(jobs []*simJob) []*simJob {
	recorded := c.recorded()
	return slices.DeleteFunc(slices.Clone(jobs), func(j *simJob) bool { return !j.ours() || recorded[j.id] })
}

// recorded are the jobs that the ledger has.
func (c *simCloud) recorded() map[string]bool {
	recorded := map[string]bool{}
	for _, region := range c.h.regions {
		live, err := c.h.witness.Live(c.h.background, region)
		c.h.ledgerError(err)
		for _, e := range live {
			recorded[e.JobID] = true
		}
	}
	return recorded
}

// churn moves the pages under whoever is reading them: others delete the job
// at the front and make one at the end, so that the total stays and the job at
// the page's edge is passed over. They leave alone what was adopted, or may be.
func (c *simCloud) churn(p *proc, region string) {
	f := c.h.active(churn, p.n)
	if f == nil || !c.h.dice.chance(f.odds, "churn", p.id, c.listed[region]) {
		return
	}
	now, recorded := time.Now(), c.recorded()
	for _, job := range c.visible(region, "") {
		if job.ours() || c.h.wants(job.name) || recorded[job.id] || c.h.isTwin(job) {
			continue
		}
		job.gone = now
		spec := c.h.spec(fmt.Sprintf("other-%d", len(c.jobs)))
		spec.Region = region
		c.foreign(spec, now)
		return
	}
}
