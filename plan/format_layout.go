package plan

import "strings"

// layout writes a file line by line. It remembers what is open and the comments
// that wait for the line that they belong to.
type layout struct {
	scanner lineScanner
	levels  levels
	base    int       // where the [] or {} that is open begins, as far as indentation goes
	after   pieceKind // what the last line ended with, comments left out
	blank   int       // empty lines since the last line
	waiting []ownComment
	page    page
}

// layOutFile returns lines, which can be read as YAML, in the layout of Format.
func layOutFile(lines []string) []byte {
	var l layout
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last] // what splitting finds behind the last line break
	}
	for i := 0; i < len(lines); i++ {
		i += l.line(lines[i], lines[i+1:])
	}
	l.release(-1, 0)
	return l.page.end()
}

// line writes one line, and returns how many of the lines below it wrote too.
func (l *layout) line(line string, below []string) int {
	indent := len(line) - len(strings.TrimLeft(line, " \t"))
	quoted := l.scanner.quote != 0
	switch {
	case indent == len(line) && quoted:
		l.page.line("") // an empty line in quotes is a line break of the text
		return 0
	case indent == len(line):
		l.blank++
		return 0
	case line[indent] == '#' && !quoted:
		l.comment(line, indent)
		return 0
	}
	if header := l.content(line, indent, quoted); header != "" {
		return l.blockText(header, below)
	}
	return 0
}

// content writes a line that is neither blank nor a comment. When the line ends
// with the header of a block text, it returns the header.
func (l *layout) content(line string, indent int, quoted bool) (header string) {
	depth := l.scanner.depth()
	plain := l.scanner.plain && !isDocumentMark(line) && (depth > 0 || indent > l.levels.innermost())
	pieces := l.scanner.line(line, indent, plain)
	to := 0
	switch {
	case depth > 0:
		to = l.inFlow(depth, pieces)
	case quoted, plain:
		to = l.levels.inside()
	default:
		to = l.levels.place(pieces, indent)
		l.base = l.levels.inside()
	}
	if plain && pieces[0].kind == pieceScalar {
		l.page.empty(l.blank) // line breaks of the text
		l.blank = 0
	}
	l.release(indent, to)
	l.page.pieces(line, to, pieces)
	last := pieces[len(pieces)-1]
	if last.kind == pieceComment && len(pieces) > 1 {
		last = pieces[len(pieces)-2]
	}
	l.after = last.kind
	if last.kind == pieceHeader {
		return last.text
	}
	return ""
}

// inFlow returns where a line goes that begins with pieces inside depth open []
// and {}: one step for each that it does not close, and one more when it goes on
// with the entry of the line above.
//
// The steps start inside the level that holds the outermost of them, since YAML
// wants even the last ] or } to be deeper than the key before the first.
func (l *layout) inFlow(depth int, pieces []piece) int {
	closes := 0
	for closes < len(pieces) && pieces[closes].kind == pieceClose {
		closes++
	}
	begins := l.after == pieceOpen || l.after == pieceComma || pieces[0].kind == pieceComma
	if closes == 0 && !begins {
		depth++
	}
	return l.base + indentStep*(depth-closes)
}
