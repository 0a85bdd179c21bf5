package plan

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
)

// Defaults of the limits that the service documents (docs/aps-api.md, section 0).
// Nothing says whether it holds to them, so they only warn.
var (
	servicePerSourceDefault = LimitTo(3)
	servicePerRegionDefault = LimitTo(30)
)

// Crowds are the places of one sort that would have more jobs than the service
// documents, the fullest first.
type Crowds struct {
	Per    string // "source" or "region"
	Key    string // of the plan, that sets the limit
	Limit  int
	Places []Tally // name and jobs
}

// FindCrowds counts the jobs that each source instance and region would have, where
// something is to be created there: those of the plan, those that left it, and
// where listings has the region, those of others. It returns what is over a limit.
func FindCrowds(p *Plan, changes []Change, listings map[string]Listing, limits Limits) []Crowds {
	sources, regions := map[string]int{}, map[string]int{}
	growing := map[string]bool{} // regions and, behind a blank, sources
	add := func(region, source string) {
		sources[source]++
		regions[region]++
	}
	counted := map[string]bool{} // ids
	for i := range p.Jobs {
		add(p.Jobs[i].Region, p.Jobs[i].Source.Instance)
	}
	for i := range changes {
		c := &changes[i]
		spec := c.Spec()
		if c.Kind == KindCreate {
			growing[spec.Region], growing[" "+spec.Source.Instance] = true, true
		}
		if c.Entry != nil {
			counted[c.Entry.JobID] = true
		}
		if c.Job == nil && c.Kind != KindDelete && c.State() == StateCreated {
			add(spec.Region, spec.Source.Instance)
		}
		if c.State() != StateCreated && len(c.Remote) > 0 {
			counted[c.Remote[0].ID] = true // the plan's own, if it is adopted; else in its place
		}
	}
	if len(growing) == 0 {
		return nil
	}
	for _, listing := range listings {
		for _, remote := range listing.Jobs {
			if !counted[remote.ID] {
				add(listing.Region, remote.SourceInstance)
			}
		}
	}
	maps.DeleteFunc(regions, func(region string, n int) bool { return !growing[region] })
	maps.DeleteFunc(sources, func(source string, n int) bool { return !growing[" "+source] })
	var all []Crowds
	for _, crowds := range []Crowds{
		{"source", "service_per_source", atMost(limits.ServicePerSource), mostFirst(sources)},
		{"region", "service_per_region", atMost(limits.ServicePerRegion), mostFirst(regions)},
	} {
		over := slices.IndexFunc(crowds.Places, func(t Tally) bool { return t.Count <= crowds.Limit })
		if over >= 0 {
			crowds.Places = crowds.Places[:over]
		}
		if len(crowds.Places) > 0 {
			all = append(all, crowds)
		}
	}
	return all
}

func atMost(limit *Limit) int {
	if limit == nil {
		return math.MaxInt
	}
	return limit.number
}

// crowdsNamed is how many places a warning names.
const crowdsNamed = 3

// String is the warning, in one line that is safe to print.
func (c Crowds) String() string {
	named := make([]string, 0, crowdsNamed)
	for _, place := range c.Places[:min(len(c.Places), crowdsNamed)] {
		named = append(named, fmt.Sprintf("%s %d", printable.Clip(place.Name, 64), place.Count))
	}
	more := ""
	if n := len(c.Places) - len(named); n > 0 {
		more = fmt.Sprintf(" and %s too many as well, listed by plan -o json", Count(n, "more "+c.Per))
	}
	return fmt.Sprintf("the service documents at most %s per %s, and there would be: %s%s (limits.%s sets the number, none stops this warning)",
		Count(c.Limit, "job"), c.Per, strings.Join(named, ", "), more, c.Key)
}
