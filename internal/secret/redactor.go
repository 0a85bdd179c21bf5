package secret

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"sync"
)

// redactMin is the length in bytes from which a secret is replaced by value.
// A shorter one occurs by chance in ordinary text, and replacing it would shred
// the text and show the secret by what is missing. Where one may be echoed, the
// whole field has to be left out instead.
const redactMin = 4

// Redactor takes secrets out of text that was written by others: messages of
// the service, of the transport, of a panic. It is the last fence, not the
// first: text of our own never holds a secret, because a Value prints as
// [redacted].
//
// The zero Redactor knows no secret; a nil *Redactor returns its input. A
// Redactor is safe for concurrent use.
type Redactor struct {
	mu      sync.RWMutex
	known   map[string]bool     // secrets that were added
	first   [256]bool           // bytes that some needle starts with
	needles map[uint32][]needle // by their first four bytes
}

// needle is one form of one secret.
type needle struct {
	text string
	// left and right say that the base64 digit before or after the needle holds
	// bits of the secret together with bits of its neighbour.
	left, right bool
}

// NewRedactor returns a Redactor that knows values.
func NewRedactor(values ...Value) *Redactor {
	r := &Redactor{}
	for _, v := range values {
		r.Add(v)
	}
	return r
}

// Add makes r replace v from now on. The zero Value and secrets shorter than
// four bytes are not replaced. Adding a secret twice, or to a nil Redactor, does
// nothing.
func (r *Redactor) Add(v Value) {
	text := v.Reveal()
	if r == nil || len(text) < redactMin {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[text] {
		return
	}
	if r.known == nil {
		r.known, r.needles = map[string]bool{}, map[uint32][]needle{}
	}
	r.known[text] = true
	for _, n := range needlesOf(text) {
		key := firstFour(n.text)
		if !slices.Contains(r.needles[key], n) {
			r.needles[key] = append(r.needles[key], n)
			r.first[n.text[0]] = true
		}
	}
}

// Clean returns text with every occurrence of every known secret replaced by
// [redacted]. Occurrences that overlap become one. It finds a secret as it is,
// in hexadecimal, and in base64 (both alphabets, with or without padding, also
// in the middle of longer base64); each of these also percent-encoded, with
// backslash escapes as JSON and Go write them, with HTML entities, and up to
// three of those on top of each other.
//
// Clean text before cutting it short: half a secret is not found, and an encoded
// one may be missed right behind half an escape such as a single %.
func (r *Redactor) Clean(text string) string {
	if r == nil || len(text) < redactMin {
		return text
	}
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.needles) == 0 {
		return text
	}
	var found []span
	for _, v := range viewsOf(text) {
		found = r.find(v, found)
	}
	if len(found) == 0 {
		return text
	}
	slices.SortFunc(found, func(a, b span) int { return a.start - b.start })
	var out strings.Builder
	done := 0 // everything before it is written
	for i := 0; i < len(found); {
		s := found[i]
		for i++; i < len(found) && found[i].start < s.end; i++ {
			s.end = max(s.end, found[i].end)
		}
		out.WriteString(text[done:s.start])
		out.WriteString(redacted)
		done = s.end
	}
	out.WriteString(text[done:])
	return out.String()
}

// find appends to found the places in the original text of all needles in v.
func (r *Redactor) find(v view, found []span) []span {
	text := v.text
	for i := 0; i+redactMin <= len(text); i++ {
		if !r.first[text[i]] {
			continue
		}
		for _, n := range r.needles[firstFour(text[i:])] {
			if !strings.HasPrefix(text[i:], n.text) {
				continue
			}
			start, end := i, i+len(n.text)
			if n.left && start > 0 && isBase64(text[start-1]) {
				start--
			}
			if n.right && end < len(text) && isBase64(text[end]) {
				end++
			}
			found = append(found, v.span(start, end))
		}
	}
	return found
}

// needlesOf returns every form of text that is searched for, each at least
// redactMin bytes long.
func needlesOf(text string) []needle {
	lower := hex.EncodeToString([]byte(text))
	all := []needle{{text: text}, {text: lower}, {text: strings.ToUpper(lower)}}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// A secret inside longer base64 starts at any of three alignments; only
		// the digits that hold nothing but its own bits are always the same.
		for shift := range 3 {
			digits := encoding.EncodeToString([]byte("\x00\x00"[:shift] + text))
			from := (shift*8 + 5) / 6
			to := (shift + len(text)) * 8 / 6
			all = append(all, needle{
				text:  digits[from:to],
				left:  shift > 0,
				right: to*6 != (shift+len(text))*8,
			})
		}
	}
	return all
}

// firstFour packs the first four bytes of text, which has at least four.
func firstFour(text string) uint32 {
	return uint32(text[0]) | uint32(text[1])<<8 | uint32(text[2])<<16 | uint32(text[3])<<24
}

// isBase64 reports whether c is a digit of either base64 alphabet.
func isBase64(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' ||
		c == '+' || c == '/' || c == '-' || c == '_'
}
