package plan

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const (
	// fileBytesMax is the largest plan file that is read.
	fileBytesMax = 64 << 20
	// linesMax is how many lines it may have.
	linesMax = 4_000_000
	// strayMax bounds how many unreadable characters are listed.
	strayMax = 20
	// tabWorkMax bounds the tabs of each line times its length, over the file.
	tabWorkMax = 4 << 30
	// blankRunMax is how many blank lines may follow one another.
	blankRunMax = 500
)

// decodeText returns the text of a file with "\n" line breaks and without a byte order
// mark, or what keeps it from being read at all: another encoding,
// bytes that are not UTF-8, characters that a plan must not hold in raw form, and
// no text at all. These are found before any YAML is read, since the parser would
// take such characters for part of a key or a value.
func decodeText(file, text string) (*sourceText, *findings) {
	refuse := func(message, hint string) (*sourceText, *findings) {
		f := newFindings(newSourceText(file, ""))
		f.add(span{}, message, hint)
		return nil, f
	}
	if len(text) > fileBytesMax {
		return refuse(fmt.Sprintf("the file is larger than %d MiB", fileBytesMax>>20),
			tooLargeHint)
	}
	if encoding := otherEncoding(text); encoding != "" {
		return refuse("the file is in "+encoding+"; a plan is UTF-8", "save it again as UTF-8")
	}
	text = strings.TrimPrefix(text, "\ufeff")
	if strings.Count(text, "\n") > linesMax {
		return refuse(fmt.Sprintf("the file has more than %d lines", linesMax), tooLargeHint)
	}
	if strings.Contains(text, "\r") {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	}
	source := newSourceText(file, text)
	f := newFindings(source)
	findStray(f)
	findTabs(f)
	if f.any() {
		return nil, f
	}
	if strings.TrimSpace(text) == "" {
		return refuse("the file is empty", emptyHint)
	}
	if findBlankRun(f); f.any() {
		return nil, f
	}
	return source, nil
}

// emptyHint tells apart what an empty file could have meant.
const emptyHint = "a plan without jobs says so: version: 1, name: NAME, jobs: []"

// otherEncoding names the encoding when data is plainly not UTF-8, else "".
func otherEncoding(data string) string {
	hasPrefix := func(prefix string) bool { return strings.HasPrefix(data, prefix) }
	switch {
	case hasPrefix("\xff\xfe\x00\x00"), hasPrefix("\x00\x00\xfe\xff"):
		return "UTF-32"
	case hasPrefix("\xff\xfe"), hasPrefix("\xfe\xff"):
		return "UTF-16"
	case len(data) >= 4 && data[0] == 0 && data[1] != 0, len(data) >= 4 && data[0] != 0 && data[1] == 0:
		return "UTF-16"
	case hasPrefix("\x1f\x8b"), hasPrefix("PK\x03\x04"), hasPrefix("SQLite format 3"):
		return "a binary format"
	}
	return ""
}

// findStray reports characters that may not stand in a plan as they are.
func findStray(f *findings) {
	for i, line := range f.text.lines.all() {
		if plainASCII(line) {
			continue
		}
		column := 0
		for j, r := range line {
			column++
			var what, hint string
			switch {
			case r == utf8.RuneError && !strings.HasPrefix(line[j:], "\ufffd"):
				what, hint = fmt.Sprintf("byte 0x%02x is not UTF-8", line[j]), "save the file as UTF-8"
			case r == 0:
				what, hint = "NUL character", "the file may be binary or in UTF-16"
			case r < ' ' && r != '\t', r >= 0x7f && r < 0xa0:
				what, hint = fmt.Sprintf("control character U+%04X", r), "remove it; inside double quotes it can be written as an escape"
			case turnsText(r):
				what = fmt.Sprintf("invisible character U+%04X changes the direction or the lines of the text", r)
				hint = "remove it: the plan would look different from what it says"
			case r == '\ufeff':
				what, hint = "byte order mark in the middle of the text", "remove it; files were probably joined"
			default:
				continue
			}
			if f.add(span{i + 1, column, 1}, what, hint); len(f.list) >= strayMax {
				return
			}
		}
	}
}

// findTabs refuses files with very many tabs on long lines: for each tab inside
// double quotes, the lexer reads the rest of the line.
func findTabs(f *findings) {
	work := 0
	for i, line := range f.text.lines.all() {
		if work += strings.Count(line, "\t") * len(line); work > tabWorkMax {
			f.add(span{i + 1, 1, 1}, "too many tabs on long lines up to here", "use spaces")
			return
		}
	}
}

// findBlankRun refuses very many blank lines in a row: after a block text, the
// lexer copies the whole text once for each of them.
func findBlankRun(f *findings) {
	run := 0
	for i, line := range f.text.lines.all() {
		if strings.TrimLeft(line, " \t") != "" {
			run = 0
			continue
		}
		if run++; run > blankRunMax {
			f.add(span{i + 1, 1, 1}, fmt.Sprintf("more than %d blank lines in a row", blankRunMax), "remove them")
			return
		}
	}
}

// turnsText reports whether r makes text display in another order, or in other
// lines, than it is read.
func turnsText(r rune) bool {
	return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x2028 || r == 0x2029
}

// plainASCII reports whether line has nothing but printable ASCII and tabs.
func plainASCII(line string) bool {
	for i := 0; i < len(line); i++ {
		if c := line[i]; (c < ' ' || c > '~') && c != '\t' {
			return false
		}
	}
	return true
}
