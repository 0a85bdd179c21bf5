package emulator

import (
	"cmp"
	"slices"
	"strings"
)

// shelf holds the live jobs of one place, sorted for listings, and counts them
// by what the switches limit.
type shelf struct {
	byID    bool // sorted by id instead of by creation
	jobs    []*job
	names   map[string]int
	sources map[string]int
	twins   map[identity]int
	surplus int // jobs beyond the first of each identity
}

func newShelf(byID bool) *shelf {
	return &shelf{byID: byID, names: map[string]int{}, sources: map[string]int{}, twins: map[identity]int{}}
}

func (s *shelf) compare(a, b *job) int {
	if s.byID {
		return strings.Compare(a.ID, b.ID)
	}
	return cmp.Compare(a.Seq, b.Seq)
}

func (s *shelf) add(j *job) {
	at, _ := slices.BinarySearchFunc(s.jobs, j, s.compare)
	s.jobs = slices.Insert(s.jobs, at, j)
	s.names[j.Name]++
	s.sources[j.Source]++
	if s.twins[j.identity()]++; s.twins[j.identity()] > 1 {
		s.surplus++
	}
}

// replace puts a changed job in the place of the old one. Neither the identity
// nor the order of a job ever changes.
func (s *shelf) replace(j *job) {
	if at, found := slices.BinarySearchFunc(s.jobs, j, s.compare); found {
		s.jobs[at] = j
	}
}

func (s *shelf) remove(j *job) {
	at, found := slices.BinarySearchFunc(s.jobs, j, s.compare)
	if !found {
		return
	}
	s.jobs = slices.Delete(s.jobs, at, at+1)
	if s.twins[j.identity()] > 1 {
		s.surplus--
	}
	lower(s.names, j.Name)
	lower(s.sources, j.Source)
	lower(s.twins, j.identity())
}

// lower counts down and forgets what reached zero, so that the maps do not grow.
func lower[K comparable](counts map[K]int, key K) {
	if counts[key]--; counts[key] == 0 {
		delete(counts, key)
	}
}
