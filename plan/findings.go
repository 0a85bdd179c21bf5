package plan

import (
	"cmp"
	"regexp"
	"slices"

	"github.com/apsctl/apsctl/internal/printable"
)

// span is a place in the source text: width characters from line and column,
// both counted from 1. The zero span is the file as a whole.
type span struct{ line, column, width int }

// finding is a Problem before its excerpt is made: excerpts wait until the whole
// file has been walked, because only then all lines that hold secrets are known.
type finding struct {
	at            span
	message, hint string
	shown         string // the excerpt, where the file's lines are not kept
}

// findings collects what is wrong with one source text. Problems are deduplicated,
// since an alias or the defaults can lead to the same place many times.
type findings struct {
	text     *sourceText
	list     []finding
	seen     map[finding]bool // without the indexes of paths
	warnings []finding        // the first warningsMax
	warned   int              // how many there were

	warningsMax int
}

func newFindings(text *sourceText) *findings {
	return &findings{text: text, seen: map[finding]bool{}, warningsMax: ProblemsMax}
}

// add records a problem. Past ten times what is reported, new ones are dropped:
// the surplus lets the first in source order be the ones that are kept.
func (f *findings) add(at span, message, hint string) {
	f.addShown(at, message, hint, "")
}

// addShown is add with an excerpt.
func (f *findings) addShown(at span, message, hint, shown string) {
	// The same place, read as part of one job and then of another, is one problem.
	key := finding{at: at, message: pathIndex.ReplaceAllString(message, "[]"), hint: hint}
	if f.full() || f.seen[key] {
		return
	}
	f.seen[key] = true
	f.list = append(f.list, finding{at, message, hint, shown})
}

// pathIndex is an index in a path, as in jobs[12].
var pathIndex = regexp.MustCompile(`\[[0-9]+\]`)

// full reports whether add would drop whatever it is given.
func (f *findings) full() bool { return len(f.list) >= 10*ProblemsMax }

// many reports whether there are more problems already than are reported: hints
// that take time are not worth it any more.
func (f *findings) many() bool { return len(f.list) >= ProblemsMax }

// warn records something that is allowed but looks wrong.
func (f *findings) warn(at span, message, hint string) {
	f.warned++
	if len(f.warnings) < f.warningsMax {
		f.warnings = append(f.warnings, finding{at: at, message: message, hint: hint})
	}
}

// replaceHint says something else where a hint does not fit the kind of file.
func (f *findings) replaceHint(hint, other string) {
	for i := range f.list {
		if f.list[i].hint == hint {
			f.list[i].hint = other
		}
	}
}

// any reports whether a problem was found. Warnings do not count.
func (f *findings) any() bool { return len(f.list) > 0 }

// problems returns what was found, in source order, with excerpts.
func (f *findings) problems() Problems { return f.finish(f.list, ProblemsMax) }

// finish returns the first of list, at most so many.
func (f *findings) finish(list []finding, most int) Problems {
	slices.SortStableFunc(list, func(x, y finding) int {
		return cmp.Or(cmp.Compare(x.at.line, y.at.line), cmp.Compare(x.at.column, y.at.column))
	})
	list = list[:min(len(list), most)]
	problems := make(Problems, 0, len(list))
	for _, found := range list {
		p := Problem{
			Pos:     f.text.position(found.at),
			Message: printable.Line(found.message),
			Hint:    printable.Line(found.hint),
		}
		if found.shown != "" {
			p.Source, p.Mark, p.Width = layOut("", found.shown, "")
		} else {
			p.Source, p.Mark, p.Width = f.text.excerpt(found.at)
		}
		problems = append(problems, p)
	}
	return problems
}

// quoteName returns text in quotes for use in a message, shown safely and cut
// when it is long.
func quoteName(text string) string { return `"` + printable.Clip(text, 60) + `"` }
