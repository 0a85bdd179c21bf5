package plan

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// tokensMax is about how many tokens a text may have that is parsed at once. Each
// takes more than 400 bytes and a microsecond of the parser: without a bound, a
// list of single letters costs as much as a file of twenty times its size.
const tokensMax = 400_000

// denseHint says what to do about a text with too many tokens.
const denseHint = "make jobs with generate, from a CSV file for example, or write them as a list with one job per line, or split the file"

// parseBounded is parseYAML for what is to be loaded, and refuses what has too many
// tokens.
func parseBounded(f *findings, text string, depth int) ast.Node {
	if line := tooMuch(text); line > 0 {
		f.add(span{line, 1, 1}, fmt.Sprintf("more than %d keys, values and marks up to the end of this line", tokensMax), denseHint)
		return nil
	}
	return parseYAML(f, text, depth)
}

// tooMuch returns the line of text, counted from 1, at which it has more than
// tokensMax tokens, else 0. It looks at each line by itself, before the lexer,
// which cannot be stopped: what stands in a block text counts as if it were YAML,
// and what stands in quotes on one line is one token.
func tooMuch(text string) int {
	tokens := 0
	for line := 1; text != ""; line++ {
		var one string
		one, text, _ = strings.Cut(text, "\n")
		if tokens += tokensOn(one); tokens > tokensMax {
			return line
		}
	}
	return 0
}

// tokensOn counts the marks and texts on a line.
func tokensOn(line string) int {
	tokens := 0
	free := true // a text may begin here
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == ' ', c == '\t':
		case strings.IndexByte("[]{},", c) >= 0, c == ':' && endsKey(line, i), c == '-' && free && blankAt(line, i+1):
			tokens++
			free = true
		case free && strings.IndexByte("&*!", c) >= 0: // and a name; the value follows
			tokens += 2
			if blank := strings.IndexAny(line[i:], " \t,]}"); blank >= 0 {
				i += blank - 1
			} else {
				return tokens
			}
		case free && strings.IndexByte("|>?%", c) >= 0:
			tokens++
		case free && c == '#':
			return tokens + 1
		case free:
			tokens++
			free = false
			if end := strings.IndexByte(line[i+1:], c); (c == '"' || c == '\'') && end >= 0 {
				i += end + 1
			}
		}
	}
	return tokens
}

// endsKey reports whether the colon at i of line can end a key.
func endsKey(line string, i int) bool {
	return blankAt(line, i+1) || i > 0 && (line[i-1] == '"' || line[i-1] == '\'')
}

// blankAt reports whether a blank or the end of the line is at i.
func blankAt(line string, i int) bool {
	return i >= len(line) || line[i] == ' ' || line[i] == '\t'
}
