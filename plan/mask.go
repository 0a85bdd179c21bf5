package plan

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// secretWords are parts of keys whose values are never shown.
var secretWords = []string{"pass", "secret", "pwd", "token", "key", "credential", "密码", "口令", "密钥"}

// sensitiveKey reports whether a key called word may hold a password: it says so,
// or it looks like a slip of the finger for one that does.
func sensitiveKey(word string) bool {
	if plainKeys()[word] {
		return false
	}
	word = strings.ToLower(word)
	for _, part := range secretWords {
		if strings.Contains(word, part) {
			return true
		}
	}
	return word == "pw" || slipOf(word, "password", 3) || slipOf(word, "passwd", 2)
}

// slipOf reports whether word is target but for at most so many slips. The letters
// that they share are counted first: most words have too few, and a file may have
// a million of them.
func slipOf(word, target string, slips int) bool {
	shared := 0
	for i := 0; i < len(word); i++ {
		if strings.IndexByte(target, word[i]) >= 0 {
			shared++
		}
	}
	return shared >= len(target)-slips && editDistance(word, target, slips) <= slips
}

// plainKeys are the keys of a plan that hold no password. Most keys of a plan are
// among them, and need not be looked at any closer.
var plainKeys = sync.OnceValue(func() map[string]bool {
	plain := map[string]bool{}
	for _, table := range keyTables() {
		for _, name := range table.names {
			plain[name] = name != "password" && name != "secret"
		}
	}
	return plain
})

// passwordWords are parts of names that can hardly mean anything but a secret.
var passwordWords = []string{"password", "passwd", "pwd", "secret", "credential", "密码", "口令"}

// calledPassword reports whether a variable or column of that name holds one.
func calledPassword(name string) bool {
	name = strings.ToLower(name)
	return slices.ContainsFunc(passwordWords, func(word string) bool { return strings.Contains(name, word) })
}

// mask is a part of a line, by bytes, that is not shown.
type mask struct{ from, to int }

// maskedLine is a line, counted from 1, and its masks.
type maskedLine struct {
	line  int
	masks []mask
}

// masks returns what must not be shown of a line: in order, apart from each
// other, and not empty.
func (s *sourceText) masks(line int) []mask {
	if s.masked.line == line {
		return s.masked.masks
	}
	if s.reveal != nil {
		s.reveal(line)
	}
	s.blocks.follow(s.lines.part(0, line))
	text := s.lines.line(line - 1)
	masks := secretsIn(text)
	if from := s.blocks.from[line-1]; from >= 0 {
		masks = append(masks, mask{from, len(text)})
	}
	for _, n := range s.hidden[line] {
		at := s.spanOf(n)
		m := mask{byteOffset(text, at.column-1), len(text)}
		// A text with escapes may not be found as it was written.
		if n.closed && strings.HasPrefix(text[m.from:], n.head) {
			m.to = m.from + byteOffset(text[m.from:], at.width)
		}
		masks = append(masks, m)
	}
	s.masked = maskedLine{line, joinMasks(masks)}
	return s.masked.masks
}

// joinMasks sorts masks and makes one of those that touch.
func joinMasks(masks []mask) []mask {
	slices.SortFunc(masks, func(x, y mask) int { return cmp.Compare(x.from, y.from) })
	joined := masks[:0]
	for _, m := range masks {
		last := len(joined) - 1
		switch {
		case m.from >= m.to:
		case last >= 0 && m.from <= joined[last].to:
			joined[last].to = max(joined[last].to, m.to)
		default:
			joined = append(joined, m)
		}
	}
	return joined
}

// secretBlocks tells the lines that stand below a sensitive key and are indented
// deeper. They are found without parsing, which errs towards hiding too much, from
// the first line on, as far as somebody asked.
type secretBlocks struct {
	from  []int // index of the first secret byte of each line, or -1
	under int   // indentation of the sensitive key whose block the last line is in
}

// follow goes on to the last of lines, which start at the first of the file.
func (s *secretBlocks) follow(lines lineTable) {
	under := s.under
	if len(s.from) == 0 {
		under = -1
	}
	for i := len(s.from); i < lines.count(); i++ {
		line := lines.line(i)
		s.from = append(s.from, -1)
		indent := leadingBlanks(line)
		text := line[indent:]
		if text == "" {
			continue
		}
		// How deep a tab indents nobody knows; it may well be below the key.
		tabbed := strings.Contains(line[:indent], "\t")
		if under >= 0 && (tabbed || indent > under || indent == under && (text[0] == '-' || text[0] == ':')) {
			s.from[i] = indent + referenceKey(text)
			continue
		}
		under = -1
		masks := secretsIn(line)
		last := len(masks) - 1
		if last >= 0 && masks[last].to == len(line) && text[0] != '#' || loneKey(text) {
			under = indent + len(text) - len(strings.TrimLeft(text, "- "))
		}
	}
	s.under = under
}

// loneKey reports whether text is nothing but a sensitive key whose colon was
// forgotten: its value stands below.
func loneKey(text string) bool {
	word := strings.Trim(text, ` -?"'`)
	return word != "" && wordLength(word) == len(word) && sensitiveKey(word)
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

// secretsIn returns what stands behind the sensitive keys of one line: up to
// where the value plainly ends, else to the end of the line. The last mask may be
// empty: the key's value is on the lines below.
func secretsIn(line string) []mask {
	var masks []mask
	keyMay := true // a key may start here
	for i := 0; i < len(line); {
		c := line[i]
		from := -1
		switch {
		case c == ':' || c == '=':
			if sensitiveKey(wordBefore(line[:i])) {
				from = i + 1
			}
		case keyMay && c != ' ' && c != '-':
			from = afterLoneKey(line, i)
		}
		keyMay = strings.IndexByte("{[,?", c) >= 0 || keyMay && (c == ' ' || c == '-')
		if i++; from < 0 {
			continue
		}
		from += leadingBlanks(line[from:])
		end := valueEnd(line[from:])
		masks = append(masks, mask{from, from + end})
		i, keyMay = from+end, false
	}
	return masks
}

// afterLoneKey returns the index in line of what follows the sensitive word that
// starts at i when its colon was forgotten, or -1.
func afterLoneKey(line string, i int) int {
	rest := strings.TrimLeft(line[i:], `"'`)
	word := rest[:wordLength(rest)]
	after := strings.TrimLeft(rest[len(word):], `"'`)
	explicit := strings.HasSuffix(strings.TrimRight(line[:i], " "), "?") // ": VALUE" comes on the next line
	if i = len(line) - len(after); after == "" && !explicit || !sensitiveKey(word) {
		return -1
	}
	if explicit {
		return i
	}
	if after = strings.TrimLeft(after, " "); after == "" || strings.IndexByte(":=", after[0]) >= 0 {
		return -1 // the colon is found by itself
	}
	return i
}

// closedValue matches a quoted text, or a reference to a secret, and what shows
// that it ends there: brackets, and then the next key or the end of the line.
var closedValue = regexp.MustCompile(`^("[^"\\]*"|'[^']*'|\{ *(?:env|file) *: *(?:[A-Za-z0-9_./~-]+|"[^"\\]*"|'[^']*') *\}) *[}\]]*(?: *, *["']?[A-Za-z_]+["']? *:| *[}\], ]*$)`)

// valueEnd returns where the secret at the start of text ends.
func valueEnd(text string) int {
	if match := closedValue.FindStringSubmatch(text); match != nil {
		return len(match[1])
	}
	return len(text)
}

// wordBefore returns the key that text ends with, without quotes.
func wordBefore(text string) string {
	text = strings.TrimRight(text, ` "'`)
	start := len(text)
	for start > 0 {
		r, size := utf8.DecodeLastRuneInString(text[:start])
		if !inWord(r) {
			break
		}
		start -= size
	}
	return text[start:]
}

// wordLength returns how many bytes the key at the start of text has.
func wordLength(text string) int {
	for i, r := range text {
		if !inWord(r) {
			return i
		}
	}
	return len(text)
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("_-.", r)
}

func leadingBlanks(text string) int {
	return len(text) - len(strings.TrimLeft(text, " \t"))
}
