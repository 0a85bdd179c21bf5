package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// newSyncStand looks at the jobs that are listed.
func newSyncStand(jobs []jobStand) *syncStand {
	s := &syncStand{}
	delays, progress := newRanges(delayRanges), newRanges(progressRanges)
	var running []jobStand
	for _, j := range jobs {
		if j.Service == nil {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSuffix(j.Service.Progress, "%"), 64); err == nil {
			progress.add(int64(n))
		} else {
			progress.none++
		}
		if j.Stand == standRunning {
			s.Running++
			delays.add(j.Service.Delay)
			s.MaxDelay = max(s.MaxDelay, j.Service.Delay)
			running = append(running, j)
		}
	}
	s.Delays, s.Progresses = delays.counts("not told"), progress.counts("not told")
	slices.SortStableFunc(running, func(x, y jobStand) int { return cmp.Compare(y.Service.Delay, x.Service.Delay) })
	s.Slowest = running[:min(len(running), slowestReported)]
	return s
}

// valueRange is up to and with the value; the last one has no end.
type valueRange struct {
	upTo int64
	text string
}

var (
	delayRanges    = []valueRange{{0, "0"}, {10, "1 to 10"}, {60, "11 to 60"}, {600, "61 to 600"}, {3600, "601 to 3,600"}, {1<<63 - 1, "more than 3,600"}}
	progressRanges = []valueRange{{0, "0 %"}, {25, "1 to 25 %"}, {50, "26 to 50 %"}, {75, "51 to 75 %"}, {99, "76 to 99 %"}, {1<<63 - 1, "100 %"}}
)

type ranges struct {
	of   []valueRange
	n    []int
	none int
}

func newRanges(of []valueRange) *ranges { return &ranges{of: of, n: make([]int, len(of))} }

func (r *ranges) add(value int64) {
	r.n[slices.IndexFunc(r.of, func(v valueRange) bool { return value <= v.upTo })]++
}

func (r *ranges) counts(none string) []rangeOf {
	var all []rangeOf
	for i, v := range r.of {
		all = append(all, rangeOf{v.text, r.n[i]})
	}
	if r.none > 0 {
		all = append(all, rangeOf{none, r.none})
	}
	return all
}
