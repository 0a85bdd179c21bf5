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

// shortSecret is the length from which a secret.Redactor finds a secret.
const shortSecret = 4

// clean returns a code or request id of the service, without the secrets that
// the request carried, in one line of bounded length.
func (r *reply) clean(text string) string {
	if text == "" {
		return ""
	}
	return shorten(strings.Join(strings.Fields(r.redactor().Clean(text)), " "), codeMax)
}

// cleanMessage does the same for a message. A secret that is too short to be
// found by value costs the whole message, which might repeat it.
func (r *reply) cleanMessage(text string) string {
	for _, password := range r.call.passwords {
		if n := len(password.Reveal()); n > 0 && n < shortSecret {
			return ""
		}
	}
	if text == "" {
		return ""
	}
	return shorten(strings.Join(strings.Fields(r.redactor().Clean(text)), " "), messageMax)
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
