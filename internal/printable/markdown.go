package printable

import "strings"

// Markdown returns s as one code span of Markdown, in which nothing means more
// than it reads: no link, no HTML, no emphasis, no mention of a person or an issue, and no
// end of the table cell that it may stand in. What Line escapes is escaped, and so
// are the backtick and the bar, as \x60 and \x7c. It is "" for "".
func Markdown(s string) string {
	if s == "" {
		return ""
	}
	return "`" + markdownUnsafe.Replace(Line(s)) + "`"
}

var markdownUnsafe = strings.NewReplacer("`", `\x60`, "|", `\x7c`)
