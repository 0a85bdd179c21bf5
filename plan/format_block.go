package plan

import "strings"

// blockText writes the block text that header introduces, moved as a whole so that
// it says the same, and returns how many lines it took.
func (l *layout) blockText(header string, below []string) int {
	parent := l.levels.innermost()
	own, blanks := 0, 0 // lines of the text, and the empty ones that follow
	first := -1
	for _, line := range below {
		if depth := leadingSpaces(line); depth == len(line) && (first < 0 || depth <= first) {
			blanks++
			continue
		} else if depth < len(line) && (depth <= parent || depth < first) {
			break // a comment that stands to the left of the text is not in it
		} else if first < 0 {
			first = firstColumn(header, parent, depth)
		}
		own, blanks = own+blanks+1, 0
	}
	if strings.Contains(header, "+") {
		own, blanks = own+blanks, 0 // it keeps its last line breaks
	}
	for _, line := range below[:own] {
		l.page.line(l.moved(line, first, header))
	}
	l.blank = blanks
	return own + blanks
}

// firstColumn is where the lines of a block text begin: where its header says, or
// else its first line does.
func firstColumn(header string, parent, depth int) int {
	if digit := headerDigit(header); digit > 0 {
		return max(parent, 0) + digit
	}
	return depth
}

// headerDigit is the indentation that a block text's header gives, or 0.
func headerDigit(header string) int {
	if i := strings.IndexAny(header, "123456789"); i >= 0 {
		return int(header[i] - '0')
	}
	return 0
}

// moved returns a line of a block text whose lines begin at column first. Spaces
// past that column are part of the text.
func (l *layout) moved(line string, first int, header string) string {
	depth := leadingSpaces(line)
	if len(l.levels) == 0 {
		return line
	}
	to := l.levels.inside()
	if digit := headerDigit(header); digit > 0 {
		to += digit - indentStep
	}
	if depth == len(line) {
		if depth <= first || first < 0 {
			return ""
		}
		return strings.Repeat(" ", to+depth-first)
	}
	return strings.Repeat(" ", to+depth-first) + line[depth:]
}

func leadingSpaces(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }
