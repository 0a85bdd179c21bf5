package report

import (
	"cmp"
	"encoding/json"
	"strings"
)

// What the last apply of a plan came to with jobs that nothing in the ledger tells
// of: one that failed before anything was sent has no entry.
const (
	standApplyFailed    stand = "failed in the last apply"
	standApplyBlocked   stand = "blocked in the last apply"
	standApplyUnhealthy stand = "not running after the last apply"
	standApplyNotTried  stand = "not tried by the last apply"
)

// endings are the endings in the record of a run that leave something to do. An
// unknown one is in the ledger.
var endings = map[string]struct {
	stand stand
	tone  tone
}{
	"failed":    {standApplyFailed, toneBad},
	"blocked":   {standApplyBlocked, tonePerson},
	"unhealthy": {standApplyUnhealthy, toneBad},
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

// lastApplies returns, of each plan, the last apply that came to the end of its
// planning, in the order of runs.
func lastApplies(runs []Run) []Run {
	var last []Run
	seen := map[string]bool{"": true}
	for _, r := range runs { // newest first
		if r.Command == "apply" && !seen[r.Plan] && r.counts().Planned > 0 {
			seen[r.Plan], last = true, append(last, r)
		}
	}
	return last
}

// jobName names a job of any plan.
type jobName struct{ plan, name string }

// applyGroups are the jobs that the last applies left undone and that no entry
// tells of. Where a cause names only some of its jobs, the others count as those.
func applyGroups(f Facts, jobs []jobStand) []failureGroup {
	byName := map[jobName]jobStand{}
	for _, j := range jobs {
		byName[jobName{j.Plan, j.Name}] = j
	}
	var all []failureGroup
	for _, apply := range lastApplies(f.Runs) {
		notTried := apply.counts().NotTried
		for _, cause := range apply.Errors {
			ending, known := endings[cause.Ending]
			if ending.stand == standApplyNotTried {
				notTried -= cause.Jobs
			}
			if !known || ending.stand == standApplyUnhealthy && len(f.Asked) > 0 { // the service's own word is newer
				continue
			}
			names := []string{}
			for _, name := range cause.Names {
				if j, ok := byName[jobName{apply.Plan, name}]; !ok || !j.tellsOf(apply) {
					names = append(names, name)
				}
			}
			if len(names) == 0 && len(cause.Names) > 0 {
				continue
			}
			all = append(all, failureGroup{
				Stand: ending.stand, Tone: ending.tone, Cause: cause.Cause, Words: cause.Example,
				Next: cmp.Or(f.Advice.Codes[cause.Code], "See apsctl runs "+apply.ID+"."),
				Jobs: cause.Jobs - (len(cause.Names) - len(names)), Names: names,
			})
		}
		if notTried > 0 {
			why, words, _ := strings.Cut(apply.Stop, ": ")
			all = append(all, failureGroup{
				Stand: standApplyNotTried, Tone: toneWait, Cause: cmp.Or(why, "the run ended before its turn"),
				Words: cmp.Or(words, apply.Error), Next: f.Advice.NotTried, Jobs: notTried, Names: []string{},
				told: min(notTried, failedBefore(jobs, apply)),
			})
		}
	}
	return all
}

// failedBefore counts the jobs of the plan that were not created before apply began
// and were not tried since, as the ledger has it.
func failedBefore(jobs []jobStand, apply Run) int {
	n := 0
	for _, j := range jobs {
		if j.Plan == apply.Plan && j.Stand == standFailed && j.UpdatedAt.Before(apply.StartedAt) {
			n++
		}
	}
	return n
}

// tellsOf reports whether the entry says what is left to do of what apply did not
// get done: it is not as it should be, or has moved on since.
func (j jobStand) tellsOf(apply Run) bool {
	if apply.FinishedAt != nil && j.UpdatedAt.After(*apply.FinishedAt) {
		return true
	}
	return j.Stand == standUnknown || j.Tone == toneBad || j.Tone == tonePerson
}
