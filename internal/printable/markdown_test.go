package printable

import (
	"strings"
	"testing"
)

func TestMarkdown(t *testing.T) {
	for text, want := range map[string]string{
		"":          "",
		"orders-01": "`orders-01`",
		"@someone <b>&amp; [a](http://b) **c** #1 ~d~": "`@someone <b>&amp; [a](http://b) **c** #1 ~d~`",
		"a|b\\|c":          "`a\\x7cb\\\\x7cc`",
		"``` end `":        "`\\x60\\x60\\x60 end \\x60`",
		"two\nlines\r\n":   "`two\\nlines\\r\\n`",
		"\x1b]0;t\a\u202e": "`\\x1b]0;t\\x07\\u202e`",
	} {
		if got := Markdown(text); got != want {
			t.Errorf("Markdown(%q) is %q, want %q", text, got, want)
		}
	}
}

// FuzzMarkdown holds the encoder to what a code span in a table needs, whatever
// the text: it starts and ends with the only backticks, and has no bar and no line
// break.
func FuzzMarkdown(f *testing.F) {
	for _, text := range []string{"a", " ", "`", "|", "\\", "\n", "\u2028", "<script>", "\xff"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Markdown(text)
		if text == "" {
			return
		}
		if !strings.HasPrefix(got, "`") || !strings.HasSuffix(got, "`") || strings.Count(got, "`") != 2 || strings.ContainsAny(got, "|\n\r\u2028\u2029") {
			t.Errorf("Markdown(%q) is %q", text, got)
		}
	})
}
