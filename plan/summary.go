package plan

import (
	"cmp"
	"slices"
)

// Summary counts changes by kind, and by kind within each source instance.
type Summary struct {
	Kinds map[Kind]int
	// Sources are in order of most changes first, then by name.
	Sources []SourceSummary
}

// SourceSummary counts the changes of one source instance.
type SourceSummary struct {
	Instance string
	Kinds    map[Kind]int
	changes  int
}

// Summarize counts changes. Left-overs count under the source that the ledger
// has for them.
func Summarize(changes []Change) Summary {
	s := Summary{Kinds: map[Kind]int{}}
	bySource := map[string]*SourceSummary{}
	for _, c := range changes {
		s.Kinds[c.Kind]++
		source := bySource[c.source()]
		if source == nil {
			source = &SourceSummary{Instance: c.source(), Kinds: map[Kind]int{}}
			bySource[c.source()] = source
		}
		source.Kinds[c.Kind]++
		if c.Kind != KindKeep {
			source.changes++
		}
	}
	for _, source := range bySource {
		s.Sources = append(s.Sources, *source)
	}
	slices.SortFunc(s.Sources, func(a, b SourceSummary) int {
		return cmp.Or(cmp.Compare(b.changes, a.changes), cmp.Compare(a.Instance, b.Instance))
	})
	return s
}

// Changes is the number of jobs that a run would do something about.
func (s Summary) Changes() int {
	n := 0
	for kind, count := range s.Kinds {
		if (Change{Kind: kind}).IsChange() {
			n += count
		}
	}
	return n
}

func (c Change) source() string { return c.Spec().Source.Instance }
