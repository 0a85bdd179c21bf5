package plan

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
)

const (
	// excerptCells is how wide an excerpt may get, excerptBefore how much of it
	// stands before the place it is about.
	excerptCells, excerptBefore = 100, 60
	// excerptLineBytesMax is the longest line that an excerpt is taken from.
	excerptLineBytesMax = 1 << 20
	// stars stand for a secret, whatever its length.
	stars = "********"
)

// sourceText is a plan file's text by lines, and what of it may not be shown.
type sourceText struct {
	file  string
	whole string
	lines lineTable // of whole
	// hidden maps a line to the secret values that start on it. The walk over the
	// parsed file fills it.
	hidden map[int][]*node
	// blocks covers files that cannot be parsed.
	blocks secretBlocks
	masked maskedLine // the line whose masks were asked for last
	cursor cursor     // where a column was looked up last
	// reveal hides what is secret on a line and was not yet; nil when all is.
	reveal func(line int)
}

// cursor remembers how many bytes the first characters of a line take: places
// are looked up in source order, and a line may hold thousands of them.
type cursor struct{ line, characters, bytes int }

// newSourceText splits text, whose line breaks are "\n", once.
func newSourceText(file, text string) *sourceText {
	return &sourceText{file: file, whole: text, lines: newLineTable(text), hidden: map[int][]*node{}}
}

// hide marks n as secret, with all lines that it takes.
func (s *sourceText) hide(n *node) {
	if n.scratch { // it will be something else by the time of an excerpt
		kept := *n
		n = &kept
	}
	s.hideOnLine(n)
	for line := n.line + 1; line <= n.line+n.below && line <= s.lines.count(); line++ {
		s.hideOnLine(&node{line: line, column: 1})
	}
}

// hiddenOnLineMax is how many secrets of one line are told apart; with more of
// them, the line is hidden from the first one on.
const hiddenOnLineMax = 16

func (s *sourceText) hideOnLine(n *node) {
	s.masked = maskedLine{}
	all := append(s.hidden[n.line], n)
	if len(all) > hiddenOnLineMax {
		first := slices.MinFunc(all, func(x, y *node) int { return cmp.Compare(x.column, y.column) })
		all = []*node{{line: n.line, column: first.column, head: first.head}}
	}
	s.hidden[n.line] = all
}

// shownFile is the file's name as users are told.
func (s *sourceText) shownFile() string { return printable.Line(s.file) }

// position returns where at is, as users are told.
func (s *sourceText) position(at span) Position {
	return Position{File: printable.Line(s.file), Line: at.line, Column: at.column}
}

// locate returns where the text head stands that the lexer puts at line and
// column. The lexer's columns are off by the blanks behind a plain text, so the
// line itself is asked. It takes time in proportion to the line: for reporting.
func (s *sourceText) locate(line, column int, head string) span {
	if line < 1 || line > s.lines.count() {
		return span{}
	}
	at := span{line, max(column, 1), 1}
	text := s.lines.line(line - 1)
	if head == "" || len(text) > excerptLineBytesMax {
		return at
	}
	from := s.byteOffset(line, at.column-1)
	if strings.HasPrefix(text[from:], head) {
		at.width = utf8.RuneCountInString(head)
		return at
	}
	for !strings.HasPrefix(text[from:], head) {
		if i := strings.LastIndex(text[:min(len(text), from+len(head))], head); i >= 0 {
			from = i
		} else if i := strings.Index(text, head); i >= 0 {
			from = i
		} else if i := strings.LastIndexByte(head, ' '); i > 0 {
			head = head[:i] // a text folded from lines has a blank where the first ended
		} else {
			return at
		}
	}
	return span{line, utf8.RuneCountInString(text[:from]) + 1, utf8.RuneCountInString(head)}
}

// excerpt returns the line of at, safe to show, and which cells of it at covers.
func (s *sourceText) excerpt(at span) (source string, mark, width int) {
	if at.line < 1 || at.line > s.lines.count() {
		return "", 0, 0
	}
	line := s.lines.line(at.line - 1)
	if len(line) > excerptLineBytesMax {
		return "", 0, 0
	}
	from := s.byteOffset(at.line, at.column-1)
	to := from + byteOffset(line[from:], max(at.width, 1))
	masks := s.masks(at.line)
	for _, m := range masks { // a secret is marked as a whole or not at all
		if m.from < to && m.to > from {
			from, to = min(from, m.from), max(to, m.to)
		}
	}
	after := strings.TrimRight(cover(line, to, len(line), masks), " ")
	return layOut(cover(line, 0, from, masks), cover(line, from, to, masks), after)
}

// cover returns line[from:to] with stars in place of what masks hide. No mask
// crosses from or to.
func cover(line string, from, to int, masks []mask) string {
	var b strings.Builder
	for _, m := range masks {
		if m.from >= from && m.to <= to {
			b.WriteString(line[from:m.from])
			b.WriteString(stars)
			from = m.to
		}
	}
	b.WriteString(line[from:to])
	return b.String()
}

// layOut joins the parts of a line, encoded and cut to a readable length, and
// returns which cells target takes.
func layOut(before, target, after string) (source string, mark, width int) {
	const bytesMax = excerptBefore * 16 // enough to fill the cells, and to be cut
	if cut := len(before) - bytesMax; cut > 0 {
		before = strings.ToValidUTF8(before[cut:], "")
	}
	before = clipLeft(printable.Line(before), excerptBefore)
	mark = printable.Width(before)
	target = printable.Clip(target, excerptCells-excerptBefore)
	width = printable.Width(target)
	after = printable.Clip(after, excerptCells-mark-width)
	return before + target + after, mark, width
}

// clipLeft keeps the end of text when it is wider than cells.
func clipLeft(text string, cells int) string {
	if printable.Width(text) <= cells {
		return text
	}
	taken, i := 1, len(text)
	for i > 0 {
		_, size := utf8.DecodeLastRuneInString(text[:i])
		taken += printable.Width(text[i-size : i])
		if taken > cells {
			break
		}
		i -= size
	}
	return "…" + text[i:]
}

// byteOffset returns the index of the byte after the first n characters of a line.
func (s *sourceText) byteOffset(line, n int) int {
	c := &s.cursor
	if c.line != line || c.characters > n {
		*c = cursor{line: line}
	}
	c.bytes += byteOffset(s.lines.line(line - 1)[c.bytes:], n-c.characters)
	c.characters = n
	return c.bytes
}

// byteOffset returns the index of the byte after the first n characters of text,
// or its length when it has fewer.
func byteOffset(text string, n int) int {
	for i := range text {
		if n <= 0 {
			return i
		}
		n--
	}
	return len(text)
}
