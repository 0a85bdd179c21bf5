package main

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
)

// viewLine is one line of a live view: spans that are cut to the width of the
// terminal, so that none ever wraps.
type viewLine []span

// span is text in one colour, encoded by printable.
type span struct {
	text   string
	colour text.Color // text.Reset for none
}

func plainLine(text string) viewLine { return viewLine{{text: text}} }

func titleLine(title string) viewLine { return viewLine{{title, text.Bold}} }

// render is the line in at most width cells.
func (l viewLine) render(width int, coloured bool) string {
	var b strings.Builder
	for _, s := range l {
		shown := printable.Fit(s.text, width)
		width -= printable.Width(shown)
		if coloured && s.colour != text.Reset && shown != "" {
			b.WriteString(text.Escape(shown, s.colour.EscapeSeq()))
		} else {
			b.WriteString(shown)
		}
		if shown != s.text {
			break
		}
	}
	return strings.TrimRight(b.String(), " ")
}

// flow joins parts by commas, into as many lines as they need.
func flow(parts []span, width int) []viewLine {
	var lines []viewLine
	used := 0
	for _, part := range parts {
		size := printable.Width(part.text)
		if last := len(lines) - 1; last >= 0 && used+2+size <= width {
			lines[last] = append(lines[last], span{text: ", "}, part)
			used += 2 + size
			continue
		}
		lines = append(lines, viewLine{part})
		used = size
	}
	return lines
}

// roomy is from how many lines on a view has room to spare.
const roomy = 14

// section is a title and what it is about, of which not all needs room.
type section struct {
	title viewLine
	rows  []viewLine
}

// stack puts sections below the head, in at most room lines. The head comes first,
// then the titles, and the rows share what is left in turns. Where all has room,
// sections stand apart.
func stack(head []viewLine, sections []section, room int) []viewLine {
	lines := head[:min(len(head), room)]
	sections = sections[:min(len(sections), room-len(lines))]
	left, most := room-len(lines)-len(sections), 0
	for _, s := range sections {
		most += len(s.rows)
	}
	apart := left >= most+len(sections)
	shown := make([]int, len(sections))
	for dealt := true; dealt; {
		dealt = false
		for i, s := range sections {
			if left > 0 && shown[i] < len(s.rows) {
				shown[i]++
				left--
				dealt = true
			}
		}
	}
	for i, s := range sections {
		if apart {
			lines = append(lines, nil)
		}
		lines = append(append(lines, s.title), s.rows[:shown[i]]...)
	}
	return lines
}

// underBlank is stack, a blank line away from what stands above the view unless the
// terminal is small.
func underBlank(head []viewLine, sections []section, room int) []viewLine {
	if room < roomy {
		return stack(head, sections, room)
	}
	return append([]viewLine{nil}, stack(head, sections, room-1)...)
}

// bar shows how much of a whole is done, in width cells. It is of ASCII: what
// draws boxes is twice as wide on terminals that are set to Chinese.
func bar(done, total, width int) viewLine {
	inside := max(0, width-2)
	full := 0
	if total > 0 {
		full = inside * min(done, total) / total
	}
	head := ""
	if full > 0 && full < inside {
		head, full = ">", full-1
	}
	return viewLine{
		{text: "["}, {strings.Repeat("=", full) + head, text.FgGreen},
		{text: strings.Repeat(" ", max(0, inside-full-len(head))) + "]"},
	}
}

// pad fills s, the result of printable, to exactly cells cells.
func pad(s string, cells int) string {
	s = printable.Fit(s, cells)
	return s + strings.Repeat(" ", max(0, cells-printable.Width(s)))
}
