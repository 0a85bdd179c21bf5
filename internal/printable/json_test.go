package printable_test

import (
	"encoding/json"
	"testing"

	"github.com/apsctl/apsctl/internal/printable"
)

func TestJSONKeepsTheValuesAndHidesNothing(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": "plain"}` + "\n": `{"a": "plain"}` + "\n",
		`"订单 ü 😀\n\u001b"`:      `"订单 ü 😀\n\u001b"`,
		"\"a\u202eb\u2066\"":    `"a\u202eb\u2066"`,
		"\"\u0085\u009b31m\"":   `"\u0085\u009b31m"`,
		"\"\x7f\u00a0\u200b\"":  `"\u007f\u00a0\u200b"`,
		"\"\U000e0001x\"":       `"\udb40\udc01x"`,
		"{\"\u202ekey\":\"\"}":  `{"\u202ekey":""}`,
		"\"\\\\\u202e\"":        `"\\\u202e"`,
		"\"a\xffb\"":            `"a\ufffdb"`,
		"":                      "",
	} {
		got := string(printable.JSON([]byte(text)))
		if got != want {
			t.Errorf("%q\ngot  %s\nwant %s", text, got, want)
		}
		var before, after any
		if json.Unmarshal([]byte(text), &before) == nil {
			if err := json.Unmarshal([]byte(got), &after); err != nil {
				t.Errorf("%q became %s: %v", text, got, err)
			}
			one, _ := json.Marshal(before)
			if two, _ := json.Marshal(after); string(one) != string(two) {
				t.Errorf("%s became %s", one, two)
			}
		}
	}
}
