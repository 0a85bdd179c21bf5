package report

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/apsctl/apsctl/internal/jsonform"
)

// What the last apply of a plan came to with jobs that nothing in the ledger tells
// of: one that failed before anything was sent has no entry.
const (
	standApplyFailed    stand = "failed in the last apply"
	standApplyBlocked   stand = "blocked in the last apply"
	standApplyUnhealthy stand = "not running after the last apply"
	standApplyUnknown   stand = "unknown after the last apply"
	standApplyNotTried  stand = "not tried by the last apply"
)

// endings are the endings in the record of a run that leave something to do. One that
// is unknown has no entry where it is held back after the ledger was lost.
var endings = map[string]struct {
	stand stand
	tone  tone
}{
	"failed":    {standApplyFailed, toneBad},
	"blocked":   {standApplyBlocked, tonePerson},
	"unhealthy": {standApplyUnhealthy, toneBad},
	"unknown":   {standApplyUnknown, toneWait},
	"not_tried": {standApplyNotTried, toneWait},
}

// applyCounts are the counts of an apply that matter here.
type applyCounts struct {
	Planned  int `json:"planned"`
	NotTried int `json:"not_tried"`
}

// counts are zero for a run that did not come to count its jobs.
func (r Run) counts() applyCounts {
	var c applyCounts
	_ = json.Unmarshal(r.Counts, &c) // a run that has not ended has none
	return c
}

// planApplies are the applies of one plan that say how far it is, newest first: those
// of the plan as it was applied last, down to the newest of all that wanted most of
// it. What came after that one was told which jobs to take.
type planApplies []Run

// lastApplies returns those of each plan that has any, in the order of their newest.
// An apply that did not come to the end of its planning is none of them.
func lastApplies(runs []Run) []planApplies {
	type applied struct {
		runs    planApplies
		full    int // how many of them are up to the one that wanted most
		planned int // how many jobs that one wanted
		over    bool
	}
	var order []*applied
	byPlan := map[string]*applied{}
	for _, r := range runs { // newest first
		planned := r.counts().Planned
		if r.Plan == "" || r.Command != "apply" || planned == 0 {
			continue
		}
		p := byPlan[r.Plan]
		if p == nil {
			p = &applied{}
			byPlan[r.Plan], order = p, append(order, p)
		}
		p.over = p.over || len(p.runs) > 0 && p.runs[0].PlanDigest != r.PlanDigest
		if p.over {
			continue
		}
		if p.runs = append(p.runs, r); planned > p.planned {
			p.full, p.planned = len(p.runs), planned
		}
	}
	var last []planApplies
	for _, p := range order {
		last = append(last, p.runs[:p.full])
	}
	return last
}

// missing is how many jobs the plan has that are not among known ones in the ledger.
func (p planApplies) missing(known int) int { return max(0, p[len(p)-1].counts().Planned-known) }

// planJobs are the jobs of one plan, by name.
type planJobs map[string]jobStand

// applyGroups are the jobs that the last applies left undone and that no entry
// tells of.
func applyGroups(f Facts, jobs []jobStand) []failureGroup {
	byPlan := map[string]planJobs{}
	for _, j := range jobs {
		if byPlan[j.Plan] == nil {
			byPlan[j.Plan] = planJobs{}
		}
		byPlan[j.Plan][j.Name] = j
	}
	var all []failureGroup
	for _, applies := range lastApplies(f.Runs) {
		all = append(all, applies.groups(f, byPlan[applies[0].Plan])...)
	}
	return all
}

func (p planApplies) groups(f Facts, jobs planJobs) []failureGroup {
	var all []failureGroup
	said := map[string]bool{} // of these jobs, by an apply after the one at hand
	var notTried failureGroup // by the one that left most
	missing := p.missing(len(jobs))
	told := 0 // of the missing ones
	for i, apply := range p {
		left := apply.counts().NotTried
		for _, cause := range apply.Errors {
			ending, known := endings[cause.Ending]
			if ending.stand == standApplyNotTried {
				left -= cause.Jobs
			}
			if !known || ending.stand == standApplyUnhealthy && len(f.Asked) > 0 { // the service's own word is newer
				continue
			}
			if names, n := jobs.untold(cause, apply, said, missing); n > 0 {
				all = append(all, failureGroup{
					Stand: ending.stand, Tone: ending.tone, Cause: cause.Cause, Words: cause.Example,
					Next: cmp.Or(f.Advice.Codes[cause.Code], "See apsctl runs "+apply.ID+"."), Jobs: n, Names: names,
				})
				told += n - jobs.known(names)
			}
		}
		for _, cause := range apply.Errors {
			for _, name := range cause.Names {
				said[name] = true
			}
		}
		if left <= notTried.Jobs {
			continue
		}
		failed := jobs.failedBefore(apply)
		if i > 0 { // what is there by now was tried by a later one
			left = min(left, max(0, missing-told)+failed)
		}
		if left > notTried.Jobs {
			why, words, _ := strings.Cut(apply.Stop, ": ")
			notTried = failureGroup{
				Stand: standApplyNotTried, Tone: toneWait, Cause: cmp.Or(why, "the run ended before its turn"),
				Words: cmp.Or(words, apply.Error), Next: f.Advice.NotTried, Jobs: left, Names: []string{}, told: min(left, failed),
			}
		}
	}
	if notTried.Jobs > 0 {
		all = append(all, notTried)
	}
	return all
}

// untold returns the jobs of a cause in the record of apply that no entry and no later
// apply tells of, as far as the record names them, and how many they are. Those that
// it does not name are like those that it does.
func (p planJobs) untold(cause jsonform.Cause, apply Run, said map[string]bool, missing int) (names []string, n int) {
	names = []string{}
	failing := false
	for _, name := range cause.Names {
		j, known := p[name]
		switch {
		case known && j.failing():
			failing = true
		case said[name], known && apply.FinishedAt != nil && j.UpdatedAt.After(*apply.FinishedAt): // it was tried again
		default:
			names = append(names, name)
		}
	}
	others := cause.Jobs - len(cause.Names)
	switch {
	case len(names) > 0 || len(cause.Names) == 0:
		return names, len(names) + others
	case failing:
		return names, 0
	}
	return names, min(others, missing)
}

// known counts those of names that have an entry.
func (p planJobs) known(names []string) int {
	n := 0
	for _, name := range names {
		if _, ok := p[name]; ok {
			n++
		}
	}
	return n
}

// failedBefore counts the jobs that were not created before apply began and were not
// tried since, as the ledger has it.
func (p planJobs) failedBefore(apply Run) int {
	n := 0
	for _, j := range p {
		if j.Stand == standFailed && j.UpdatedAt.Before(apply.StartedAt) {
			n++
		}
	}
	return n
}

// failing reports whether the entry itself says that something is left to do.
func (j jobStand) failing() bool {
	return j.Stand == standUnknown || j.Tone == toneBad || j.Tone == tonePerson
}
