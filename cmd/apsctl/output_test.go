package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestJSONResultsHideNothing: direction marks in a name at the service once reached
// whoever looked at a result in JSON as they came.
func TestJSONResultsHideNothing(t *testing.T) {
	const name = "订单 \u202egnp\u2066\u200b <a>"
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", planOf(1))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	b.createTwin(name, "pc-000")
	for _, args := range [][]string{
		{"drift", "-o", "json", "plan.yaml"},
		{"import", "--list", "--region", "cn-hangzhou", "-o", "json"},
	} {
		out := b.want(exitDone, args...).stdout
		if strings.ContainsAny(out, "\u202e\u2066\u200b") || !strings.Contains(out, `订单 \u202egnp\u2066\u200b <a>`) {
			t.Errorf("%v: %q", args, out)
		}
		var value any
		if err := json.Unmarshal([]byte(out), &value); err != nil || !holds(value, name) {
			t.Errorf("%v: the name is not in %v, %v", args, value, err)
		}
	}
}

// holds reports whether text is one of the texts in value, which is decoded JSON.
func holds(value any, text string) bool {
	switch value := value.(type) {
	case string:
		return value == text
	case []any:
		for _, one := range value {
			if holds(one, text) {
				return true
			}
		}
	case map[string]any:
		for _, one := range value {
			if holds(one, text) {
				return true
			}
		}
	}
	return false
}
