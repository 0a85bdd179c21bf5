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
// would take twice the memory of loading the file.
type meaning []mark

type mark struct {
	sum  uint64
	line int
}

var meaningSeed = maphash.MakeSeed()

// meaningOf reads text, or returns the Problems that keep it from being read.
func meaningOf(text *sourceText) (meaning, error) {
	f := newFindings(text)
	body := parseYAML(f, strings.Join(text.lines, "\n"))
	if body == nil {
		return nil, f.problems()
	}
	var m meaning
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
	return m, nil
}

func (m *meaning) add(tk *token.Token, kind int, value string) {
	sum := maphash.String(meaningSeed, value) + uint64(kind)*0x9e3779b97f4a7c15
	*m = append(*m, mark{sum, tk.Position.Line})
}

// node adds n with what is in it. The end of a collection is a mark of its own,
// so that items cannot move from one to the next unnoticed.
func (m *meaning) node(n ast.Node) {
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

// differs returns the line, in the file of m, of the first thing that other does
// not say there, or 0.
func (m meaning) differs(other meaning) int {
	for i, want := range m {
		if i == len(other) || other[i].sum != want.sum {
			return max(want.line, 1)
		}
	}
	if len(other) > len(m) {
		return max(m[len(m)-1].line, 1)
	}
	return 0
}
