package plan

import (
	"math"
	"strings"
)

// ownComment is a comment on a line of its own. Where it goes depends on the line
// below it, so it waits for that line.
type ownComment struct {
	text  string
	from  int // its column in the source
	above int // where it goes when it is deeper than the line below
	blank int // empty lines before it
}

// comment takes a line that is only a comment.
func (l *layout) comment(line string, from int) {
	l.scanner.plain, l.scanner.last = false, pieceComment // as it is for the lexer
	text := strings.TrimRight(line[from:], " \t")
	if l.blank == 0 && len(l.waiting) == 0 && l.page.continues(text, from) {
		return
	}
	c := ownComment{text, from, 0, l.blank}
	l.blank = 0
	if depth := l.scanner.depth(); depth > 0 {
		c.from, c.above = math.MaxInt, l.base+indentStep*depth
	} else {
		c.above = l.levels.above(from, l.wants())
	}
	l.waiting = append(l.waiting, c)
}

// release writes the comments that waited for a line, which stands at column from
// and goes to column to, and the empty line before it. A comment goes with the
// line below it, but one that stands deeper belongs to what ends there.
func (l *layout) release(from, to int) {
	for _, c := range l.waiting {
		at := to
		if c.from > from {
			at = max(to, c.above)
		}
		l.page.empty(min(c.blank, 1))
		l.page.indented(at, c.text)
	}
	l.waiting = l.waiting[:0]
	l.page.empty(min(l.blank, 1))
	l.blank = 0
}

// wants reports whether the last line ended where a value is due.
func (l *layout) wants() bool {
	switch l.after {
	case pieceColon, pieceDash, pieceQuestion, pieceName:
		return true
	}
	return false
}
