package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
)

func newJobStand(j Job) jobStand {
	s := jobStand{
		Plan: j.Plan, Name: j.Name, Stand: standOf(j), State: j.State, Region: j.Region,
		Source: j.Spec.Source.Instance, Destination: j.Spec.Destination.Instance, JobID: j.JobID,
		Attempts: j.Attempt, UpdatedAt: j.UpdatedAt, Code: j.Code, Reason: j.Reason, WayOut: j.WayOut,
		failure: j.Failure,
	}
	s.Tone = s.Stand.tone()
	if r := j.Remote; r != nil {
		s.Service = &jobListing{r.Status, r.Progress, r.Delay, r.ErrorMessage, j.Duplicates, jsonform.Logs(j.Logs)}
	}
	return s
}

func standOf(j Job) stand {
	switch {
	case j.State.Unresolved():
		return standUnknown
	case j.State.NeedsPerson():
		return standPerson
	case j.State != plan.StateCreated:
		return standFailed
	case !j.Asked:
		return standCreated
	case j.Remote == nil:
		return standUnlisted
	}
	switch plan.ClassOf(j.Remote.Status) {
	case plan.ClassRunning:
		return standRunning
	case plan.ClassFailed:
		return standUnhealthy
	case plan.ClassSuspended:
		return standSuspended
	}
	return standStarting
}

func newUnknownStand(e plan.Entry, now time.Time, settle time.Duration) unknownStand {
	u := unknownStand{Plan: e.Plan, Name: e.Name, Attempt: e.Attempt, Reason: e.Reason}
	if !e.SignedAt.IsZero() {
		settles := e.SignedAt.Add(settle).UTC()
		u.SentAt, u.SettlesAt, u.Due = jsonform.Time(e.SignedAt), &settles, !now.Before(settles)
	}
	return u
}

// compareTimes puts what is not known last.
func compareTimes(x, y *time.Time) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	return x.Compare(*y)
}

// planStands lists the plans, by name. How many jobs a plan wants is what the last
// apply of all of it counted.
func planStands(jobs []jobStand, runs []Run) []planStand {
	byName := map[string]*planStand{}
	at := func(name string) *planStand {
		if byName[name] == nil {
			byName[name] = &planStand{Plan: name}
		}
		return byName[name]
	}
	for _, j := range jobs {
		p := at(j.Plan)
		p.Jobs++
		if j.State == plan.StateCreated {
			p.Created++
		}
	}
	for _, r := range runs { // newest first
		if r.Plan != "" {
			p := at(r.Plan)
			p.LastRun = cmp.Or(p.LastRun, r.ID)
		}
	}
	for _, applies := range lastApplies(runs) {
		p := at(applies[0].Plan)
		p.Missing = applies.missing(p.Jobs)
	}
	all := []planStand{}
	for _, p := range byName {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(x, y planStand) int { return cmp.Compare(x.Plan, y.Plan) })
	return all
}

func countEndpoints(jobs []jobStand) endpointCounts {
	regions, sources, destinations := map[string]bool{}, map[[2]string]bool{}, map[[2]string]bool{}
	c := endpointCounts{Regions: []string{}}
	for _, j := range jobs {
		if !regions[j.Region] {
			regions[j.Region], c.Regions = true, append(c.Regions, j.Region)
		}
		sources[[2]string{j.Region, j.Source}], destinations[[2]string{j.Region, j.Destination}] = true, true
	}
	slices.Sort(c.Regions)
	c.Sources, c.Destinations = len(sources), len(destinations)
	return c
}

// countStands counts the jobs, those that are in no ledger yet too.
func (r *Report) countStands() {
	byStand, byState := map[stand]int{}, map[plan.State]int{}
	for _, j := range r.Jobs {
		byStand[j.Stand]++
		byState[j.State]++
	}
	for _, p := range r.Plans {
		byStand[standNotStarted] += p.Missing
	}
	r.Stands = standCounts(byStand)
	for _, c := range r.Stands {
		r.Total += c.Jobs
	}
	r.States = []stateCount{}
	for _, s := range plan.States {
		if n := byState[s]; n > 0 {
			r.States = append(r.States, stateCount{s, n})
		}
	}
}

// standCounts lists what is there, in the order of stands.
func standCounts(n map[stand]int) []standCount {
	counts := []standCount{}
	for _, s := range stands {
		if n[s.stand] > 0 {
			counts = append(counts, standCount{s.stand, s.tone, s.meaning, n[s.stand]})
		}
	}
	return counts
}

// Exist is the number of jobs on the service, as far as is known.
func (r Report) Exist() int {
	n := 0
	for _, c := range r.Stands {
		if c.Stand.exists() {
			n += c.Jobs
		}
	}
	return n
}

// attention is the number of jobs that somebody has to do something about.
func (r Report) attention() int {
	n := 0
	for _, g := range r.Failures {
		n += g.Jobs - g.told
	}
	return n
}

// sourceStands lists the sources: those with something wrong first, then the
// larger ones.
func sourceStands(jobs []jobStand) []sourceStand {
	type key struct{ region, source string }
	counts := map[key]map[stand]int{}
	for _, j := range jobs {
		k := key{j.Region, j.Source}
		if counts[k] == nil {
			counts[k] = map[stand]int{}
		}
		counts[k][j.Stand]++
	}
	all := []sourceStand{}
	wrong := map[key]int{}
	for k, n := range counts {
		s := sourceStand{Region: k.region, Source: k.source, Stands: standCounts(n)}
		for _, c := range s.Stands {
			s.Jobs += c.Jobs
			if c.Stand.exists() {
				s.Exist += c.Jobs
			}
			if c.Tone == toneBad || c.Tone == tonePerson || c.Tone == toneWait {
				wrong[k] += c.Jobs
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y sourceStand) int {
		return cmp.Or(cmp.Compare(wrong[key{y.Region, y.Source}], wrong[key{x.Region, x.Source}]), cmp.Compare(y.Jobs, x.Jobs),
			cmp.Compare(x.Region, y.Region), cmp.Compare(x.Source, y.Source))
	})
	return all
}
