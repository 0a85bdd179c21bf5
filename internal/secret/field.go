package secret

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

var errNotObject = errors.New("it is not one JSON object, so it has no fields; leave field out, or store an object such as {\"password\": \"...\"}")

// pick returns the text under field of the JSON object that text is. Its errors
// repeat nothing of text, not even the names of the other fields.
func pick(text, field string) (string, error) {
	value, err := find(text, field)
	switch {
	case err != nil:
		return "", err
	case value == nil:
		return "", errors.New("it has no field of that name; correct the field, capitals count")
	case value[0] != '"':
		return "", errors.New("the field is no text; put the password in quotes in KMS")
	}
	var picked string
	if err := json.Unmarshal(value, &picked); err != nil {
		return "", errNotObject
	}
	// encoding/json puts this character for halves of a pair that stand alone:
	// the password would be another one.
	if strings.ContainsRune(picked, utf8.RuneError) {
		return "", errors.New("the field has a character that cannot be read; store the password anew")
	}
	return trim([]byte(picked))
}

// find returns the value of field as it stands in text, nil if there is none. A
// field that comes twice is an error, since nobody can say which is meant.
func find(text, field string) (found json.RawMessage, err error) {
	if !utf8.ValidString(text) || !json.Valid([]byte(text)) {
		return nil, errNotObject
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return nil, errNotObject
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, errNotObject
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, errNotObject
		}
		if name != field {
			continue
		}
		if found != nil {
			return nil, errors.New("it has that field more than once; leave one")
		}
		found = value
	}
	return found, nil
}
