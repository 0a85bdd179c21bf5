package aps

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// object is one JSON object with its fields as they came.
type object map[string]json.RawMessage

var errNotObject = errors.New("not one JSON object")

// parseObject reads text as exactly one JSON object. A field that comes twice is
// an error, since nobody can say which of the two is meant.
func parseObject(text []byte) (object, error) {
	if !utf8.Valid(text) || !json.Valid(text) {
		return nil, errNotObject
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, errNotObject
	}
	o := object{}
	for decoder.More() {
		token, err := decoder.Token()
		name, ok := token.(string)
		if err != nil || !ok || o[name] != nil {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNotObject
		}
		o[name] = value
	}
	return o, nil
}

// field returns the value of name, nil if there is none or it is null. Another
// case of letters will do if nothing has the exact name and only one field fits:
// gateways differ in the first letter (API reference, section 7).
func (o object) field(name string) json.RawMessage {
	value, exact := o[name]
	if !exact {
		found := 0
		for other := range o {
			if strings.EqualFold(other, name) {
				value = o[other]
				found++
			}
		}
		if found != 1 {
			return nil
		}
	}
	if string(value) == "null" {
		return nil
	}
	return value
}

// text returns a scalar field as text, "" if it is absent. The documented
// samples have numbers where the declared type is string (API reference, section
// 2), so that any scalar will do. Not ok is an object or a list.
func (o object) text(name string) (text string, ok bool) {
	value := o.field(name)
	if value == nil {
		return "", true
	}
	switch value[0] {
	case '{', '[':
		return "", false
	case '"':
		err := json.Unmarshal(value, &text)
		return text, err == nil
	}
	return string(value), true
}

// trimmed is text for fields that matter little: a wrong type is "".
func (o object) trimmed(name string) string {
	text, _ := o.text(name)
	return strings.TrimSpace(text)
}

// yesno is a boolean that may be missing.
type yesno int

const (
	unsaid yesno = iota
	yes
	no
	garbled // there, but no boolean
)

func (o object) yesno(name string) yesno {
	text, ok := o.text(name)
	switch {
	case !ok:
		return garbled
	case o.field(name) == nil:
		return unsaid
	case strings.EqualFold(text, "true"):
		return yes
	case strings.EqualFold(text, "false"):
		return no
	}
	return garbled
}

// envelope is what all answers have in common (API reference, sections 2, 7).
type envelope struct {
	object
	success            yesno
	codes              []string // Code and ErrCode, as far as they name a failure
	message, requestID string
	status             int // HttpStatusCode of the body, 0 if it is none
}

func parseEnvelope(body []byte) (envelope, error) {
	o, err := parseObject(body)
	if err != nil {
		return envelope{}, err
	}
	e := envelope{object: o, success: o.yesno("Success"), requestID: o.trimmed("RequestId")}
	e.status, _ = strconv.Atoi(o.trimmed("HttpStatusCode"))
	for _, name := range []string{"Code", "ErrCode"} {
		if code := o.trimmed(name); !meansSuccess(code) {
			e.codes = append(e.codes, code)
		}
	}
	e.message = or(o.trimmed("Message"), o.trimmed("ErrMessage"))
	return e, nil
}

// hasJobID reports whether the answer names a job in whatever form.
func (e envelope) hasJobID() bool {
	text, ok := e.text("ApsJobId")
	return !ok || text != ""
}

// saysAlreadyThere reports whether any text of the answer says that something
// exists already, whatever its code claims.
func (e envelope) saysAlreadyThere() bool {
	texts := append([]string{e.trimmed("Message"), e.trimmed("ErrMessage")}, e.codes...)
	return slices.ContainsFunc(texts, alreadyThere)
}

// code returns the code to show.
func (e envelope) code() string {
	if len(e.codes) == 0 {
		return ""
	}
	return e.codes[0]
}

// meansSuccess reports whether code is one of those that success samples carry.
func meansSuccess(code string) bool {
	switch strings.ToLower(code) {
	case "", "0", "200", "ok", "success":
		return true
	}
	return false
}

// idMax bounds the length of a job id; the documented ones have about 20 bytes.
const idMax = 128

// jobID returns field as a job id. Not ok is anything but a text that can be
// stored, shown and sent again as it is.
func (o object) jobID() (id string, ok bool) {
	value := o.field("ApsJobId")
	if len(value) == 0 || value[0] != '"' || json.Unmarshal(value, &id) != nil {
		return "", false
	}
	return id, validID(id)
}

func validID(id string) bool {
	if id == "" || len(id) > idMax {
		return false
	}
	for _, r := range id {
		// The replacement character stands for something that was lost.
		if !unicode.IsPrint(r) || r == ' ' || r == utf8.RuneError {
			return false
		}
	}
	return true
}

// retryAfter returns the service's hint of how long to wait, 0 if there is none.
// The units are those that the official cores assume (API reference, section 7).
func retryAfter(header http.Header) time.Duration {
	hint := milliseconds(header.Get("x-acs-retry-after"))
	for _, name := range []string{"x-ratelimit-user-api", "x-ratelimit-user"} {
		for part := range strings.SplitSeq(header.Get(name), ",") {
			if value, ok := strings.CutPrefix(strings.TrimSpace(part), "TimeLeft:"); ok {
				hint = max(hint, milliseconds(value))
			}
		}
	}
	return hint
}

// milliseconds reads a hint, up to an hour: more is a mistake. What is no number,
// or a negative one, is 0.
func milliseconds(text string) time.Duration {
	const most = time.Hour
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0
	}
	return time.Duration(min(max(n, 0), most.Milliseconds())) * time.Millisecond
}

// serverTime returns the answer's Date header, zero if it cannot be read.
func serverTime(header http.Header) time.Time {
	t, err := http.ParseTime(header.Get("Date"))
	if err != nil {
		return time.Time{}
	}
	return t
}
