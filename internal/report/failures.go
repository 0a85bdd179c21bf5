package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// namesShown is how many of the jobs that fail alike are named.
const namesShown = 5

// failureGroups puts together the jobs that fail alike, most first. The words are
// those of the job in the ledger, else of the last run with that cause. What the
// last applies left undone beside them is there too.
func failureGroups(f Facts, jobs []jobStand) []failureGroup {
	type key struct {
		stand stand
		cause string
	}
	groups := map[key]*failureGroup{}
	for _, j := range jobs {
		if j.Tone != toneBad && j.Tone != tonePerson {
			continue
		}
		k := key{j.Stand, causeOfStand(j)}
		g := groups[k]
		if g == nil {
			g = &failureGroup{Stand: j.Stand, Tone: j.Tone, Cause: k.cause, Words: wordsOf(j, f.Runs), Next: f.Advice.next(j)}
			groups[k] = g
		}
		if g.Jobs++; len(g.Names) < namesShown {
			g.Names = append(g.Names, j.Name)
		}
	}
	all := append([]failureGroup{}, applyGroups(f, jobs)...)
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortStableFunc(all, func(x, y failureGroup) int { // two plans may have the same to tell
		return cmp.Or(cmp.Compare(y.Jobs, x.Jobs), cmp.Compare(x.Stand, y.Stand), cmp.Compare(x.Cause, y.Cause))
	})
	return all
}

func causeOfStand(j jobStand) string {
	switch {
	case j.Stand == standUnhealthy:
		return j.Service.Status
	case j.Stand == standUnlisted:
		return "the service does not list it"
	case j.Stand == standPerson || j.Code == "":
		return string(j.State)
	}
	return j.Code
}

func wordsOf(j jobStand, runs []Run) string {
	switch {
	case j.Stand == standUnhealthy:
		return serviceWords(j.Service)
	case j.Reason != "":
		return j.Reason
	}
	for _, r := range runs {
		for _, e := range r.Errors {
			if e.Cause == j.Code {
				return e.Example
			}
		}
	}
	return ""
}

// serviceWords is what the service says of a job that failed, its last log too.
func serviceWords(l *jobListing) string {
	var parts []string
	if l.Message != "" && !strings.EqualFold(l.Message, "OK") {
		parts = append(parts, l.Message)
	}
	if n := len(l.Logs); n > 0 {
		if last := l.Logs[n-1]; last.Text != l.Message {
			parts = append(parts, fmt.Sprintf("last log, %s %s: %s", last.Stage, last.State, last.Text))
		}
	}
	return strings.Join(parts, "; ")
}

// next is what to do about a job that is not as it should be.
func (a Advice) next(j jobStand) string {
	switch {
	case j.Stand == standUnhealthy:
		return a.Unhealthy
	case j.Stand == standUnlisted:
		return "Run apply: it proves whether the job is gone. One that was deleted on purpose is then let go with apsctl resolve."
	case j.Stand == standPerson:
		return a.Person + " For " + j.Name + ": " + j.WayOut + "."
	case j.State == plan.StateAbsent:
		return "Nothing: the next apply creates it, if the plan still wants it."
	case j.State == plan.StateNotSent:
		return a.NotSent
	}
	if next, ok := a.Refused[j.failure]; ok {
		return next
	}
	return "Mend what the service complains about, in the plan or on the service; the next apply tries again."
}
