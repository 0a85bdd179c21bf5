package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// queryWords are the first words of statements that only read.
var queryWords = []string{"SELECT", "WITH", "VALUES", "EXPLAIN"}

// singleQuery returns the one statement of text, without the semicolon and what
// follows it, and refuses a text that is not one statement that reads. What the
// statement does is judged by SQLite; this keeps a second one from hiding behind
// the first.
func singleQuery(text string) (string, error) {
	if strings.ContainsRune(text, 0) {
		return "", errors.New("it holds a NUL byte")
	}
	first, end := "", -1
	for rest := text; rest != ""; {
		token := nextToken(rest)
		rest = rest[len(token):]
		switch {
		case isBlank(token):
		case end >= 0:
			return "", errors.New("it holds more than one statement; send one at a time")
		case token == ";" && first != "":
			end = len(text) - len(rest) - len(token)
		case first == "":
			first = strings.ToUpper(token)
			if !slices.Contains(queryWords, first) {
				return "", fmt.Errorf("it must begin with %s; this command cannot change the ledger", strings.Join(queryWords, ", "))
			}
		}
	}
	if first == "" {
		return "", errors.New("it is empty")
	}
	if end >= 0 {
		text = text[:end]
	}
	return text, nil
}

// nextToken returns the first token of text, which is not empty, as SQLite would
// cut it, as far as that matters for finding a semicolon: a space, a comment, a
// quoted name or text, a word, or one other byte. What is not closed goes to the
// end.
func nextToken(text string) string {
	switch {
	case strings.HasPrefix(text, "--"):
		return through(text, 2, "\n")
	case strings.HasPrefix(text, "/*"):
		return through(text, 2, "*/")
	}
	switch text[0] {
	case '\'', '"', '`':
		return through(text, 1, text[:1]) // a doubled quote begins the next token
	case '[':
		return through(text, 1, "]")
	}
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return text[:max(n, 1)]
}

// through returns text up to and with the first end after skip bytes.
func through(text string, skip int, end string) string {
	if i := strings.Index(text[skip:], end); i >= 0 {
		return text[:skip+i+len(end)]
	}
	return text
}

func isWord(b byte) bool {
	return b == '_' || b >= 0x80 || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z'
}

func isBlank(token string) bool {
	return strings.HasPrefix(token, "--") || strings.HasPrefix(token, "/*") || strings.Trim(token, " \t\r\n\f") == ""
}
