package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
)

// Twin is a listed job that may be one that is to be created, under a name that it had
// before: it has its source and destination, and no entry of the ledger has it.
type Twin struct {
	Region string
	Job    RemoteJob
	// Detail is what its details say, its objects among them; nil where Err says why they
	// could not be read.
	Detail *RemoteDetail
	Err    error

	namesake *Job // the job of the plan that has its name, nil for none
}

// pair is what a listing tells of the work of a job: region, source and destination.
type pair [3]string

func (s *Spec) pair() pair { return pair{s.Region, s.Source.Instance, s.Destination.Instance} }

// FindTwins returns the twins of changes, each of which may come to a create, by region
// and id. Their details are for the caller to read. owners are the entries of all plans
// that have a job, by its id.
func FindTwins(p *Plan, changes []Change, listings map[string]Listing, owners map[string]Entry) []Twin {
	var twins []Twin
	var pairs map[pair]bool
	var names map[[2]string]*Job
	for _, region := range slices.Sorted(maps.Keys(listings)) {
		for _, job := range listings[region].Jobs {
			if _, owned := owners[job.ID]; owned {
				continue
			}
			if pairs == nil { // mostly there is no such job
				pairs, names = pairsOf(changes), namesOf(p)
			}
			if pairs[pair{region, job.SourceInstance, job.DestinationInstance}] {
				twins = append(twins, Twin{Region: region, Job: job, namesake: names[[2]string{region, job.Name}]})
			}
		}
	}
	return twins
}

func pairsOf(changes []Change) map[pair]bool {
	pairs := map[pair]bool{}
	for i := range changes {
		pairs[changes[i].Job.pair()] = true
	}
	return pairs
}

// namesOf are the wanted jobs by region and name.
func namesOf(p *Plan) map[[2]string]*Job {
	names := make(map[[2]string]*Job, len(p.Jobs))
	for i := range p.Jobs {
		names[[2]string{p.Jobs[i].Region, p.Jobs[i].Name}] = &p.Jobs[i]
	}
	return names
}

// isNamesake reports whether the twin is the job of its name, and so no other's. Names go
// round where jobs are renamed: one that is for something else may be another's.
func (t *Twin) isNamesake() bool {
	return t.namesake != nil && len(DisagreeListed(t.namesake.Spec, t.Job)) == 0 && len(DisagreeDetail(t.namesake.Spec, *t.Detail)) == 0
}

// Unjudged returns those of twins that the ledger says nothing of: that no entry has, that
// a conflict or duplicate is not about, and that were not there before a job of the plan, as one was
// that apsctl deleted and that is listed still.
func Unjudged(twins []Twin, ledger Snapshot) []Twin {
	judged := map[string]bool{}
	note := func(ids []string) {
		for _, id := range ids {
			judged[id] = true
		}
	}
	for _, e := range ledger.Entries {
		judged[e.JobID] = true // it may have been found just now
		note(e.Candidates)
		note(e.Baseline)
	}
	for _, e := range ledger.Elsewhere {
		note(e.Candidates)
	}
	return slices.DeleteFunc(slices.Clone(twins), func(t Twin) bool { return judged[t.Job.ID] })
}

// data is what a job synchronises, to the last word: its pair and objects. Equal data
// is agreement in all that DisagreeListed and DisagreeDetail compare but for the region
// of the source, which need not be said.
type data struct {
	pair
	dbList, partitionList string
}

// data takes the objects as they are, since a spec has them in their canonical form and
// they may be large.
func (s *Spec) data() data {
	partitions := s.PartitionList
	if partitions == "{}" || partitions == "null" {
		partitions = ""
	}
	return data{s.pair(), s.DBList, partitions}
}

// DataKey is a short digest of what a job synchronises: its region, source, destination
// and objects. It tells jobs for the same from others, in a note that has no room for all of
// that; two that differ may have the same one once in 2^64.
func (s *Spec) DataKey() string {
	d := s.data()
	h := sha256.New()
	for _, part := range [...]string{d.pair[0], d.pair[1], d.pair[2], d.dbList, d.partitionList} {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// alike are wanted jobs without a job, that nothing but their names tells apart.
type alike struct {
	spec  *Spec
	names []string
	found []*twinFound
}

// twinFound is a twin and the jobs that it agrees with.
type twinFound struct {
	Twin
	groups []*alike
}

// twinIndex holds twins against wanted jobs without a walk over the one for each of the
// other.
type twinIndex struct {
	same   map[data][]*alike
	unread map[pair]error
	groups map[string]*alike // by the names of their jobs
}

// newTwinIndex takes the changes of the whole plan: also a job that is blocked may be the
// one that a twin is.
func newTwinIndex(changes []Change, twins []Twin) *twinIndex {
	x := &twinIndex{
		same: map[data][]*alike{}, unread: map[pair]error{}, groups: map[string]*alike{},
	}
	wanted := map[pair]bool{} // what no twin has needs no look
	for i := range twins {
		wanted[twins[i].pair()] = true
	}
	for i := range changes {
		if c := &changes[i]; c.lacksJob() && wanted[c.Job.pair()] {
			x.want(c.Job)
		}
	}
	for i := range twins {
		x.hold(&twins[i])
	}
	return x
}

func (t *Twin) pair() pair { return pair{t.Region, t.Job.SourceInstance, t.Job.DestinationInstance} }

// lacksJob reports whether c is about a wanted job that has none, or is to have another.
func (c *Change) lacksJob() bool {
	switch c.Kind {
	case KindCreate, KindReplace:
		return true
	case KindResolve, KindBlocked:
		return c.Job != nil && c.State() != StateCreated
	}
	return false
}

func (x *twinIndex) want(job *Job) {
	key := job.data()
	for _, g := range x.same[key] {
		if g.spec.Source.Region == job.Source.Region {
			g.names = append(g.names, job.Name)
			x.groups[job.Name] = g
			return
		}
	}
	g := &alike{spec: &job.Spec, names: []string{job.Name}}
	x.same[key] = append(x.same[key], g)
	x.groups[job.Name] = g
}

func (x *twinIndex) hold(t *Twin) {
	at := t.pair()
	switch {
	case t.Detail == nil:
		x.unread[at] = t.Err
	case t.isNamesake():
	default:
		f := &twinFound{Twin: *t}
		for _, g := range x.same[data{at, canonicalOr(t.Detail.DBList), canonicalOr(t.Detail.PartitionList)}] {
			if len(DisagreeDetail(*g.spec, *t.Detail)) == 0 {
				f.groups, g.found = append(f.groups, g), append(g.found, f)
			}
		}
	}
}

// of returns the twins that agree with a job, and whether it is certain that there is one,
// which can be no other's. The error says that one could not be compared.
func (x *twinIndex) of(job *Job) (found []*twinFound, only bool, err error) {
	g := x.groups[job.Name]
	if g == nil {
		return nil, false, nil
	}
	if err := x.unread[job.pair()]; err != nil {
		return nil, false, err
	}
	only = len(g.found) == 1 && len(g.found[0].groups) == 1 && len(g.names) == 1
	return g.found, only, nil
}
