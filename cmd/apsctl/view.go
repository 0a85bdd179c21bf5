package main

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

const (
	viewWidthMax = 100 // cells: on a wide screen the eye does not wander
	viewCauses   = 4   // most causes and
	viewUnknowns = 4   // unknown jobs that are named
	viewWaiting  = 10  // most jobs of a wait that are named
	longFor      = time.Second
	narrow       = 60 // cells: below it, what can be done without is left out
	low          = 8  // lines: the same
)

// runView is how a run on its way is shown on a terminal. It is a function of its
// fields alone.
type runView struct {
	runner.Picture
	pace float64 // jobs done a second of late; 0 is too early to tell
}

// lines are the view in at most so many cells and lines.
func (v runView) lines(width, height int) []viewLine {
	width = min(width, viewWidthMax)
	figures := flow(v.figures(width), width)
	if height < low {
		figures = figures[:1]
	}
	head := slices.Concat([]viewLine{progressBar(v.Done, v.Total, width)}, figures, flow(v.counts(), width))
	if v.Stopping != runner.StopNone {
		head = append(head, viewLine{{"stopping: " + string(v.Stopping), text.FgYellow}})
	}
	return underBlank(head, v.sections(width, height), height)
}

// progressBar is the bar and the numbers behind it.
func progressBar(done, total, width int) viewLine {
	share := 0
	if total > 0 {
		share = 100 * done / total
	}
	numbers := fmt.Sprintf(" %d/%d %3d%%", done, total, share)
	if width < len(numbers)+8 {
		return plainLine(numbers[1:])
	}
	return append(bar(done, total, min(60, width-len(numbers))), span{numbers, text.Bold})
}

// figures say how fast it goes and how long it will take.
func (v runView) figures(width int) []span {
	var parts []span
	if v.Waves > 1 && v.Wave > 0 {
		parts = append(parts, span{text: fmt.Sprintf("wave %d of %d, %d open", v.Wave, v.Waves, v.WaveOpen)})
	}
	if left := v.left(); left > 0 {
		parts = append(parts, span{text: "about " + brief(left) + " left"})
	}
	parts = append(parts, span{text: brief(v.Elapsed) + " so far"})
	switch held := v.HeldUntil.Sub(v.At); {
	case held > 0:
		parts = append(parts, span{"throttled: creates go on in " + brief(held), text.FgYellow})
	case v.pace > 0:
		parts = append(parts, span{text: perSecond(v.pace) + " jobs/s"})
	}
	if v.Rate > 0 && width >= narrow {
		parts = append(parts, span{text: fmt.Sprintf("up to %s calls/s", perSecond(v.Rate))})
	}
	return parts
}

// perSecond is a rate in few digits.
func perSecond(rate float64) string {
	if rate >= 10 {
		return fmt.Sprintf("%.0f", rate)
	}
	return fmt.Sprintf("%.2g", rate)
}

// left is how long the rest takes at the pace of late, 0 where that says nothing.
func (v runView) left() time.Duration {
	if v.pace <= 0 || v.Done >= v.Total {
		return 0
	}
	return max(time.Second, time.Duration(float64(v.Total-v.Done)/v.pace*float64(time.Second)).Round(time.Second))
}

func (v runView) counts() []span {
	var parts []span
	add := func(n int, word string, colour text.Color) {
		if n > 0 {
			parts = append(parts, span{fmt.Sprintf("%d %s", n, word), colour})
		}
	}
	add(v.Created, "created", text.FgGreen)
	add(v.Failed, "failed", text.FgRed)
	add(v.Unknown, "unknown", text.FgYellow)
	add(v.Starting, "not running yet", text.Reset)
	add(v.Parked, "waiting for room", text.Reset)
	return parts
}

func (v runView) sections(width, height int) []section {
	var all []section
	if n := len(v.Working); n > 0 {
		rows := make([]viewLine, 0, n)
		for _, w := range v.longest(max(1, height)) {
			rows = append(rows, v.workingRow(w, width))
		}
		all = append(all, section{titleLine(plan.Count(n, "job") + " at work"), rows})
	}
	if v.Waiting > 0 {
		all = append(all, section{titleLine(v.waitingTitle()), v.retryRows()})
	}
	if len(v.Unknowns) > 0 {
		all = append(all, section{titleLine(v.unknownTitle()), v.unknownRows(width)})
	}
	return all
}

// longest are the most jobs at work, those of them that have been it for longest,
// each where its worker has its place.
func (v runView) longest(most int) []runner.Working {
	if len(v.Working) <= most {
		return v.Working
	}
	byAge := slices.Clone(v.Working)
	slices.SortStableFunc(byAge, func(a, b runner.Working) int { return a.Since.Compare(b.Since) })
	latest := byAge[most-1].Since
	rows := slices.DeleteFunc(slices.Clone(v.Working), func(w runner.Working) bool { return w.Since.After(latest) })
	return rows[:min(len(rows), most)]
}

func (v runView) workingRow(w runner.Working, width int) viewLine {
	line := viewLine{{text: "  "}, {text: pad(w.Doing, 8)}, {text: pad(printable.Line(w.Name), nameWidth(width))}}
	about := ""
	if w.Attempt > 1 {
		about += fmt.Sprintf("  attempt %d", w.Attempt)
	}
	if age := v.At.Sub(w.Since); age >= longFor && (width >= narrow || about == "") {
		about += "  for " + brief(age)
	}
	return append(line, span{about, text.Faint})
}

// nameWidth is the room for a name in a row.
func nameWidth(width int) int { return max(12, width/2-10) }

func (v runView) waitingTitle() string {
	title := fmt.Sprintf("%d waiting to retry", v.Waiting)
	if !v.RetryAt.IsZero() {
		title += ", next in " + brief(v.RetryAt.Sub(v.At))
	}
	return title
}

func (v runView) retryRows() []viewLine {
	var rows []viewLine
	for _, r := range v.Retries[:min(len(v.Retries), viewCauses)] {
		rows = append(rows, viewLine{{text: fmt.Sprintf("%6d  ", r.Jobs)}, {cmp.Or(printable.Clip(r.Cause, viewWidthMax), "no cause is known"), text.FgYellow}})
	}
	return rows
}

func (v runView) unknownTitle() string {
	title := fmt.Sprintf("%d without an answer", v.Unknown)
	if v.LookAt.IsZero() {
		return title + ", looking now"
	}
	return title + ", next look in " + brief(v.LookAt.Sub(v.At))
}

// unknownRows name the first to settle. A run that stops looking before leaves the
// proof to a later one.
func (v runView) unknownRows(width int) []viewLine {
	var rows []viewLine
	for _, u := range v.Unknowns[:min(len(v.Unknowns), viewUnknowns)] {
		about := "  settles in " + brief(u.SettlesAt.Sub(v.At))
		switch {
		case !u.SettlesAt.After(v.At):
			about = "  settles at the next look"
		case u.Until.Before(u.SettlesAt):
			about += ", in a later run"
		}
		rows = append(rows, viewLine{{text: "  " + pad(printable.Line(u.Name), nameWidth(width))}, {about, text.Faint}})
	}
	return rows
}

// brief is a duration for people: 4s, 3m07s, 2h05m.
func brief(d time.Duration) string {
	d = max(0, d).Round(time.Second)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	}
	d = d.Round(time.Minute)
	return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
}
