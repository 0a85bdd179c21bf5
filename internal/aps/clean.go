package aps

import (
	"strings"
	"unicode/utf8"
)

// Bounds of the service's texts, in bytes.
const (
	messageMax = 500
	codeMax    = 128
)

// textMax is the length in bytes from which a text is left out. It cannot be cut
// before it is searched for secrets, and searching hostile text takes time: all
// ways to read its escapes are tried, against needles that almost fit.
const textMax = 8 << 10

// shortSecret is the length from which a secret.Redactor finds a secret.
const shortSecret = 4

// clean returns a code or request id of the service, without the secrets that
// the request carried, in one line of bounded length, "" for one of more than
// textMax.
func (r *reply) clean(text string) string {
	return r.cleanLine(text, codeMax)
}

// cleanMessage does the same for a message. A secret that is too short to be
// found by value costs the whole message, which might repeat it.
func (r *reply) cleanMessage(text string) string {
	for _, password := range r.call.passwords {
		if n := len(password.Reveal()); n > 0 && n < shortSecret {
			return ""
		}
	}
	return r.cleanLine(text, messageMax)
}

func (r *reply) cleanLine(text string, limit int) string {
	if text == "" || len(text) > textMax {
		return ""
	}
	return shorten(strings.Join(strings.Fields(r.redactor().Clean(text)), " "), limit)
}

// shorten cuts text to limit bytes, between characters.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const dots = "..."
	end := limit - len(dots)
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + dots
}
