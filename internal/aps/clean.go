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

// textMax is the length in bytes up to which a text is searched for secrets: that
// takes time for hostile text, since all ways to read its escapes are tried, against
// needles that almost fit. What is longer is left out, or for a message its end: see
// beginning.
const textMax = 8 << 10

// longSecret is the length from which half a secret may reach far before the place
// where a text was cut.
const longSecret = 256

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
		n := len(password.Reveal())
		if n > 0 && n < shortSecret || n > longSecret && len(text) > textMax {
			return ""
		}
	}
	if len(text) > textMax {
		return r.beginning(text)
	}
	return r.cleanLine(text, messageMax)
}

// beginning is what is shown of a message that is too long to be searched to its end.
// A secret that the cut halves is not found: where so little is left after cleaning
// that this half might be shown, nothing is.
func (r *reply) beginning(text string) string {
	line := r.cleanLine(text[:textMax], textMax)
	if len(line) < textMax/2 {
		return ""
	}
	return shorten(line, messageMax)
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
