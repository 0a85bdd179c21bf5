package plan

import (
	"cmp"
	"slices"
)

// Group is the changes of one kind that are needed for like reasons.
type Group struct {
	Kind  Kind
	Cause string
	// Changes are in plan order.
	Changes []*Change
	// Sources are the source instances that they are about, those of most changes
	// first, then by name.
	Sources []Tally
}

// Tally is how often a name occurs.
type Tally struct {
	Name  string
	Count int
}

const (
	// groupsShown bounds the groups of a preview, so that reasons that somebody
	// else makes up, such as the service's codes, cannot fill it.
	groupsShown = 16
	otherCauses = "other reasons"
)

// group sorts the changes of the wanted kinds into groups: in the order of Kinds,
// the largest first. At most groupsShown are returned; what is too many of one
// kind is one group of otherCauses.
func group(changes []Change, wanted func(Kind) bool) []Group {
	groups := gather(changes, func(c *Change) string { return c.Cause }, wanted)
	if len(groups) > groupsShown {
		kinds := map[Kind]int{}
		kept := map[[2]string]bool{}
		for _, g := range groups {
			kinds[g.Kind]++
		}
		most := max(1, groupsShown/len(kinds))
		seen := map[Kind]int{}
		for _, g := range groups {
			if seen[g.Kind]++; seen[g.Kind] < most || kinds[g.Kind] <= most {
				kept[[2]string{string(g.Kind), g.Cause}] = true
			}
		}
		groups = gather(changes, func(c *Change) string {
			if kept[[2]string{string(c.Kind), c.Cause}] {
				return c.Cause
			}
			return otherCauses
		}, wanted)
	}
	for i := range groups {
		groups[i].Sources = tally(groups[i].Changes)
	}
	return groups
}

func gather(changes []Change, cause func(*Change) string, wanted func(Kind) bool) []Group {
	at := map[[2]string]int{}
	var groups []Group
	for i := range changes {
		c := &changes[i]
		if !wanted(c.Kind) {
			continue
		}
		key := [2]string{string(c.Kind), cause(c)}
		place, ok := at[key]
		if !ok {
			place = len(groups)
			at[key] = place
			groups = append(groups, Group{Kind: c.Kind, Cause: key[1]})
		}
		groups[place].Changes = append(groups[place].Changes, c)
	}
	slices.SortStableFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)),
			cmp.Compare(len(b.Changes), len(a.Changes)), cmp.Compare(a.Cause, b.Cause))
	})
	return groups
}

func tally(changes []*Change) []Tally {
	counts := map[string]int{}
	for _, c := range changes {
		counts[c.source()]++
	}
	return mostFirst(counts)
}

// mostFirst sorts counts: the largest first, then by name.
func mostFirst(counts map[string]int) []Tally {
	all := make([]Tally, 0, len(counts))
	for name, n := range counts {
		all = append(all, Tally{name, n})
	}
	slices.SortFunc(all, func(a, b Tally) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Name, b.Name))
	})
	return all
}

// examplesShown is how many changes stand for a group that is too large to be
// listed.
const examplesShown = 3

// portion says how many changes of each group are listed, so that all groups take
// at most so many lines: small ones are listed whole, large ones have a few
// examples, and each has a heading. lines is what one change takes.
func portion(groups []Group, budget int, lines func(*Change) int) []int {
	order := make([]int, len(groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Compare(len(groups[a].Changes), len(groups[b].Changes))
	})
	shown := make([]int, len(groups))
	for i, at := range order {
		share := budget/(len(order)-i) - 1 // without the heading
		used := 0
		all := groups[at].Changes
		for n, c := range all {
			more := 0 // a line that says how many are left
			if n+1 < len(all) {
				more = 1
			}
			if used+lines(c)+more > share {
				break
			}
			used += lines(c)
			shown[at] = n + 1
		}
		if shown[at] < len(all) {
			shown[at] = min(shown[at], examplesShown)
			used = 1
			for _, c := range all[:shown[at]] {
				used += lines(c)
			}
		}
		budget -= 1 + used
	}
	return shown
}
