package plan

import (
	"math"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
)

// page is the text written so far. Lines with a comment behind them are held back
// until their comments' column is known: comments that stood in one column on
// lines one below the other stay in one column, as near as the nearest was. All
// other comments keep their distance. Whoever lines comments up by hand, or
// leaves two blanks before them, finds them so again.
type page struct {
	out     []byte
	empties int        // empty lines to write before the next line, if there is one
	run     []codeLine // lines whose comments stood in one column
}

// codeLine is a line with a comment behind it. Its code is empty when a comment
// continues that of the line above.
type codeLine struct {
	code, comment string
	gap           int // blanks between the two
	column        int // of the comment, in the source
}

// empty notes n empty lines.
func (p *page) empty(n int) { p.empties += n }

// begin gets ready for a line that is not part of the run.
func (p *page) begin() {
	p.flush()
	for ; p.empties > 0; p.empties-- {
		if len(p.out) > 0 {
			p.out = append(p.out, '\n')
		}
	}
}

func (p *page) line(text string) { p.indented(0, text) }

func (p *page) indented(to int, text string) {
	p.begin()
	p.indent(to)
	p.out = append(p.out, text...)
	p.out = append(p.out, '\n')
}

func (p *page) indent(to int) {
	for range to {
		p.out = append(p.out, ' ')
	}
}

// pieces writes the pieces of line, from column to on.
func (p *page) pieces(line string, to int, pieces []piece) {
	n := len(pieces) - 1
	if pieces[n].kind != pieceComment {
		p.begin()
		p.code(to, pieces)
		p.out = append(p.out, '\n')
		return
	}
	comment, last := pieces[n], pieces[n-1]
	column := cells(line[:comment.at])
	if p.empties > 0 || len(p.run) > 0 && p.run[0].column != column {
		p.begin()
	}
	start := len(p.out)
	p.code(to, pieces[:n])
	code := string(p.out[start:])
	p.out = p.out[:start]
	gap := max(comment.at-last.at-len(last.text), 1)
	p.run = append(p.run, codeLine{code, comment.text, gap, column})
}

// code writes pieces with one blank between two of them, or none.
func (p *page) code(to int, pieces []piece) {
	p.indent(to)
	for i, piece := range pieces {
		if i > 0 && apart(pieces[i-1], piece) {
			p.out = append(p.out, ' ')
		}
		p.out = append(p.out, piece.text...)
	}
}

// apart reports whether a blank stands between a and b.
func apart(a, b piece) bool {
	switch {
	case a.kind == pieceColon, a.kind == pieceName && (b.kind == pieceColon || a.text[0] == '!'):
		return true // a] would be part of the tag !a, and [a:] is no key
	case a.kind == pieceOpen, b.kind == pieceClose, b.kind == pieceComma, b.kind == pieceColon:
		return false
	}
	return true
}

// continues takes a comment at column from, on a line of its own, when it
// continues the comment behind the line above.
func (p *page) continues(comment string, from int) bool {
	if p.empties > 0 || len(p.run) == 0 || p.run[0].column != from {
		return false
	}
	p.run = append(p.run, codeLine{"", comment, math.MaxInt, from})
	return true
}

// flush writes the run.
func (p *page) flush() {
	width, gap := 0, math.MaxInt
	for _, l := range p.run {
		width, gap = max(width, cells(l.code)), min(gap, l.gap)
	}
	for _, l := range p.run {
		p.out = append(p.out, l.code...)
		p.indent(width + gap - cells(l.code))
		p.out = append(p.out, l.comment...)
		p.out = append(p.out, '\n')
	}
	p.run = p.run[:0]
}

// end returns the text.
func (p *page) end() []byte {
	p.flush()
	return p.out
}

// cells is how wide text is in an editor.
func cells(text string) int {
	if plainASCII(text) {
		return len(text)
	}
	return printable.Width(strings.ReplaceAll(text, "\t", " "))
}
