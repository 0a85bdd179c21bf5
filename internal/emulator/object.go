package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const objectDepthMax = 32

// object is a JSON object that keeps the order of its keys and the digits of
// its numbers. Values are object, []any, json.Number, string, bool or nil.
type object []member

type member struct {
	key   string
	value any
}

// parseObject reads text as exactly one JSON object. Keys that come twice are
// refused: which one counts is up to the reader.
func parseObject(text string) (object, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	value, err := parseValue(d, 0)
	if err != nil {
		return nil, fmt.Errorf("not valid JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not valid JSON: more text after the first value")
	}
	o, ok := value.(object)
	if !ok {
		return nil, errors.New("not a JSON object")
	}
	return o, nil
}

func parseValue(d *json.Decoder, depth int) (any, error) {
	if depth > objectDepthMax {
		return nil, fmt.Errorf("nested more than %d deep", objectDepthMax)
	}
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseMembers(d, depth)
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := parseValue(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err := d.Token()
		return list, err
	}
	return token, nil
}

func parseMembers(d *json.Decoder, depth int) (object, error) {
	o, seen := object{}, map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, err
		}
		key := token.(string) // the decoder allows nothing else here
		if seen[key] {
			return nil, fmt.Errorf("the key %q comes twice", clip(key))
		}
		seen[key] = true
		value, err := parseValue(d, depth+1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{key, value})
	}
	_, err := d.Token()
	return o, err
}

// reversed returns o with the keys of every level in reversed order.
func (o object) reversed() object {
	out := make(object, 0, len(o))
	for _, m := range slices.Backward(o) {
		out = append(out, member{m.key, reverseValue(m.value)})
	}
	return out
}

func reverseValue(value any) any {
	switch v := value.(type) {
	case object:
		return v.reversed()
	case []any:
		out := make([]any, 0, len(v))
		for _, element := range v {
			out = append(out, reverseValue(element))
		}
		return out
	}
	return value
}

// MarshalJSON writes the members in their order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(m.key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}
