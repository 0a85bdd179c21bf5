package plan

import (
	"hash/maphash"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// meaning is what a file says, as a list of hashes: the tokens with their kind and
// text, comments among them, then the tree that they make. Two files with equal
// lists mean the same. The trees themselves are not kept, because two of them
// would take twice the memory of loading the file; for the same reason a mark is
// small. A change shows in several marks, so that 32 bits of hash are enough.
type meaning []mark

type mark struct{ sum, line uint32 }

var meaningSeed = maphash.MakeSeed()

// meaningOf reads text, or returns the Problems that keep it from being read.
func meaningOf(text *sourceText) (meaning, error) {
	var m meaning
	err := readMeaning(text, func(found mark) { m = append(m, found) })
	return m, err
}

// differs returns the line, in the file of m, of the first thing that text does
// not say there, or 0.
func (m meaning) differs(text *sourceText) int {
	line, rest := uint32(0), m
	err := readMeaning(text, func(found mark) {
		switch {
		case line > 0:
		case len(rest) == 0:
			line = m[len(m)-1].line
		case rest[0].sum != found.sum:
			line = rest[0].line
		default:
			rest = rest[1:]
		}
	})
	switch {
	case err != nil:
		return 1
	case line == 0 && len(rest) > 0:
		line = rest[0].line
	}
	return int(line)
}

// meaningReader hands the marks of a file to visit, in order.
type meaningReader struct{ visit func(mark) }

func readMeaning(text *sourceText, visit func(mark)) error {
	f := newFindings(text)
	body := parseYAML(f, text.whole, 0)
	if body == nil {
		return f.problems()
	}
	m := meaningReader{visit}
	first := body.GetToken()
	for first.Prev != nil {
		first = first.Prev
	}
	for tk := first; tk != nil; tk = tk.Next {
		value := tk.Value
		if tk.Type == token.CommentType {
			value = strings.TrimRight(value, " \t")
		}
		m.add(tk, int(tk.Type), value)
	}
	m.node(body)
	return nil
}

func (m meaningReader) add(tk *token.Token, kind int, value string) {
	sum := maphash.String(meaningSeed, value) + uint64(kind)*0x9e3779b97f4a7c15
	m.visit(mark{uint32(sum >> 32), uint32(max(tk.Position.Line, 1))})
}

// node adds n with what is in it. The end of a collection is a mark of its own,
// so that items cannot move from one to the next unnoticed.
func (m meaningReader) node(n ast.Node) {
	const end = -1
	tk := n.GetToken()
	m.add(tk, int(n.Type()), tk.Value)
	switch n := n.(type) {
	case *ast.MappingNode:
		for _, entry := range n.Values {
			m.node(entry)
		}
		m.add(tk, end, "")
	case *ast.MappingValueNode:
		m.node(n.Key)
		m.node(n.Value)
	case *ast.MappingKeyNode:
		m.node(n.Value)
	case *ast.SequenceNode:
		for _, item := range n.Values {
			m.node(item)
		}
		m.add(tk, end, "")
	case *ast.AnchorNode:
		m.node(n.Name)
		m.node(n.Value)
	case *ast.AliasNode:
		m.node(n.Value)
	case *ast.TagNode:
		m.node(n.Value)
	case *ast.LiteralNode:
		m.node(n.Value)
	}
}
