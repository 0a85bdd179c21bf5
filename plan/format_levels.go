package plan

// indentStep is how much deeper each level stands.
const indentStep = 2

// level is an open block mapping or list: the column of its keys or dashes in the
// source, and where they go.
type level struct {
	from, to int
	list     bool
}

// levels are the open block mappings and lists, the innermost last.
type levels []level

// innermost is the column, in the source, of the innermost level, or -1.
func (ls levels) innermost() int {
	if n := len(ls); n > 0 {
		return ls[n-1].from
	}
	return -1
}

// inside is where something goes that is inside the innermost level.
func (ls levels) inside() int {
	if n := len(ls); n > 0 {
		return ls[n-1].to + indentStep
	}
	return 0
}

// place returns where a line goes whose first piece stands at column from. It
// closes the levels that the line is not in, and opens those that begin on it: a
// dash, and what stands behind it, may open one each.
func (ls *levels) place(pieces []piece, from int) int {
	if pieces[0].kind == pieceDocument {
		*ls = (*ls)[:0]
		return 0
	}
	first := ls.closeTo(from, pieces[0].kind == pieceDash)
	to := first
	for i, p := range pieces {
		opens := p.kind == pieceDash || p.kind == pieceQuestion || p.kind == pieceColon
		if !opens && !isKey(pieces[i:]) {
			break
		}
		ls.enter(level{p.at, to, p.kind == pieceDash})
		if !opens {
			break
		}
		to += indentStep
	}
	return first
}

// closeTo closes the levels that a line at column from is not in, and returns
// where it goes. A list may stand in the column of the key that holds it, but
// goes deeper.
func (ls *levels) closeTo(from int, dash bool) int {
	for n := len(*ls); n > 0; n-- {
		top := (*ls)[n-1]
		switch {
		case top.from < from, top.from == from && !top.list && dash:
			return ls.inside()
		case top.from == from && top.list == dash:
			return top.to
		}
		*ls = (*ls)[:n-1]
	}
	return 0
}

// enter opens a level, unless it is the innermost already.
func (ls *levels) enter(l level) {
	if n := len(*ls); n > 0 && (*ls)[n-1] == l {
		return
	}
	*ls = append(*ls, l)
}

// isKey reports whether pieces begin with a key of a block mapping.
func isKey(pieces []piece) bool {
	i := 0
	for i < len(pieces) && pieces[i].kind == pieceName {
		i++
	}
	if i < len(pieces) && pieces[i].kind == pieceScalar {
		i++
	}
	return i > 0 && i < len(pieces) && pieces[i].kind == pieceColon
}

// above returns where a comment at column from goes when what follows it is less
// deep: into the innermost level that it is not to the left of. wants says that
// the innermost level's last key or dash has no value yet, so that the comment
// may stand in place of one.
func (ls levels) above(from int, wants bool) int {
	if wants && from > ls.innermost() {
		return ls.inside()
	}
	for i := len(ls) - 1; i >= 0; i-- {
		// A list in the column of its key: the comment is taken to be in the mapping.
		same := i > 0 && ls[i-1].from == ls[i].from
		if ls[i].from <= from && !same {
			return ls[i].to
		}
	}
	return 0
}
