package plan

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// secretWords are parts of keys whose values are never shown.
var secretWords = []string{"pass", "secret", "pwd", "token", "key", "credential", "密码", "口令", "密钥"}

// sensitiveKey reports whether a key called word may hold a password: it says so,
// or it looks like a slip of the finger for one that does.
func sensitiveKey(word string) bool {
	word = strings.ToLower(word)
	for _, part := range secretWords {
		if strings.Contains(word, part) {
			return true
		}
	}
	return word == "pw" || editDistance(word, "password", 3) <= 3 || editDistance(word, "passwd", 2) <= 2
}

// secretFrom returns the index of the byte in the line from which on it must not
// be shown, or -1. line counts from 1.
func (s *sourceText) secretFrom(line int) int {
	if s.guessed == nil {
		s.guessed = guessSecrets(s.lines)
	}
	from := s.guessed[line-1]
	if n := s.hidden[line]; n != nil {
		known := byteOffset(s.lines[line-1], s.spanOf(n).column-1)
		if from < 0 || known < from {
			from = known
		}
	}
	return from
}

// guessSecrets finds, line by line and without parsing, what stands behind a
// sensitive key: the rest of its line, and the lines below that are indented
// deeper. It errs towards hiding too much. The result has the index of the first
// secret byte of each line, or -1.
func guessSecrets(lines []string) []int {
	from := make([]int, len(lines))
	under := -1 // indentation of the sensitive key whose block we are in
	for i, line := range lines {
		from[i] = -1
		indent := len(line) - len(strings.TrimLeft(line, " \t"))
		text := line[indent:]
		if text == "" {
			continue
		}
		if under >= 0 && (indent > under || indent == under && strings.HasPrefix(text, "-")) {
			from[i] = indent + referenceKey(text)
			continue
		}
		under = -1
		if value := sensitiveValue(line); value >= 0 {
			from[i] = value
			if text[0] != '#' {
				under = indent + len(text) - len(strings.TrimLeft(text, "- "))
			}
		}
	}
	return from
}

// referenceKey returns how many bytes at the start of text, a line under a
// password key, are a known key and its colon, and therefore no secret.
func referenceKey(text string) int {
	for _, key := range passwordSection.names() {
		if rest, ok := strings.CutPrefix(text, key+":"); ok {
			return len(text) - len(rest) + leadingBlanks(rest)
		}
	}
	return 0
}

// sensitiveValue returns the index in line of what follows the first sensitive
// key and its ":" or "=", or -1.
func sensitiveValue(line string) int {
	for i := 0; i < len(line); i++ {
		if line[i] != ':' && line[i] != '=' {
			continue
		}
		if sensitiveKey(wordBefore(line[:i])) {
			return i + 1 + leadingBlanks(line[i+1:])
		}
	}
	return -1
}

// wordBefore returns the key that text ends with, without quotes.
func wordBefore(text string) string {
	text = strings.TrimRight(text, ` "'`)
	start := len(text)
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.", r) {
			break
		}
		start -= size
	}
	return text[start:]
}

func leadingBlanks(text string) int {
	return len(text) - len(strings.TrimLeft(text, " "))
}
