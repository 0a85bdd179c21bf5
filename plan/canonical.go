package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// jsonDepthMax is how many arrays and objects may stand inside one another.
const jsonDepthMax = 64

var (
	errTooDeep = fmt.Errorf("it is nested deeper than %d levels", jsonDepthMax)
	errNotUTF8 = errors.New("it has bytes that are not UTF-8")
)

// CanonicalJSON returns the one text that stands for the JSON value in text:
// keys sorted by their bytes, no white space, strings with the fewest escapes,
// and numbers in one form for one value, so that 1, 1.0 and 1e0 give the same
// text and no digit is lost to rounding. It is what is sent to the service, kept
// in the ledger and covered by the digest.
//
// Refused are: text that is not one complete JSON value, invalid UTF-8, half of a
// surrogate pair, the same key twice in an object, nesting deeper than 64 and
// numbers that are not between 1e-9999 and 1e10000. The error says which, without
// the file it came from.
func CanonicalJSON(text string) (string, error) {
	if !utf8.ValidString(text) {
		return "", errNotUTF8
	}
	var raw json.RawMessage
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		return "", jsonSyntax(text, err)
	}
	if err := checkSurrogates(text); err != nil {
		return "", err
	}
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var b strings.Builder
	b.Grow(len(text))
	if err := canonicalValue(&b, dec, 1); err != nil {
		return "", err
	}
	return b.String(), nil
}

// SameJSON reports whether a and b hold equal JSON values, whatever their
// layout, order of keys and way of writing numbers. Empty text, {} and null are
// equal: the service uses them alike for "nothing was said". A text that is not
// JSON equals only itself.
func SameJSON(a, b string) bool {
	if a == b {
		return true
	}
	a, aErr := comparableJSON(a)
	b, bErr := comparableJSON(b)
	return aErr == nil && bErr == nil && a == b
}

func comparableJSON(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	text, err := CanonicalJSON(text)
	if text == "{}" || text == "null" {
		text = ""
	}
	return text, err
}

// jsonSyntax puts a syntax error of the JSON library in our words.
func jsonSyntax(text string, err error) error {
	var syntax *json.SyntaxError
	switch {
	case strings.TrimSpace(text) == "":
		return errors.New("it is empty")
	case !errors.As(err, &syntax):
		return err
	case strings.HasSuffix(syntax.Error(), "max depth"):
		return errTooDeep
	case strings.HasPrefix(syntax.Error(), "unexpected end"):
		return errors.New("it ends too early: a bracket, brace or quote is not closed")
	case strings.HasSuffix(syntax.Error(), "after top-level value"):
		return fmt.Errorf("more text follows after the JSON value, at byte %d", syntax.Offset)
	}
	return fmt.Errorf("it is not JSON at byte %d", syntax.Offset)
}

// canonicalValue reads one value from dec and writes its canonical form.
func canonicalValue(b *strings.Builder, dec *json.Decoder, depth int) error {
	token, err := dec.Token()
	if err != nil {
		return err
	}
	switch token := token.(type) {
	case json.Delim:
		if depth > jsonDepthMax {
			return errTooDeep
		}
		if token == '[' {
			return canonicalArray(b, dec, depth)
		}
		return canonicalObject(b, dec, depth)
	case string:
		appendJSONString(b, token)
	case json.Number:
		number, err := canonicalNumber(token.String())
		if err != nil {
			return err
		}
		b.WriteString(number)
	case bool:
		b.WriteString(strconv.FormatBool(token))
	case nil:
		b.WriteString("null")
	}
	return nil
}

func canonicalArray(b *strings.Builder, dec *json.Decoder, depth int) error {
	b.WriteByte('[')
	for first := true; dec.More(); first = false {
		if !first {
			b.WriteByte(',')
		}
		if err := canonicalValue(b, dec, depth+1); err != nil {
			return err
		}
	}
	b.WriteByte(']')
	_, err := dec.Token() // the closing bracket
	return err
}

func canonicalObject(b *strings.Builder, dec *json.Decoder, depth int) error {
	type member struct{ key, value string }
	var members []member
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return err
		}
		key, ok := token.(string)
		if !ok {
			return io.ErrUnexpectedEOF // cannot be: the text was valid JSON
		}
		var value strings.Builder
		if err := canonicalValue(&value, dec, depth+1); err != nil {
			return err
		}
		members = append(members, member{key, value.String()})
	}
	slices.SortStableFunc(members, func(x, y member) int { return strings.Compare(x.key, y.key) })
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			if m.key == members[i-1].key {
				return fmt.Errorf("the key %s is there twice in one object", quoteName(m.key))
			}
			b.WriteByte(',')
		}
		appendJSONString(b, m.key)
		b.WriteByte(':')
		b.WriteString(m.value)
	}
	b.WriteByte('}')
	_, err := dec.Token() // the closing brace
	return err
}

// appendJSONString writes s as a JSON string, escaping only what JSON demands.
// The standard encoder would also escape <, > and &, which the service would
// have to undo.
func appendJSONString(b *strings.Builder, s string) {
	b.WriteByte('"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b.WriteString(s[start:i])
		start = i + 1
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\n':
			b.WriteString(`\n`)
		case '\r':
			b.WriteString(`\r`)
		case '\t':
			b.WriteString(`\t`)
		default:
			fmt.Fprintf(b, `\u%04x`, c)
		}
	}
	b.WriteString(s[start:])
	b.WriteByte('"')
}

// checkSurrogates refuses \ud800-style escapes without their other half: the
// JSON library turns each into U+FFFD, so different texts would become equal.
// text must be valid JSON.
func checkSurrogates(text string) error {
	for {
		i := strings.IndexByte(text, '\\')
		if i < 0 {
			return nil
		}
		text = text[i+1:]
		if text[0] != 'u' {
			text = text[1:]
			continue
		}
		unit, rest := text[1:5], text[5:]
		switch class := surrogateClass(unit); {
		case class == 'h' && strings.HasPrefix(rest, `\u`) && surrogateClass(rest[2:6]) == 'l':
			rest = rest[6:]
		case class != 0:
			return fmt.Errorf(`it has \u%s, half of a surrogate pair`, unit)
		}
		text = rest
	}
}

// surrogateClass returns 'h' or 'l' for a high or low surrogate, else 0.
func surrogateClass(hex string) byte {
	unit, _ := strconv.ParseUint(hex, 16, 16)
	switch {
	case unit >= 0xd800 && unit <= 0xdbff:
		return 'h'
	case unit >= 0xdc00 && unit <= 0xdfff:
		return 'l'
	}
	return 0
}
