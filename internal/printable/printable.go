// Package printable makes untrusted text safe to show on a terminal. Plan files,
// the ledger and the service's messages can hold escape sequences that move the
// cursor or set the clipboard, line breaks that forge a log line, and invisible
// or direction-changing characters that make one name look like another. Every
// such text reaches a terminal through Line or Clip, or as JSON through JSON, and
// nothing else.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s as one line in which every character shows and stands where it
// is read. Control characters, line breaks, tabs, direction marks, zero-width
// characters, spaces that look like the plain one, unassigned and private-use
// characters and bytes that are not UTF-8 become escapes in Go's notation:
// \n, \t, \x1b, \u202e, \U000e0001. Everything else, backslashes included, stays
// as it is; text that needs no escape is returned without allocating.
//
// The result is for people: a backslash in it may have been one in s.
// Line(Line(s)) equals Line(s).
func Line(s string) string {
	i := firstUnsafe(s)
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	b.WriteString(s[:i])
	for i < len(s) {
		r, size := utf8.DecodeRuneInString(s[i:])
		appendRune(&b, s[i], r, size)
		i += size
	}
	return b.String()
}

// Clip returns Line(s) cut to at most n characters. Where something was cut the
// last character is "…"; an escape is kept or dropped whole. It looks at no more
// of s than it needs. For n < 1 the result is empty.
func Clip(s string, n int) string {
	if n < 1 {
		return ""
	}
	var b, one strings.Builder
	length, keep := 0, 0 // characters written; bytes that leave room for "…"
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		one.Reset()
		appendRune(&one, s[i], r, size)
		length += utf8.RuneCountInString(one.String())
		if length > n {
			return b.String()[:keep] + "…"
		}
		b.WriteString(one.String())
		if length <= n-1 {
			keep = b.Len()
		}
		i += size
	}
	return b.String()
}

// Safe reports whether r is shown as it is, rather than as an escape.
func Safe(r rune) bool {
	switch {
	case r >= ' ' && r <= '~':
		return true
	case r < 0xa0:
		return false
	case r == '\u3000': // the ordinary space of CJK text, and as wide as one
		return true
	case unicode.Is(unicode.Zs, r): // no-break space and others pose as the plain one
		return false
	case unicode.IsOneOf(invisible, r):
		return false
	}
	// Letters, marks, numbers, punctuation and symbols; not controls, format
	// characters (all direction marks among them), private use or unassigned.
	return unicode.IsGraphic(r)
}

// invisible are characters of the printable categories that show nothing.
var invisible = []*unicode.RangeTable{
	unicode.Other_Default_Ignorable_Code_Point, // fillers, grapheme joiner
	unicode.Variation_Selector,
}

// firstUnsafe returns the index of the first byte of s that Line would change,
// or len(s).
func firstUnsafe(s string) int {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c > '~' {
				return i
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !Safe(r) {
			return i
		}
		i += size
	}
	return len(s)
}

// appendRune writes r, or its escape. first is the byte that r came from when
// it was not valid UTF-8 (size is then 1).
func appendRune(b *strings.Builder, first byte, r rune, size int) {
	switch {
	case r == utf8.RuneError && size == 1:
		appendHex(b, `\x`, uint32(first), 2)
	case Safe(r):
		b.WriteRune(r)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0x100:
		appendHex(b, `\x`, uint32(r), 2)
	case r < 0x10000:
		appendHex(b, `\u`, uint32(r), 4)
	default:
		appendHex(b, `\U`, uint32(r), 8)
	}
}

// appendHex writes prefix and v in digits hexadecimal digits.
func appendHex(b *strings.Builder, prefix string, v uint32, digits int) {
	const hex = "0123456789abcdef"
	b.WriteString(prefix)
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b.WriteByte(hex[v>>shift&0xf])
	}
}
