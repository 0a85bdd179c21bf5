package printable_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
)

func TestLine(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"empty", "", ""},
		{"plain", `orders-01 \ "x"`, `orders-01 \ "x"`},
		{"CJK and accents", "订单同步 é ü 한국어", "订单同步 é ü 한국어"},
		{"ideographic space", "a\u3000b", "a\u3000b"},
		{"line breaks and tab", "a\nb\r\n\tc", `a\nb\r\n\tc`},
		{"ESC and OSC 52", "\x1b]52;c;aGk=\x07", `\x1b]52;c;aGk=\x07`},
		{"NUL, BS, DEL", "\x00\b\x7f", `\x00\x08\x7f`},
		{"C1", "\u0085\u009b", `\x85\x9b`},
		{"bidi override and isolate", "\u202eabc\u2066d\u2069", `\u202eabc\u2066d\u2069`},
		{"zero-width", "a\u200bb\u200dc\u2060", `a\u200bb\u200dc\u2060`},
		{"byte order mark", "\ufeffa", `\ufeffa`},
		{"line and paragraph separator", "\u2028\u2029", `\u2028\u2029`},
		{"no-break space", "a\u00a0b", `a\xa0b`},
		{"invisible letters and marks", "\u3164\u115f\u034f\ufe0f", `\u3164\u115f\u034f\ufe0f`},
		{"tag characters", "\U000e0041", `\U000e0041`},
		{"private use, unassigned", "\ue000\u0378\U0010fffd", `\ue000\u0378\U0010fffd`},
		{"not UTF-8", "a\xff\xc3(", `a\xff\xc3(`},
		{"replacement character itself", "\ufffd", "\ufffd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := printable.Line(tt.in); got != tt.want {
				t.Errorf("Line(%q)\n got %s\nwant %s", tt.in, got, tt.want)
			}
		})
	}
}

func TestLine_safe_text_is_not_copied(t *testing.T) {
	const text = "orders-01 → 订单同步 (eu-central-1)"
	allocs := testing.AllocsPerRun(100, func() { _ = printable.Line(text) })
	if allocs != 0 {
		t.Errorf("got %v allocations, want none", allocs)
	}
}

func TestClip(t *testing.T) {
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"abcd", 1, "…"},
		{"abcd", 0, ""},
		{"", 5, ""},
		{"订单同步", 3, "订单…"},
		{"ab\x1b", 6, `ab\x1b`},
		{"ab\x1bc", 6, "ab…"}, // the escape is dropped whole
		{"a\n", 3, `a\n`},
	}
	for _, tt := range tests {
		if got := printable.Clip(tt.in, tt.n); got != tt.want {
			t.Errorf("Clip(%q, %d) = %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func TestWidth(t *testing.T) {
	for in, want := range map[string]int{"": 0, "abc": 3, "订单": 4, "e\u0301": 1, "a…": 2} {
		if got := printable.Width(in); got != want {
			t.Errorf("Width(%q) = %d, want %d", in, got, want)
		}
	}
}

func FuzzLine(f *testing.F) {
	for _, seed := range []string{"", "plain", "\x1b[31m", "\u202e", "\xff", "订单\u200b", "\ufeff\n", "\U000e0001"} {
		f.Add(seed, 5)
	}
	f.Fuzz(func(t *testing.T, in string, n int) {
		line := printable.Line(in)
		check(t, in, line)
		if again := printable.Line(line); again != line {
			t.Errorf("Line is not idempotent on %q: %q, then %q", in, line, again)
		}
		n %= 200
		clipped := printable.Clip(in, n)
		check(t, in, clipped)
		if got := utf8.RuneCountInString(clipped); got > max(n, 0) {
			t.Errorf("Clip(%q, %d) has %d characters: %q", in, n, got, clipped)
		}
		if utf8.RuneCountInString(line) <= n && clipped != line {
			t.Errorf("Clip(%q, %d) = %q cuts what fits", in, n, clipped)
		}
	})
}

// check fails when out holds a character that must never reach a terminal.
func check(t *testing.T, in, out string) {
	t.Helper()
	if !utf8.ValidString(out) {
		t.Errorf("%q gave invalid UTF-8: %q", in, out)
	}
	bad := func(r rune) bool {
		return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp)
	}
	if i := strings.IndexFunc(out, bad); i >= 0 {
		t.Errorf("%q gave an unsafe character at %d: %q", in, i, out)
	}
}

func TestFit(t *testing.T) {
	tests := []struct {
		in    string
		cells int
		want  string
	}{
		{"abc", 3, "abc"},
		{"abcd", 3, "ab~"},
		{"abcd", 1, "~"},
		{"abcd", 0, ""},
		{"订单同步", 8, "订单同步"},
		{"订单同步", 7, "订单同~"},
		{"订单同步", 6, "订单~"}, // the third would end where "~" belongs
		{"订单同步", 1, "~"},
		{"e\u0301e\u0301", 2, "e\u0301e\u0301"},
	}
	for _, tt := range tests {
		got := printable.Fit(tt.in, tt.cells)
		if got != tt.want {
			t.Errorf("Fit(%q, %d) = %q, want %q", tt.in, tt.cells, got, tt.want)
		}
		if width := printable.Width(got); width > tt.cells {
			t.Errorf("Fit(%q, %d) takes %d cells", tt.in, tt.cells, width)
		}
	}
}
