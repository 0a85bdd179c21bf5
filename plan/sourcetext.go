package plan

import (
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
	lines []string
	// hidden maps a line to the first secret value on it; what stands there and
	// after it is not shown. The walk over the parsed file fills it.
	hidden map[int]*node
	// guessed says the same by line index and byte, found by looking at the lines
	// alone; -1 where nothing is secret. It covers files that cannot be parsed.
	guessed []int
}

// newSourceText splits text, whose line breaks are "\n", once.
func newSourceText(file, text string) *sourceText {
	return &sourceText{file: file, lines: strings.Split(text, "\n"), hidden: map[int]*node{}}
}

// hide marks n and as many lines below its first as secret.
func (s *sourceText) hide(n *node, more int) {
	if old := s.hidden[n.line]; old == nil || n.column < old.column {
		s.hidden[n.line] = n
	}
	for line := n.line + 1; line <= n.line+more && line <= len(s.lines); line++ {
		s.hidden[line] = &node{line: line, column: 1}
	}
}

// position returns where at is, as users are told.
func (s *sourceText) position(at span) Position {
	return Position{File: printable.Line(s.file), Line: at.line, Column: at.column}
}

// locate returns where the text head stands that the lexer puts at line and
// column. The lexer's columns are off by the blanks behind a plain text, so the
// line itself is asked. It takes time in proportion to the line: for reporting.
func (s *sourceText) locate(line, column int, head string) span {
	if line < 1 || line > len(s.lines) {
		return span{}
	}
	at := span{line, max(column, 1), 1}
	text := s.lines[line-1]
	if head == "" || len(text) > excerptLineBytesMax {
		return at
	}
	from := byteOffset(text, at.column-1)
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
	if at.line < 1 || at.line > len(s.lines) {
		return "", 0, 0
	}
	line := s.lines[at.line-1]
	if len(line) > excerptLineBytesMax {
		return "", 0, 0
	}
	from := byteOffset(line, at.column-1)
	to := from + byteOffset(line[from:], max(at.width, 1))
	before, target, after := line[:from], line[from:to], line[to:]
	if secret := s.secretFrom(at.line); secret >= 0 {
		switch {
		case secret <= from:
			before, target, after = line[:secret], stars, ""
		case secret < to:
			target, after = line[from:secret]+stars, ""
		default:
			after = line[to:secret] + stars
		}
	}
	return layOut(before, target, strings.TrimRight(after, " "))
}

// layOut joins the parts of a line, encoded and cut to a readable length, and
// returns which cells target takes.
func layOut(before, target, after string) (source string, mark, width int) {
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
