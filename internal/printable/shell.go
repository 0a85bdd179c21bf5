package printable

import (
	"regexp"
	"strings"
)

var plainWord = regexp.MustCompile(`^[\pL\pM\pN@%+=:,./_-]+$`)

// ShellWord quotes what a shell would take apart, for a command that a person is to
// copy. Everything else stays as it is. It is Line that makes it safe to show.
func ShellWord(text string) string {
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
