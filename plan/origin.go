package plan

import (
	"fmt"
	"slices"
	"strings"
)

// origin says where a text came from that a reference brought in.
type origin struct {
	// note says it in words. It is empty for a cell of a CSV file.
	note string
	// table and column are the cell, in the row that is current while its job is
	// read; the row as a whole where column is wholeRow.
	table  *csvTable
	column int
	// also are the others, where several references brought the text in.
	also []*origin
}

// originsMax is how many references of one text are told apart.
const originsMax = 8

// and is where a text came from that both bring in. A cell comes first: problems
// are shown where it is.
func (o *origin) and(other *origin) *origin {
	switch {
	case o == nil:
		return other
	case other == nil || slices.ContainsFunc(o.all(), other.same) || len(o.also) >= originsMax:
		return o
	case o.table == nil && other.table != nil:
		o, other = other, o
	}
	both := *o
	both.also = append(slices.Clip(o.also), other.all()...)
	return &both
}

// same reports whether two texts came from one place.
func (o *origin) same(other *origin) bool {
	return o.note == other.note && o.table == other.table && o.column == other.column
}

// all are o by itself and the others.
func (o *origin) all() []*origin { return append([]*origin{o}, o.also...) }

// names says in words what origins are.
func names(origins []*origin) string {
	words := make([]string, len(origins))
	for i, o := range origins {
		if words[i] = o.note; o.table != nil {
			words[i] = fmt.Sprintf("column %s (%s)", o.table.columns[o.column], o.place().position())
		}
	}
	return strings.Join(words, " and ")
}

// others names all but the first, to follow words about that; "" for none.
func (o *origin) others() string {
	if len(o.also) == 0 {
		return ""
	}
	return ", with " + names(o.also)
}

const wholeRow = -1

// wrong reports a problem with n, whose text came from o.
func (o *origin) wrong(n *node, hint, message string) {
	at := n.in.text.spanOf(n)
	if o.table == nil {
		n.in.add(at, message, joinHints(hint, "it comes from "+names(o.all())))
		return
	}
	p := o.place()
	used := fmt.Sprintf("it comes from column %s and is used at %s%s", o.table.columns[o.column], n.in.text.position(at), o.others())
	p.in.addShown(p.span(), message, joinHints(hint, used), o.shown(n))
}

// shown is the cell as an excerpt, "" if it may be a secret.
func (o *origin) shown(n *node) string {
	if n.secret || o.table.hidden[o.column] {
		return ""
	}
	return o.table.record[o.column]
}

// place is the cell, or its row.
func (o *origin) place() place {
	if o.column == wholeRow {
		return place{in: o.table.f, line: o.table.line, column: 1, exact: true}
	}
	line, column := o.table.reader.FieldPos(o.column)
	return place{in: o.table.f, line: line, column: column, exact: true}
}

func joinHints(hint, more string) string {
	if hint == "" {
		return more
	}
	return hint + "; " + more
}

// place is where a value stands, kept without the value.
type place struct {
	in           *findings
	line, column int
	head         string
	exact        bool // line and column are the place, and head is not to be looked for
}

// place returns where n's text stands.
func (n *node) place() place {
	if n.via != nil && n.via.table != nil {
		return n.via.place()
	}
	return n.here()
}

// here is where n itself stands, whatever its text.
func (n *node) here() place { return place{in: n.in, line: n.line, column: n.column, head: n.head} }

func (p place) span() span {
	if p.exact {
		return span{p.line, p.column, 1}
	}
	return p.in.text.locate(p.line, p.column, p.head)
}

// position is the place as users are told.
func (p place) position() Position { return p.in.text.position(p.span()) }
