package plan

import (
	"fmt"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
)

// Format returns the plan file in data in the one layout that plan files have;
// docs/plan.md lists its rules. Only blanks, line ends and empty lines change:
// lines are neither joined nor split, and keys, items, comments, quotes and block
// texts stay what and where they are. Keys are not sorted, because a comment may
// be about several of them and nobody but the author knows which.
//
// file is the name in messages. What keeps data from being read as YAML is
// returned as Problems; keys and values are not checked. The result is read
// again: when it does not say the same as data, or would look different when
// formatted once more, an error says so and there is no result. That happens with
// YAML that is odd beyond anything a plan needs.
func Format(file string, data []byte) ([]byte, error) {
	text, refused := decodeText(file, string(data))
	if refused != nil {
		return nil, refused.problems()
	}
	before, err := meaningOf(text)
	if err != nil {
		return nil, err
	}
	formatted := layOutFile(text.lines.list())
	if string(formatted) == string(data) {
		return formatted, nil
	}
	if line := changedLine(before, text.lines.list(), formatted); line > 0 {
		return nil, fmt.Errorf("%s cannot be formatted: it would not say the same as before, from about line %d on; nothing was changed",
			printable.Line(file), line)
	}
	if !isLaidOut(formatted) {
		return nil, fmt.Errorf("%s cannot be formatted: its layout is too unusual; nothing was changed", printable.Line(file))
	}
	return formatted, nil
}

func isLaidOut(formatted []byte) bool {
	return string(layOutFile(strings.Split(string(formatted), "\n"))) == string(formatted)
}

// changedLine returns the first line from which on formatted says something else
// than lines, which before was read from, or 0. It looks twice, in ways that share
// nothing: that all but blanks is there, byte for byte and in order, and that the
// YAML parser reads the same from both.
func changedLine(before meaning, lines []string, formatted []byte) int {
	if line := changedInk(lines, formatted); line > 0 {
		return line
	}
	text, problems := decodeText("", string(formatted))
	if problems != nil {
		return 1
	}
	return before.differs(text)
}

// changedInk compares all characters but blanks and line breaks.
func changedInk(lines []string, formatted []byte) int {
	at := 0
	skip := func() {
		for at < len(formatted) && strings.IndexByte(" \t\n", formatted[at]) >= 0 {
			at++
		}
	}
	for i, line := range lines {
		for j := range len(line) {
			if isBlank(line[j]) {
				continue
			}
			if skip(); at == len(formatted) || formatted[at] != line[j] {
				return i + 1
			}
			at++
		}
	}
	if skip(); at < len(formatted) {
		return len(lines)
	}
	return 0
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
