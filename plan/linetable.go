package plan

import (
	"iter"
	"strings"
)

// lineTable is a text by lines, which "\n" ends. It takes four bytes a line: a
// large plan has a million of them. Lines are counted from 0.
type lineTable struct {
	text string
	// starts are where lines begin, and where one more would, counted in bytes.
	starts []uint32
}

func newLineTable(text string) lineTable {
	t := lineTable{text, make([]uint32, 1, strings.Count(text, "\n")+2)}
	for at := 0; ; {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			t.starts = append(t.starts, uint32(len(text)+1))
			return t
		}
		at += i + 1
		t.starts = append(t.starts, uint32(at))
	}
}

func (t lineTable) count() int { return len(t.starts) - 1 }

func (t lineTable) line(i int) string { return t.text[t.starts[i] : t.starts[i+1]-1] }

// part is the lines from one up to another, which counts no more.
func (t lineTable) part(from, to int) lineTable { return lineTable{t.text, t.starts[from : to+1]} }

// joined is the text of all lines.
func (t lineTable) joined() string {
	if t.count() == 0 {
		return ""
	}
	return t.text[t.starts[0] : t.starts[t.count()]-1]
}

// all yields the lines with their numbers.
func (t lineTable) all() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i := range t.count() {
			if !yield(i, t.line(i)) {
				return
			}
		}
	}
}

// list is all lines at once.
func (t lineTable) list() []string {
	lines := make([]string, t.count())
	for i, line := range t.all() {
		lines[i] = line
	}
	return lines
}
