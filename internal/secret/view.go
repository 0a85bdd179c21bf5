package secret

import (
	"html"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// viewDepth is how many encodings on top of each other are looked through.
const viewDepth = 3

// span is a half-open range of bytes in the original text.
type span struct{ start, end int }

// view is a text as it reads after some encodings are undone, with the place in
// the original text of each of its bytes. A nil from means the original itself.
type view struct {
	text string
	from []span
}

// span returns where the bytes [start,end) of v, at least one, came from.
func (v view) span(start, end int) span {
	if v.from == nil {
		return span{start, end}
	}
	return span{v.from[start].start, v.from[end-1].end}
}

// decoder reads one escape at the start of text and returns what it stands for
// and its length, or 0 where there is none.
type decoder struct {
	mark byte // what every escape starts with
	read func(text string) (string, int)
}

var decoders = []decoder{
	{'%', readPercent},
	{'+', func(string) (string, int) { return " ", 1 }},
	{'\\', readBackslash},
	{'&', readEntity},
}

// viewsOf returns text itself, first, and every different way in which it reads
// once up to viewDepth encodings are undone.
func viewsOf(text string) []view {
	views := []view{{text: text}}
	seen := map[string]bool(nil)
	for depth, first := 0, 0; depth < viewDepth; depth++ {
		last := len(views)
		for _, v := range views[first:last] {
			for _, d := range decoders {
				next, ok := d.undo(v)
				if !ok || seen[next.text] {
					continue
				}
				if seen == nil {
					seen = map[string]bool{}
				}
				seen[next.text] = true
				views = append(views, next)
			}
		}
		first = last
	}
	return views
}

// undo returns v with every escape of d read; ok is false where it has none.
func (d decoder) undo(v view) (next view, ok bool) {
	if strings.IndexByte(v.text, d.mark) < 0 {
		return view{}, false
	}
	var out strings.Builder
	from := make([]span, 0, len(v.text))
	for i := 0; i < len(v.text); {
		plain, size := v.text[i:i+1], 0
		if v.text[i] == d.mark {
			if text, n := d.read(v.text[i:]); n > 0 {
				plain, size, ok = text, n, true
			}
		}
		size = max(size, 1)
		at := v.span(i, i+size)
		for range len(plain) {
			from = append(from, at)
		}
		out.WriteString(plain)
		i += size
	}
	return view{out.String(), from}, ok
}

func readPercent(text string) (string, int) {
	if c, ok := hexNumber(text, 1, 2); ok {
		return string([]byte{byte(c)}), 3
	}
	return "", 0
}

// backslashes are the escapes of one letter in JSON, Go, YAML and shells.
var backslashes = map[byte]string{
	'"': `"`, '\'': "'", '\\': `\`, '/': "/",
	'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

func readBackslash(text string) (string, int) {
	if len(text) < 2 {
		return "", 0
	}
	switch text[1] {
	case 'x':
		if c, ok := hexNumber(text, 2, 2); ok {
			return string([]byte{byte(c)}), 4
		}
	case 'u':
		high, ok := hexNumber(text, 2, 4)
		if !ok {
			break
		}
		if utf16.IsSurrogate(rune(high)) && strings.HasPrefix(text[6:], `\u`) {
			if low, ok := hexNumber(text, 8, 4); ok {
				if r := utf16.DecodeRune(rune(high), rune(low)); r != utf8.RuneError {
					return string(r), 12
				}
			}
		}
		return string(rune(high)), 6
	case 'U':
		if c, ok := hexNumber(text, 2, 8); ok {
			return string(rune(c)), 10
		}
	default:
		if plain, ok := backslashes[text[1]]; ok {
			return plain, 2
		}
	}
	return "", 0
}

// entityMax is longer than the longest entity that an escaper writes for one
// character, as in "&#x0010ffff;".
const entityMax = 12

func readEntity(text string) (string, int) {
	end := strings.IndexByte(text[:min(len(text), entityMax)], ';')
	if end < 0 {
		return "", 0
	}
	entity := text[:end+1]
	if plain := html.UnescapeString(entity); plain != entity {
		return plain, len(entity)
	}
	return "", 0
}

// hexNumber reads the count hexadecimal digits of text that start at from.
func hexNumber(text string, from, count int) (uint64, bool) {
	if len(text) < from+count {
		return 0, false
	}
	n, err := strconv.ParseUint(text[from:from+count], 16, 32)
	return n, err == nil
}
