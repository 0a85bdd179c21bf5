package printable

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON returns text, which is JSON, with the same values and only characters that
// Line leaves as they are, but for the white space between values: all others
// become \u escapes. An encoder leaves direction marks and controls above ASCII as
// they came, and what is written for a program reaches a terminal all the same. A
// byte that is not UTF-8 becomes the replacement character. Text that needs no
// escape is returned as it is.
func JSON(text []byte) []byte {
	i := firstUnsafeJSON(text)
	if i == len(text) {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 64)
	for i < len(text) {
		b.Write(text[:i])
		r, size := utf8.DecodeRune(text[i:])
		for _, unit := range utf16.Encode([]rune{r}) {
			appendHex(&b, `\u`, uint32(unit), 4)
		}
		text = text[i+size:]
		i = firstUnsafeJSON(text)
	}
	b.Write(text)
	return []byte(b.String())
}

// firstUnsafeJSON returns the index of the first byte of what JSON has to escape, or
// len(text). Outside of strings JSON is ASCII, and an encoder escapes the controls
// below the space.
func firstUnsafeJSON(text []byte) int {
	for i := 0; i < len(text); {
		if text[i] < 0x7f {
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 || !Safe(r) {
			return i
		}
		i += size
	}
	return len(text)
}
