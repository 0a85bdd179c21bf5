package plan

import "fmt"

// nodeKind tells what a value of the file is, before any key gives it a meaning.
type nodeKind uint8

const (
	nodeBad     nodeKind = iota // was reported already; whoever reads it stays silent
	nodeNull                    // nothing, ~ or null
	nodePlain                   // unquoted text: may be a number, a boolean or a text
	nodeText                    // quoted, block or !!str text
	nodeMapping                 //
	nodeList                    //
)

// String names k as in "want a mapping, found a list".
func (k nodeKind) String() string {
	return [...]string{"something unreadable", "nothing", "text", "text", "a mapping", "a list"}[k]
}

// node is one value of a plan file with its aliases, merge keys and tags resolved.
// Scalars keep their text exactly as written. Aliases share the node they refer
// to, so a node may be reached on several ways; none leads back to itself.
type node struct {
	kind nodeKind
	// in is where problems with the value are collected: those of its file.
	in *findings
	// via says where the text came from when it stood elsewhere, see origin.
	via *origin
	// refs is set when a text in or below the node has a reference, ${…}.
	refs bool
	// scratch is set for copies that are used again for the next job: nothing may
	// keep them.
	scratch bool
	// secret is set for everything under a key that looks like one for a password:
	// its text goes into no message.
	secret bool
	// line, column and head are where the lexer saw the value and the first line
	// of it as written; see sourceText.locate.
	line, column int
	head         string
	below        int    // lines that it takes below its first
	closed       bool   // head is all of it, for certain: nothing after can belong to it
	text         string // of scalars
	entries      []entry
	dropped      bool // an entry was reported and is not in entries
	items        []*node
	// weight counts the nodes below and including this one, aliases expanded.
	weight int
}

// entry is one key of a mapping and its value, in source order.
type entry struct{ key, value *node }

// quoted returns n's text for a message, or words in its place when n is secret
// or no scalar.
func (n *node) quoted() string {
	switch {
	case n.kind != nodePlain && n.kind != nodeText:
		return n.kind.String()
	case n.secret:
		return "a text that is not shown"
	}
	return quoteName(n.text)
}

// alone returns n as a text that ends where it seems to. Unlike a password's,
// the rest of its line may be shown when it is hidden.
func (n *node) alone() *node {
	if n.kind != nodePlain || n.below > 0 || n.secret {
		return n
	}
	single := *n
	single.closed = true
	return &single
}

// unquote is what a hint adds when n, which is no number, has quotes.
func (n *node) unquote() string {
	if n.kind == nodeText {
		return ", without quotes"
	}
	return ""
}

// child returns the value under key, or nil.
func (n *node) child(key string) *node {
	for _, e := range n.entries {
		if e.key.text == key {
			return e.value
		}
	}
	return nil
}

// wrong reports a problem with n, at the place that its text came from.
func (n *node) wrong(hint, message string, args ...any) {
	if n.in.full() { // finding the place takes time
		return
	}
	if n.via != nil {
		n.via.wrong(n, hint, fmt.Sprintf(message, args...))
		return
	}
	n.in.add(n.in.text.spanOf(n), fmt.Sprintf(message, args...), hint)
}

// position is where n's text stands, as users are told.
func (n *node) position() Position { return n.place().position() }

// warn records something about n that is allowed but looks wrong.
func (n *node) warn(hint, message string, args ...any) {
	p := n.place()
	p.in.warn(p.span(), fmt.Sprintf(message, args...), hint)
}

// spanOf returns where n stands, for a finding.
func (s *sourceText) spanOf(n *node) span { return s.locate(n.line, n.column, n.head) }
