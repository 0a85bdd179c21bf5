package report

import (
	"fmt"
	"time"

	"github.com/apsctl/apsctl/internal/human"
)

// The chart's measures, in units of its view box.
const (
	chartWidth  = 1000.0
	chartLeft   = 44.0
	chartTop    = 8.0
	chartHeight = 190.0 // of the bars, both ways
	chartFoot   = 24.0
)

// chart is a timeline as a picture: what was created above the axis, what was not
// below, on one scale.
type chart struct {
	timeline
	Width, Height, Left, LabelX, Zero, Bottom, TickY float64
	Step, Text                                       string
	Bars                                             []chartBar
	Grid                                             []chartGrid
	Ticks                                            []chartTick
	Rows                                             []timeBucket // those with anything in them
}

type chartBar struct {
	X, Width float64
	Title    string
	Parts    []chartPart
}

type chartPart struct {
	Class               tone
	X, Y, Width, Height float64
}

type chartGrid struct {
	Y, TextY float64
	Text     string
}

type chartTick struct {
	X            float64
	Anchor, Text string
}

// newChart returns nil for a timeline without anything in it.
func newChart(t timeline) *chart {
	if len(t.Buckets) == 0 {
		return nil
	}
	up, down := 0, 0
	for _, b := range t.Buckets {
		up, down = max(up, b.Created), max(down, b.Throttled+b.Other)
	}
	unit := chartHeight / float64(max(1, up+down))
	c := &chart{
		timeline: t, Width: chartWidth, Left: chartLeft, LabelX: chartLeft - 8,
		Zero: rounded(chartTop + float64(up)*unit), Bottom: chartTop + chartHeight,
		Height: chartTop + chartHeight + chartFoot, TickY: chartTop + chartHeight + chartFoot - 6,
		Step: stepText(time.Duration(t.StepMs) * time.Millisecond),
	}
	c.Text = fmt.Sprintf("From %s to %s: %s created, %s throttled, %s refused or without an answer. At most %s were created in %s.",
		shownUTC(t.From), shownUTC(t.Buckets[len(t.Buckets)-1].At), human.Number(t.Created), human.Number(t.Throttled), human.Number(t.Other), human.Number(up), c.Step)
	c.grid(up, -1, unit)
	c.grid(down, 1, unit)
	slot := (chartWidth - chartLeft) / float64(len(t.Buckets))
	for i, b := range t.Buckets {
		if b.Created+b.Throttled+b.Other > 0 {
			c.Rows = append(c.Rows, b)
			c.bar(b, chartLeft+slot*float64(i), slot, unit)
		}
	}
	c.ticks(slot)
	return c
}

// grid draws the line of the highest bar in one direction, and that of its half
// where there is room.
func (c *chart) grid(most int, direction, unit float64) {
	if most == 0 {
		return
	}
	lines := []int{most}
	if most > 1 && float64(most)*unit > 80 {
		lines = append(lines, most/2)
	}
	for _, n := range lines {
		y := rounded(c.Zero + direction*float64(n)*unit)
		c.Grid = append(c.Grid, chartGrid{y, y + 4, human.Number(n)})
	}
}

func (c *chart) bar(b timeBucket, x, slot, unit float64) {
	width := min(slot*0.86, 40)
	bar := chartBar{X: rounded(x + (slot-width)/2), Width: rounded(width), Title: fmt.Sprintf("%s: %s created, %s throttled, %s other",
		shownUTC(b.At), human.Number(b.Created), human.Number(b.Throttled), human.Number(b.Other))}
	part := func(class tone, y float64, n int) float64 {
		height := max(1, float64(n)*unit)
		if n > 0 {
			bar.Parts = append(bar.Parts, chartPart{class, bar.X, rounded(y), bar.Width, rounded(height)})
		}
		return float64(n) * unit
	}
	part(toneGood, c.Zero-max(1, float64(b.Created)*unit), b.Created)
	below := part(toneWait, c.Zero, b.Throttled)
	part(toneBad, c.Zero+below, b.Other)
	c.Bars = append(c.Bars, bar)
}

// ticks names a few moments along the axis, the first and the last among them.
func (c *chart) ticks(slot float64) {
	n := len(c.Buckets)
	form := "15:04"
	switch step := time.Duration(c.StepMs) * time.Millisecond; {
	case step < time.Minute:
		form = "15:04:05"
	case step >= 24*time.Hour:
		form = "2 Jan 2006"
	case c.Buckets[0].At.YearDay() != c.Buckets[n-1].At.YearDay():
		form = "2 Jan 15:04"
	}
	for _, i := range tickPlaces(n) {
		tick := chartTick{rounded(chartLeft + slot*(float64(i)+0.5)), "middle", c.Buckets[i].At.UTC().Format(form)}
		switch {
		case n > 1 && i == 0:
			tick.X, tick.Anchor = chartLeft, "start"
		case n > 1 && i == n-1:
			tick.X, tick.Anchor = chartWidth, "end"
		}
		c.Ticks = append(c.Ticks, tick)
	}
}

// tickPlaces are at most five of n places, spread evenly.
func tickPlaces(n int) []int {
	count := min(n, 5)
	if count == 1 {
		return []int{0}
	}
	places := make([]int, count)
	for i := range places {
		places[i] = i * (n - 1) / (count - 1)
	}
	return places
}

func stepText(step time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		word   string
	}{{7 * 24 * time.Hour, "week"}, {24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}, {time.Second, "second"}} {
		if step%unit.length == 0 {
			if n := int(step / unit.length); n > 1 {
				return fmt.Sprintf("%d %ss", n, unit.word)
			}
			return unit.word
		}
	}
	return step.String()
}

func shownUTC(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05 UTC") }
