package plan

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/apsctl/apsctl/internal/printable"
)

// nameMax is the most characters that a job's name may have. The service's own
// limit is not documented.
const nameMax = 128

const nameHint = "a job's name has 1 to 128 letters, digits and . _ - : and starts with a letter or digit"

const (
	planNameHint = "a plan's name has 1 to 64 letters, digits, dots, dashes and underscores, and starts with a small letter or digit"
	regionHint   = "a region is an id such as cn-hangzhou"
)

// jobName reads the name that becomes ApsJobName.
func (d *decoder) jobName(n *node, path string) (string, bool) {
	text, ok := d.scalar(n, path)
	if !ok {
		return "", false
	}
	if why := badName(text); why != "" {
		n.wrong(nameHint, "%s %s", path, why)
		return "", false
	}
	return text, true
}

// CheckName says why no job of a plan can have that name, nil if one can.
func CheckName(name string) error {
	if why := badName(name); why != "" {
		return fmt.Errorf("the name %s: %s", why, nameHint)
	}
	return nil
}

// badName says what is wrong with a job's name, "" if nothing is.
func badName(name string) string {
	first, _ := utf8.DecodeRuneInString(name)
	switch {
	case name == "":
		return "is empty"
	case utf8.RuneCountInString(name) > nameMax:
		return fmt.Sprintf("is longer than %d characters", nameMax)
	case !unicode.IsLetter(first) && !unicode.IsDigit(first):
		return fmt.Sprintf("cannot start with %s", quoteName(string(first)))
	case strings.Contains(name, ".."):
		return "cannot have two dots in a row"
	}
	for _, r := range name {
		// Some letters and marks show nothing: names that differ in them look alike.
		inName := unicode.In(r, unicode.L, unicode.M, unicode.Nd) && printable.Safe(r)
		if !inName && !strings.ContainsRune("._-:", r) {
			return fmt.Sprintf("cannot have %s in it", quoteName(string(r)))
		}
	}
	return ""
}

// nameKey is equal for names that a person could take for one another: those
// that differ only in case, width, composition or letters that look alike.
func nameKey(name string) string {
	if plainASCII(name) {
		return strings.ToLower(name)
	}
	return strings.Map(latinLetter, cases.Fold().String(norm.NFKC.String(name)))
}

// lookAlikes are Cyrillic and Greek letters, after folding, and likeLatin the
// Latin letters that they cannot be told from in most fonts.
const (
	lookAlikes = "авсԁеһіјкмнорԛѕтуѵԝхг" + "αβεικνορτυχγ"
	likeLatin  = "abcdehijkmhopqstyvwxr" + "abeiknoptuxy"
)

var latinLetters = func() map[rune]rune {
	letters := map[rune]rune{}
	latin := []rune(likeLatin)
	for i, r := range []rune(lookAlikes) {
		letters[r] = latin[i]
	}
	return letters
}()

func latinLetter(r rune) rune {
	if latin, ok := latinLetters[r]; ok {
		return latin
	}
	return r
}
