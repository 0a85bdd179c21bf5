package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// waitView is how a wait is shown on a terminal. It is a function of its fields
// alone.
type waitView struct {
	condition plan.Condition
	jobs      []runner.Awaited
	now       time.Time
	began     time.Time
	until     time.Time
	looked    time.Time // zero before the first look
}

func (v waitView) lines(width, height int) []viewLine {
	width = min(width, viewWidthMax)
	met := 0
	for _, j := range v.jobs {
		if j.Met {
			met++
		}
	}
	head := []viewLine{progressBar(met, len(v.jobs), width)}
	head = append(head, flow(v.figures(), width)...)
	head = append(head, flow(v.statuses(), width)...)
	return underBlank(head, v.missing(width), height)
}

func (v waitView) figures() []span {
	parts := []span{
		{text: "waiting for " + v.condition.String()}, {text: brief(v.now.Sub(v.began)) + " so far"},
		{text: "at most " + brief(v.until.Sub(v.now)) + " more"},
	}
	if !v.looked.IsZero() {
		parts = append(parts, span{text: "looked " + brief(v.now.Sub(v.looked)) + " ago"})
	}
	return parts
}

// statuses count how those stand that are not there yet.
func (v waitView) statuses() []span {
	counts := map[string]int{}
	for _, j := range v.jobs {
		if !j.Met && !v.looked.IsZero() {
			counts[standsAt(j)]++
		}
	}
	statuses := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	var parts []span
	for _, status := range statuses[:min(len(statuses), statusesShown)] {
		parts = append(parts, span{fmt.Sprintf("%d %s", counts[status], printable.Clip(status, 40)), text.FgYellow})
	}
	return parts
}

// missing are the first jobs that are not there yet.
func (v waitView) missing(width int) []section {
	var rows []viewLine
	n := 0
	for _, j := range v.jobs {
		if j.Met || v.looked.IsZero() {
			continue
		}
		if n++; n <= viewWaiting {
			rows = append(rows, v.row(j, width))
		}
	}
	if n == 0 {
		return nil
	}
	return []section{{titleLine(plan.Count(n, "job") + " not there yet"), rows}}
}

func (v waitView) row(j runner.Awaited, width int) viewLine {
	line := viewLine{{text: "  " + pad(printable.Line(j.Entry.Name), nameWidth(width)) + "  "}, {printable.Line(standsAt(j)), text.FgYellow}}
	if j.Job != nil {
		line = append(line, span{fmt.Sprintf("  progress %s, delay %d", printable.Clip(j.Job.Progress, 8), j.Job.Delay), text.Faint})
	}
	return line
}

// watcher paints a wait on a screen, as it was last told.
type watcher struct {
	mu   sync.Mutex
	view waitView
}

func (w *watcher) observe(jobs []runner.Awaited) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.view.jobs, w.view.looked = slices.Clone(jobs), time.Now() // the waiter goes on with its own
}

func (w *watcher) lines(width, height int) []viewLine {
	w.mu.Lock()
	view := w.view
	w.mu.Unlock()
	view.now = time.Now()
	return view.lines(width, height)
}
