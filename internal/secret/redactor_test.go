package secret

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"
)

// odd has a character that each encoding treats differently.
const odd = "p@s s+w/ö\"r\\d%41&<é>~*'😀"

// forms are the ways in which a secret is written by others.
var forms = map[string]func(string) string{
	"raw":              func(s string) string { return s },
	"query":            url.QueryEscape,
	"path":             url.PathEscape,
	"query lower case": func(s string) string { return lowerEscapes(url.QueryEscape(s)) },
	"rfc 3986":         func(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") },
	"every byte":       func(s string) string { return fmt.Sprintf("%%%s", strings.Join(pairs(s), "%")) },
	"twice":            func(s string) string { return url.QueryEscape(url.QueryEscape(s)) },
	"json":             jsonText,
	"json in json":     func(s string) string { return jsonText(jsonText(s)) },
	"json in query":    func(s string) string { return url.QueryEscape(jsonText(s)) },
	"json, slash":      func(s string) string { return strings.ReplaceAll(jsonText(s), "/", `\/`) },
	"go":               func(s string) string { return unquoted(fmt.Sprintf("%q", s)) },
	"go ascii":         func(s string) string { return unquoted(fmt.Sprintf("%+q", s)) },
	"html":             html.EscapeString,
	"base64":           func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) },
	"base64 raw":       func(s string) string { return base64.RawStdEncoding.EncodeToString([]byte(s)) },
	"base64 url":       func(s string) string { return base64.URLEncoding.EncodeToString([]byte(s)) },
	"base64 url raw":   func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) },
	"base64 in query":  func(s string) string { return url.QueryEscape(base64.StdEncoding.EncodeToString([]byte(s))) },
	"hex":              func(s string) string { return hex.EncodeToString([]byte(s)) },
	"hex upper case":   func(s string) string { return strings.ToUpper(hex.EncodeToString([]byte(s))) },
}

func jsonText(s string) string {
	text, _ := json.Marshal(s)
	return unquoted(string(text))
}

func unquoted(s string) string { return s[1 : len(s)-1] }

func pairs(s string) (all []string) {
	for i := range len(s) {
		all = append(all, hex.EncodeToString([]byte{s[i]}))
	}
	return all
}

func lowerEscapes(s string) string {
	out := []byte(s)
	for i := range out {
		if i >= 1 && out[i-1] == '%' || i >= 2 && out[i-2] == '%' {
			out[i] = strings.ToLower(string(out[i]))[0]
		}
	}
	return string(out)
}

func TestRedactor_forms(t *testing.T) {
	for name, form := range forms {
		for _, text := range []string{canary, odd, "abcd", strings.Repeat("long ", 100)} {
			got := NewRedactor(NewValue(text)).Clean("<" + form(text) + ">")
			got = strings.ReplaceAll(got, "=", "") // padding says nothing
			if want := "<" + redacted + ">"; strings.ReplaceAll(got, "%3D", "") != want {
				t.Errorf("%s of %q: got %q, want %q", name, text, got, want)
			}
		}
	}
}

func TestRedactor_inside_longer_base64(t *testing.T) {
	r := NewRedactor(NewValue(canary))
	for before := range 7 {
		for after := range 4 {
			plain := strings.Repeat("u", before) + canary + strings.Repeat("v", after)
			for _, encoding := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
				encoded := encoding.EncodeToString([]byte(plain))
				got := r.Clean(encoded)
				// Digits that belong to the neighbours alone may stay, in place.
				left, right, ok := strings.Cut(got, redacted)
				if !ok || len(left) > before*8/6 || len(strings.TrimRight(right, "=")) > after*8/6+1 {
					t.Errorf("%q: got %q", encoded, got)
				}
			}
		}
	}
}

func TestRedactor_overlapping_secrets(t *testing.T) {
	r := NewRedactor(NewValue("abcdef"), NewValue("defghi"), NewValue("cde1"), NewValue("abcd"))
	for text, want := range map[string]string{
		"xabcdefghix":  "x" + redacted + "x",
		"abcdabcd":     redacted + redacted,
		"abcdefcde1":   redacted + redacted,
		"ABCDEF":       "ABCDEF",
		"nothing here": "nothing here",
		"":             "",
	} {
		if got := r.Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestRedactor_short_none_and_nil(t *testing.T) {
	var none *Redactor
	none.Add(NewValue(canary))
	for name, r := range map[string]*Redactor{
		"nil": none, "zero": {}, "short": NewRedactor(NewValue("abc"), NewValue(""), Value{}),
	} {
		if got := r.Clean("abc " + canary); got != "abc "+canary {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// Whatever surrounds a secret and however it is written, it does not stay; the
// sign in front of it ends what may look like half an escape.
func TestRedactor_property(t *testing.T) {
	var names []string
	for name := range forms {
		names = append(names, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(4, 20, 40).Draw(t, "secret")
		if len(text) < redactMin {
			t.Skip()
		}
		form := forms[rapid.SampledFrom(names).Draw(t, "form")](text)
		before, after := rapid.String().Draw(t, "before"), rapid.String().Draw(t, "after")
		got := NewRedactor(NewValue(text)).Clean(before + "=" + form + after)
		if !strings.Contains(got, redacted) {
			t.Fatalf("%q stays in %q", form, got)
		}
	})
}

func FuzzRedactor(f *testing.F) {
	f.Add(odd, url.QueryEscape(odd)+`\u00e9\ud83d%`+"&#x;")
	f.Fuzz(func(t *testing.T, secret, text string) {
		r := NewRedactor(NewValue(secret))
		if got := r.Clean(text + secret); len(secret) >= redactMin && !strings.Contains(got, redacted) {
			t.Errorf("%q stays in %q", secret, got)
		}
	})
}

func TestRedactor_concurrent(t *testing.T) {
	r := NewRedactor()
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				text := fmt.Sprintf("secret-%d-%d", i, j)
				r.Add(NewValue(text))
				if got := r.Clean(text); got != redacted {
					t.Errorf("got %q, want %q", got, redacted)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkRedactor_thousand_secrets(b *testing.B) {
	r := NewRedactor()
	for i := range 1000 {
		r.Add(NewValue(fmt.Sprintf("%08x-secret", i*2654435761)))
	}
	text := strings.Repeat("create job orders_17: the service answered 200, request id 7F2C-11. ", 10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		r.Clean(text)
	}
}
