package printable

import (
	"unicode"

	"golang.org/x/text/width"
)

// Width returns how many terminal cells s takes, s being the result of Line or
// Clip: two for wide characters (CJK, most emoji), none for combining marks, one
// for the rest. Terminals disagree on a few characters; none is off by much.
func Width(s string) int {
	cells := 0
	for _, r := range s {
		cells += runeWidth(r)
	}
	return cells
}

func runeWidth(r rune) int {
	if r <= '~' {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// Fit cuts s, the result of Line or Clip, to at most cells cells of a terminal.
// Where something was cut it ends in "~", which takes one cell everywhere, as "…"
// does not. For cells < 1 the result is empty.
func Fit(s string, cells int) string {
	if len(s) <= cells {
		return s
	}
	used, end := 0, 0 // end is where "~" still has room
	for i, r := range s {
		if used < cells {
			end = i
		}
		if used += runeWidth(r); used > cells {
			if cells < 1 {
				return ""
			}
			return s[:end] + "~"
		}
	}
	return s
}
