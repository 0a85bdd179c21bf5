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
