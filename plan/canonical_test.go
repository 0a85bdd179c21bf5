package plan

import (
	"encoding/json"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestCanonicalJSON(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"white space", " {\n\t\"a\" : [ 1 , 2 ] } \r\n", `{"a":[1,2]}`},
		{"order of keys", `{"b":1,"a":{"d":1,"c":2}}`, `{"a":{"c":2,"d":1},"b":1}`},
		{"order by bytes", `{"é":1,"z":2,"Z":3,"":4}`, `{"":4,"Z":3,"z":2,"é":1}`},
		{"order of lists stays", `[2,1,2]`, `[2,1,2]`},
		{"empty", `{"a":{},"b":[],"c":""}`, `{"a":{},"b":[],"c":""}`},
		{"scalars", `[true,false,null,"x"]`, `[true,false,null,"x"]`},
		{"escapes", `"\u0061\/\"\\\b\n\t\u0000\u001f"`, `"a/\"\\\u0008\n\t\u0000\u001f"`},
		{"no escape that is not needed", `"<&>\u2028\u00e9"`, "\"<&>\u2028é\""},
		{"surrogate pair", `"\ud83d\ude00"`, `"😀"`},
		{"escaped backslash before a u", `"\\ud800"`, `"\\ud800"`},
		{"one spelling of one", `[1,1.0,1e0,10e-1,0.1E+1,1.000]`, `[1,1,1,1,1,1]`},
		{"one spelling of nothing", `[0,-0,0.0,-0e5,0e99999]`, `[0,0,0,0,0]`},
		{"fractions", `[0.5,5e-1,-0.050,123.450]`, `[0.5,0.5,-0.05,123.45]`},
		{"exact integers", `[9007199254740993,12345678901234567890123]`, `[9007199254740993,12345678901234567890123]`},
		{"large and small", `[1e99,1e100,12e100,1e-100,1e-101]`,
			"[1" + strings.Repeat("0", 99) + ",1e100,1.2e101,0." + strings.Repeat("0", 99) + "1,1e-101]"},
		{"to the limit", `[1e9999,-1e-9999,0.001e10001]`, `[1e9999,-1e-9999,1e9998]`},
		{"deep", strings.Repeat("[", 64) + strings.Repeat("]", 64), strings.Repeat("[", 64) + strings.Repeat("]", 64)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CanonicalJSON(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, tt.want)
			}
		})
	}
}

func TestCanonicalJSONRefuses(t *testing.T) {
	zeros := strings.Repeat("0", 10_000)
	tests := []struct{ name, in, want string }{
		{"nothing", "", "it is empty"},
		{"blanks", " \n", "it is empty"},
		{"text", "abc", "it is not JSON at byte 1"},
		{"cut short", `{"a":[1`, "it ends too early"},
		{"open quote", `"abc`, "it ends too early"},
		{"more", `{} x`, "more text follows"},
		{"a comma too many", `[1,]`, "it is not JSON at byte 4"},
		{"a comment", `{} // x`, "more text follows"},
		{"single quotes", `{'a':1}`, "it is not JSON at byte 2"},
		{"leading zero", `007`, "more text follows"},
		{"NaN", `NaN`, "it is not JSON"},
		{"a raw line break", "\"a\nb\"", "it is not JSON"},
		{"bytes", "\"\xff\"", "not UTF-8"},
		{"a key twice", `{"a":1,"b":{"c":1,"\u0063":2}}`, `the key "c" is there twice`},
		{"high surrogate", `"\ud83d"`, `has \ud83d, half`},
		{"low surrogate", `"\ude00x"`, `has \ude00, half`},
		{"two high surrogates", `"\ud83d\ud83d"`, `has \ud83d, half`},
		{"high surrogate before another escape", `"\ud83d\n"`, `has \ud83d, half`},
		{"too deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), "deeper than 64 levels"},
		{"far too deep", strings.Repeat("[", 100_000), "deeper than 64 levels"},
		{"exponent", `1e10000`, "exponent beyond"},
		{"small exponent", `1e-10000`, "exponent beyond"},
		{"exponent of exponents", `1e99999999999999999999`, "exponent beyond"},
		{"as many digits", `1` + zeros, "exponent beyond"},
		{"as many decimals", `0.` + zeros + `1`, "exponent beyond"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := CanonicalJSON(tt.in)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.100s, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestSameJSON(t *testing.T) {
	tests := []struct {
		a, b string
		want bool
	}{
		{`{"a":1,"b":2}`, `{ "b": 2.0, "a": 1e0 }`, true},
		{``, `{}`, true},
		{` `, `null`, true},
		{`{}`, ` null `, true},
		{`{}`, `[]`, false},
		{`{"a":{}}`, `{}`, false},
		{`"1"`, `1`, false},
		{`[1,2]`, `[2,1]`, false},
		{`not JSON`, `not JSON`, true},
		{`not JSON`, `not  JSON`, false},
		{`not JSON`, ``, false},
		{`9007199254740992`, `9007199254740993`, false},
		{`true`, `"true"`, false},
	}
	for _, tt := range tests {
		if SameJSON(tt.a, tt.b) != tt.want || SameJSON(tt.b, tt.a) != tt.want {
			t.Errorf("SameJSON(%s, %s) is not %v", tt.a, tt.b, tt.want)
		}
	}
}

// jsonValue is a JSON value that can be written in several ways.
type jsonValue struct {
	text   string // of a string
	number *big.Int
	shift  int // the number is number × 10^shift
	list   []jsonValue
	keys   []string // with list as their values
	kind   byte     // s, n, l, o, or the first letter of true, false and null in capitals
}

func drawJSON(t *rapid.T, depth int) jsonValue {
	kinds := "snTFN"
	if depth > 0 {
		kinds += "lo"
	}
	v := jsonValue{kind: rapid.SampledFrom([]byte(kinds)).Draw(t, "kind")}
	switch v.kind {
	case 's':
		v.text = rapid.String().Draw(t, "text")
	case 'n':
		digits := rapid.StringMatching(`-?[0-9]{1,40}`).Draw(t, "digits")
		v.number, _ = new(big.Int).SetString(digits, 10)
		v.shift = rapid.IntRange(-200, 200).Draw(t, "shift")
	case 'l', 'o':
		v.list = make([]jsonValue, rapid.IntRange(0, 4).Draw(t, "length"))
		for i := range v.list {
			v.list[i] = drawJSON(t, depth-1)
		}
	}
	if v.kind == 'o' {
		v.keys = rapid.SliceOfNDistinct(rapid.String(), len(v.list), len(v.list), rapid.ID).Draw(t, "keys")
	}
	return v
}

// write writes v with layout, order and number forms of its choice.
func (v jsonValue) write(t *rapid.T, b *strings.Builder) {
	blank := rapid.SampledFrom([]string{"", " ", "\n\t"})
	b.WriteString(blank.Draw(t, "blank"))
	switch v.kind {
	case 's':
		b.WriteString(writeText(t, v.text))
	case 'n':
		b.WriteString(writeNumber(t, v.number, v.shift))
	case 'l':
		b.WriteByte('[')
		for i, item := range v.list {
			if i > 0 {
				b.WriteByte(',')
			}
			item.write(t, b)
		}
		b.WriteByte(']')
	case 'o':
		order := make([]int, len(v.keys))
		for i := range order {
			order[i] = i
		}
		b.WriteByte('{')
		for i, k := range rapid.Permutation(order).Draw(t, "order") {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(writeText(t, v.keys[k]))
			b.WriteByte(':')
			v.list[k].write(t, b)
		}
		b.WriteByte('}')
	default:
		b.WriteString(map[byte]string{'T': "true", 'F': "false", 'N': "null"}[v.kind])
	}
	b.WriteString(blank.Draw(t, "blank"))
}

func writeText(t *rapid.T, text string) string {
	if rapid.Bool().Draw(t, "escape all") {
		return asciiJSON(text)
	}
	raw, _ := json.Marshal(text)
	return string(raw)
}

// asciiJSON writes text as a JSON string with escapes for all that is not ASCII.
func asciiJSON(text string) string {
	raw, _ := json.Marshal(text)
	var b strings.Builder
	for _, r := range string(raw) {
		switch {
		case r < 0x80:
			b.WriteRune(r)
		case r < 0x10000:
			b.WriteString(`\u` + strconv.FormatInt(0x10000+int64(r), 16)[1:])
		default:
			r -= 0x10000
			b.WriteString(`\u` + strconv.FormatInt(0xd800+int64(r>>10), 16) + `\u` + strconv.FormatInt(0xdc00+int64(r&0x3ff), 16))
		}
	}
	return b.String()
}

func writeNumber(t *rapid.T, number *big.Int, shift int) string {
	digits, sign := number.String(), ""
	if number.Sign() < 0 {
		digits, sign = digits[1:], "-"
	}
	zeros := rapid.IntRange(0, 3).Draw(t, "zeros at the end")
	digits += strings.Repeat("0", zeros)
	shift -= zeros
	if decimals := rapid.IntRange(0, len(digits)-1).Draw(t, "decimals"); decimals > 0 && number.Sign() != 0 {
		point := len(digits) - decimals
		digits = digits[:point] + "." + digits[point:]
		shift += decimals
	} else if number.Sign() == 0 {
		digits = "0"
	}
	if shift == 0 && rapid.Bool().Draw(t, "no exponent") {
		return sign + digits
	}
	plus := ""
	if shift > 0 {
		plus = rapid.SampledFrom([]string{"", "+"}).Draw(t, "plus")
	}
	return sign + digits + rapid.SampledFrom([]string{"e", "E"}).Draw(t, "e") + plus + strconv.Itoa(shift)
}

func TestCanonicalJSONOfOneValueIsOneText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := drawJSON(t, 3)
		var first, second strings.Builder
		v.write(t, &first)
		v.write(t, &second)
		a, err := CanonicalJSON(first.String())
		if err != nil {
			t.Fatalf("%s: %v", first.String(), err)
		}
		b, err := CanonicalJSON(second.String())
		if err != nil || a != b {
			t.Fatalf("one value, two texts:\n%s\n%s\nfrom\n%s\n%s\n%v", a, b, first.String(), second.String(), err)
		}
		again, err := CanonicalJSON(a)
		if err != nil || again != a {
			t.Fatalf("canonical text changes:\n%s\n%s, %v", a, again, err)
		}
		if !SameJSON(first.String(), second.String()) {
			t.Fatal("SameJSON tells them apart")
		}
	})
}

func TestCanonicalNumberIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number, _ := new(big.Int).SetString(rapid.StringMatching(`-?[0-9]{1,40}`).Draw(t, "digits"), 10)
		text := writeNumber(t, number, rapid.IntRange(-200, 200).Draw(t, "shift"))
		got, err := canonicalNumber(text)
		if err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetString(text)
		value, ok := new(big.Rat).SetString(got)
		if !ok || value.Cmp(want) != 0 || !isJSONNumber(got) {
			t.Fatalf("%s became %s", text, got)
		}
	})
}

func TestJSONNumbers(t *testing.T) {
	for _, text := range []string{"0", "-0", "1", "10", "1.0", "0.5", "1e3", "1E+3", "1e-3", "-1.5e10"} {
		if !isJSONNumber(text) {
			t.Errorf("%s is none", text)
		}
	}
	for _, text := range []string{"", "-", "+1", "007", "01", "1.", ".5", "1e", "1e+", "0x1f", "1_000", "1 ", "inf", "--1", "1.5.2", "1e3x", "１"} {
		if isJSONNumber(text) {
			t.Errorf("%q is one", text)
		}
	}
}
