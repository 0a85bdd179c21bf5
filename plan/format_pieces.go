package plan

import "strings"

// pieceKind tells what a piece of a line is, as far as its layout goes.
type pieceKind uint8

const (
	pieceScalar   pieceKind = iota // plain or quoted text, or the part of it on this line
	pieceDash                      // "-" of a list item
	pieceQuestion                  // "?" before a key
	pieceColon                     //
	pieceComma                     //
	pieceOpen                      // "[" or "{"
	pieceClose                     // "]" or "}"
	pieceName                      // an anchor, an alias or a tag
	pieceHeader                    // "|" or ">" with what follows it
	pieceComment                   //
	pieceDocument                  // "---" or "..."
)

// piece is a part of a line between blanks that may change, as it was written.
type piece struct {
	kind pieceKind
	text string
	at   int // its first byte in the line
}

// lineScanner cuts lines into pieces. It follows the YAML library's lexer where
// that departs from YAML, as in {a:1}, since the library decides what a plan says.
// It is a scanner of its own because that lexer does not tell where blanks were,
// and is wrong about some positions.
type lineScanner struct {
	braces, brackets int       // how many are open
	quote            byte      // the quotes of a text that goes on in the next line, else 0
	plain            bool      // the line ended in plain text, which may go on
	last             pieceKind // of the last piece that is not plain text
	pieces           []piece   // of the current line
}

// depth is how many [] and {} are open.
func (s *lineScanner) depth() int { return s.braces + s.brackets }

// line cuts line from byte at on, where something other than a blank stands. When
// continues is set, plain text of the line before goes on there. The result is
// valid until the next call.
func (s *lineScanner) line(line string, at int, continues bool) []piece {
	s.pieces = s.pieces[:0]
	s.plain = false
	switch {
	case s.quote != 0:
		at = s.quoted(line, at, at)
	case continues:
		at = s.plainText(line, at)
	}
	for {
		for at < len(line) && isBlank(line[at]) {
			at++
		}
		if at == len(line) {
			return s.pieces
		}
		at = s.next(line, at)
	}
}

// add appends line[from:to], which is no plain text, and returns to.
func (s *lineScanner) add(kind pieceKind, line string, from, to int) int {
	s.pieces = append(s.pieces, piece{kind, line[from:to], from})
	s.last = kind
	s.plain = false
	return to
}

// next cuts the piece that starts at byte at and returns where it ends.
func (s *lineScanner) next(line string, at int) int {
	rest := line[at:]
	spaced := len(rest) == 1 || isBlank(rest[1])
	switch c := rest[0]; {
	case at == 0 && isDocumentMark(line):
		return s.add(pieceDocument, line, at, at+3)
	case c == '#':
		s.add(pieceComment, line, at, len(strings.TrimRight(line, " \t")))
		return len(line)
	case s.bracket(c):
		return s.flow(line, at)
	case c == '-' && spaced:
		return s.add(pieceDash, line, at, at+1)
	case c == '?' && spaced && len(rest) > 1:
		return s.add(pieceQuestion, line, at, at+1)
	case c == ':' && s.isColon(line, at):
		return s.add(pieceColon, line, at, at+1)
	case c == '&', c == '*', c == '!':
		return s.add(pieceName, line, at, s.nameEnd(line, at))
	case c == '|', c == '>':
		end, _, _ := strings.Cut(rest, "#")
		s.add(pieceHeader, line, at, at+len(strings.TrimRight(end, " \t")))
		return at + len(end)
	case c == '"', c == '\'':
		s.quote = c
		return s.quoted(line, at, at+1)
	}
	return s.plainText(line, at)
}

// isDocumentMark reports whether line starts with "---" or "..." on its own.
func isDocumentMark(line string) bool {
	mark := strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...")
	return mark && (len(line) == 3 || isBlank(line[3]))
}

// bracket reports whether c, where no text is open, is a bracket or a comma.
func (s *lineScanner) bracket(c byte) bool {
	return c == '[' || c == '{' || c == ']' || c == '}' && s.braces > 0 || c == ',' && s.depth() > 0
}

// endsPlain reports whether c ends plain text: outside of [] and {} brackets and
// commas are text.
func (s *lineScanner) endsPlain(c byte) bool {
	return s.depth() > 0 && (c == '[' || c == '{' || c == ',') || c == '}' && s.braces > 0 || c == ']' && s.brackets > 0
}

func (s *lineScanner) flow(line string, at int) int {
	kind := pieceComma
	switch line[at] {
	case '[':
		kind = pieceOpen
		s.brackets++
	case '{':
		kind = pieceOpen
		s.braces++
	case ']':
		kind = pieceClose
		s.brackets--
	case '}':
		kind = pieceClose
		s.braces--
	}
	return s.add(kind, line, at, at+1)
}

// isColon reports whether the colon at byte at ends a key.
func (s *lineScanner) isColon(line string, at int) bool {
	last := at+1 == len(line)
	if s.braces > 0 {
		return s.last != pieceColon && (last || line[at+1] != '/')
	}
	return last || isBlank(line[at+1])
}

// nameEnd returns where the anchor, alias or tag at byte at ends.
func (s *lineScanner) nameEnd(line string, at int) int {
	end := at + 1
	for end < len(line) && !isBlank(line[end]) && !s.endsPlain(line[end]) {
		end++
	}
	return end
}

// quoted cuts the rest of a quoted text, which starts at byte from and is read
// from byte at on. It sets s.quote to 0 when the text ends in this line.
func (s *lineScanner) quoted(line string, from, at int) int {
	for ; at < len(line); at++ {
		switch c := line[at]; {
		case c == '\\' && s.quote == '"':
			at++
		case c != s.quote:
		case c == '\'' && strings.HasPrefix(line[at+1:], "'"):
			at++
		default:
			s.quote = 0
			return s.add(pieceScalar, line, from, at+1)
		}
	}
	s.add(pieceScalar, line, from, foldedEnd(line))
	return len(line)
}

// foldedEnd returns where line ends when it ends inside quotes: without the
// spaces that folding drops, but with one that belongs to an escape.
func foldedEnd(line string) int {
	text := strings.TrimRight(line, " ")
	escapes := len(text) - len(strings.TrimRight(text, `\`))
	if escapes%2 == 1 && len(text) < len(line) {
		return len(text) + 1
	}
	return len(text)
}

// plainText cuts plain text from byte at on, which may be none where text of the
// line before goes on.
func (s *lineScanner) plainText(line string, at int) int {
	end := at
	for end < len(line) && !s.endsPlain(line[end]) {
		if c := line[end]; c == ':' && s.isColon(line, end) || c == '#' && end > 0 && isBlank(line[end-1]) {
			break
		}
		end++
	}
	if end > at {
		text := strings.TrimRight(line[at:end], " \t")
		s.pieces = append(s.pieces, piece{pieceScalar, text, at})
		s.plain = true
	}
	return end
}
