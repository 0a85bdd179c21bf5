package plan

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Refresh says how much the service is asked before a plan is compared. The zero
// Refresh asks it nothing that is not needed to create.
type Refresh struct {
	mode  refreshMode
	share Limit // of a sample
}

type refreshMode int

const (
	refreshNone    refreshMode = iota
	refreshChanged             // listings, and the details of what differs anyway
	refreshSample              // and a rotating sample of the rest
	refreshAll                 // and all of the rest
	refreshDrift               // listings, a rotating sample, and what differed last time
)

// DriftSample is the refresh of a check that comes by regularly: the listings, the
// details of share of the jobs, those first that were compared longest ago, and of
// at most as many again that differed when they were last compared.
func DriftSample(share Limit) Refresh { return Refresh{refreshDrift, share} }

// ParseRefresh reads none, changed, all, or sample: and a share or a number of jobs.
func ParseRefresh(text string) (Refresh, error) {
	if share, ok := strings.CutPrefix(text, "sample:"); ok {
		limit, err := ParseLimit(share)
		return Refresh{refreshSample, limit}, err
	}
	switch text {
	case "none":
		return Refresh{}, nil
	case "changed":
		return Refresh{mode: refreshChanged}, nil
	case "all":
		return Refresh{mode: refreshAll}, nil
	}
	return Refresh{}, errors.New("it is none, changed, all, or sample: and a share or a number, such as sample:5%")
}

// Sampled reports whether r is about other jobs each time.
func (r Refresh) Sampled() bool { return r.mode == refreshSample || r.mode == refreshDrift }

// String is as ParseRefresh reads it.
func (r Refresh) String() string {
	switch r.mode {
	case refreshChanged:
		return "changed"
	case refreshSample, refreshDrift:
		return "sample:" + r.share.String()
	case refreshAll:
		return "all"
	}
	return "none"
}

// Drifts reports whether r looks for drift, and nothing is to be done about what it finds.
func (r Refresh) Drifts() bool { return r.mode == refreshDrift }

// Asks reports whether every region of the plan is listed.
func (r Refresh) Asks() bool { return r.mode != refreshNone }

// Describe chooses the changes whose jobs' details are to be asked for: none that
// the listing does not show. Jobs that left the plan are among them only where
// drift is looked for, since nothing else would come of it.
func (r Refresh) Describe(changes []Change) []Change {
	var first, rest []Change
	for _, c := range changes {
		switch {
		case !r.Asks() || c.Seen == nil || c.Seen.Job == nil || c.Job == nil && r.mode != refreshDrift:
		case r.needs(c):
			first = append(first, c)
		default:
			rest = append(rest, c)
		}
	}
	total := len(first) + len(rest)
	switch r.mode {
	case refreshSample:
		return append(first, longestAgo(rest, r.share.Of(total))...)
	case refreshAll:
		return append(first, rest...)
	case refreshDrift:
		size := r.share.Of(total)
		// The sample is taken from all, so that it comes by each in the promised number
		// of runs, however many differ.
		sample := longestAgo(append(first, rest...), size)
		return append(sample, longestAgo(without(first, sample), size)...)
	}
	return first
}

// Runs is how many runs come by every one of total jobs.
func (r Refresh) Runs(total int) int {
	size := r.share.Of(total)
	if size == 0 || total == 0 {
		return 0
	}
	return (total + size - 1) / size
}

// needs reports whether the comparison of a job needs its details: it differs from
// the plan in what they show, or did from the ledger when they were last read.
func (r Refresh) needs(c Change) bool {
	if c.Entry.Differed != "" {
		return true
	}
	told := &Seen{Detail: &RemoteDetail{}}
	return r.mode != refreshDrift && slices.ContainsFunc(c.Fields, func(f FieldChange) bool { return told.tells(f.Field) })
}

// longestAgo are the n jobs that were compared longest ago, or never.
func longestAgo(changes []Change, n int) []Change {
	sorted := slices.SortedFunc(slices.Values(changes), func(a, b Change) int {
		return cmp.Or(a.Entry.ComparedAt.Compare(b.Entry.ComparedAt), cmp.Compare(a.Name, b.Name))
	})
	return sorted[:min(n, len(sorted))]
}

func without(changes, others []Change) []Change {
	gone := make(map[string]bool, len(others))
	for _, c := range others {
		gone[c.Entry.JobID] = true
	}
	return slices.DeleteFunc(slices.Clone(changes), func(c Change) bool { return gone[c.Entry.JobID] })
}
