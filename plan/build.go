package plan

import (
	"cmp"
	"fmt"
	"sync"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

const (
	// expansionFree and expansionPerAlias bound how many nodes aliases may stand
	// for together: an honest plan repeats a job's worth of text per alias, a bomb
	// multiplies with every level.
	expansionFree     = 100_000
	expansionPerAlias = 64
)

// builder turns the parser's tree into nodes.
type builder struct {
	f       *findings   // takes what is wrong
	in      *findings   // of the file: where problems with the nodes are collected
	hides   *sourceText // learns what is secret; nil for nobody
	cut     int         // after this line of the text, removed lines of the file are missing
	removed int
	aside   bool         // others build parts of the same file at the same time
	reports []func()     // what is to be reported once none does
	room    []node       // made and not used yet
	blocks  []*nodeBlock // the room came from, where its nodes are to be used again
	reuse   bool
	anchors map[string]*node
	open    map[string]bool // anchors whose value is being built
	// expanded is the weight of everything that aliases have stood for so far.
	aliases, expanded int
	refused           bool // it was too much, which was reported
}

func newBuilder(f *findings) *builder {
	return &builder{f: f, in: f, hides: f.text, anchors: map[string]*node{}, open: map[string]bool{}}
}

// node returns a new node. Nodes are made many at a time, since a plan has very
// many and drops them together.
func (b *builder) node() *node {
	if len(b.room) == 0 {
		b.room = b.block()[:]
	}
	n := &b.room[0]
	b.room = b.room[1:]
	return n
}

// nodeBlock are nodes that are made together.
type nodeBlock [128]node

// spareBlocks are blocks whose nodes nobody uses any more.
var spareBlocks = sync.Pool{New: func() any { return new(nodeBlock) }}

func (b *builder) block() *nodeBlock {
	if !b.reuse {
		return new(nodeBlock)
	}
	block := spareBlocks.Get().(*nodeBlock)
	b.blocks = append(b.blocks, block)
	return block
}

// line is where a line of the parsed text is in the file.
func (b *builder) line(parsed int) int {
	if parsed > b.cut {
		return parsed + b.removed
	}
	return parsed
}

// wrong reports what keeps the text from being used, at n.
func (b *builder) wrong(n *node, message, hint string) {
	here := *n
	if here.line > b.cut {
		here.line -= b.removed
	}
	b.f.add(b.f.text.spanOf(&here), message, hint)
}

// report reports a problem with the file at hand, now or when that is safe.
func (b *builder) report(problem func()) {
	if b.aside {
		b.reports = append(b.reports, problem)
		return
	}
	problem()
}

func (b *builder) hide(n *node) {
	if b.hides != nil {
		b.hides.hide(n)
	}
}

// build returns the node for n. secret is inherited from the keys above.
func (b *builder) build(n ast.Node, secret bool) *node {
	switch n := n.(type) {
	case *ast.MappingNode:
		return b.mapping(n.GetToken(), n.Values, secret)
	case *ast.MappingValueNode:
		return b.mapping(n.Key.GetToken(), []*ast.MappingValueNode{n}, secret)
	case *ast.SequenceNode:
		return b.list(n, secret)
	case *ast.AnchorNode:
		return b.anchor(n, secret)
	case *ast.AliasNode:
		return b.alias(n, secret)
	case *ast.TagNode:
		return b.tag(n, secret)
	case *ast.LiteralNode:
		text := b.scalar(nodeText, n.Start, secret)
		text.text, text.below = n.Value.Value, tokenLines(n.Value.Token)+1
		text.refs = hasReference(text)
		if secret {
			b.hide(text)
		}
		return text
	case *ast.NullNode:
		return b.scalar(nodeNull, n.GetToken(), secret)
	case *ast.StringNode:
		if n.Token.Indicator == token.QuotedScalarIndicator {
			return b.scalar(nodeText, n.Token, secret)
		}
		return b.scalar(nodePlain, n.Token, secret)
	case ast.ScalarNode:
		return b.scalar(nodePlain, n.GetToken(), secret)
	}
	bad := b.scalar(nodeBad, n.GetToken(), secret)
	b.wrong(bad, syntaxDefault.message, syntaxDefault.hint)
	return bad
}

// scalar returns a node with the token's text: what stood in the file for plain
// text, what was meant for quoted text. The tree's typed values are not used,
// because they turn 007 into 7 and 1.10 into 1.1.
func (b *builder) scalar(kind nodeKind, tk *token.Token, secret bool) *node {
	n := b.node()
	*n = node{
		kind: kind, in: b.in, secret: secret, weight: 1, text: tk.Value,
		line: b.line(tk.Position.Line), column: tk.Position.Column, head: tokenHead(tk), below: tokenLines(tk),
	}
	n.closed = n.below == 0 && (tk.Indicator == token.QuotedScalarIndicator || isReferenceValue(tk))
	if tk.Type == token.ImplicitNullType {
		n.head = ""
	}
	n.refs = hasReference(n)
	if secret {
		b.hide(n)
	}
	return n
}

// isReferenceValue reports whether tk is NAME in {env: NAME}, which nothing of a
// password can follow.
func isReferenceValue(tk *token.Token) bool {
	colon := tk.Prev
	return tk.Next != nil && tk.Next.Type == token.MappingEndType &&
		colon != nil && colon.Type == token.MappingValueType &&
		colon.Prev != nil && passwordSection.field(colon.Prev.Value) != nil
}

func (b *builder) list(n *ast.SequenceNode, secret bool) *node {
	list := b.scalar(nodeList, n.Start, false)
	list.items = make([]*node, 0, len(n.Values))
	for _, value := range n.Values {
		item := b.build(value, secret)
		list.weight += item.weight
		list.refs = list.refs || item.refs
		list.items = append(list.items, item)
	}
	return list
}

// mapping builds the keys of one mapping. start is where it begins: its brace, or
// the colon of its first key.
func (b *builder) mapping(start *token.Token, values []*ast.MappingValueNode, secret bool) *node {
	m := b.scalar(nodeMapping, start, false)
	m.entries = make([]entry, 0, len(values))
	seen := make(map[string]*node, len(values))
	var merged *node
	spill := spill{inFlow: start.Type == token.MappingStartType}
	for i, value := range values {
		key := b.key(value.Key, secret || spill.secret)
		if i == 0 && !spill.inFlow {
			m.line, m.column, m.head = key.line, key.column, key.head
		}
		isMerge := value.Key.IsMergeKey()
		below := secret || !isMerge && sensitiveKey(key.text)
		child := b.build(value.Value, below)
		valueless := child.kind == nodeNull && child.head == ""
		if valueless {
			child.line, child.column, child.head = key.line, key.column, key.head
		}
		if spill.next(key, child, valueless, below) {
			key.secret = true
			b.hideKey(key)
		}
		m.weight += 1 + child.weight
		m.refs = m.refs || key.refs || child.refs
		if key.kind == nodeBad || b.repeated(key, isMerge, seen) {
			m.dropped = true
			continue
		}
		if isMerge {
			merged = child
			continue
		}
		m.entries = append(m.entries, entry{key, child})
	}
	if merged != nil {
		b.merge(m, merged, seen)
	}
	return m
}

// spill follows the commas of a flow mapping: a text in it may have had one, so
// that what looks like keys after it is the rest of the text.
type spill struct {
	inFlow bool
	text   bool // a text came before, and nothing since but keys without a value
	secret bool // that was, or may have been, a password
}

// next notes a key and its value, and returns whether the key may be the rest of
// a text. sensitive says that the key is one for a password.
func (s *spill) next(key, value *node, valueless, sensitive bool) bool {
	rest := s.text && valueless || key.secret && valueless
	s.text = s.inFlow && (rest || value.kind == nodePlain || value.kind == nodeText)
	s.secret = s.secret || s.inFlow && (key.secret || sensitive && value.kind == nodePlain)
	return s.inFlow && rest
}

// repeated notes key in seen and reports it when it is there already.
func (b *builder) repeated(key *node, isMerge bool, seen map[string]*node) bool {
	text := key.text
	if isMerge {
		text = "\x00" + text // the text "<<" in quotes is a key like any other
	}
	first, ok := seen[text]
	if !ok {
		seen[text] = key
		return false
	}
	b.report(func() {
		key.wrong(fmt.Sprintf("it was first set at %s; remove one of the two", first.position()), "key %s is here twice", key.quoted())
	})
	return true
}

// key returns the node of a mapping's key, nodeBad when it can be none.
func (b *builder) key(n ast.MapKeyNode, secret bool) *node {
	var inner ast.Node = n
	if complexKey, ok := n.(*ast.MappingKeyNode); ok {
		inner = complexKey.Value
	}
	message := ""
	switch inner.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		message = "a key can have no anchor, alias or tag"
	case *ast.NullNode:
		if message = "a key is missing before this colon"; inner.GetToken().Value != "" {
			message = "a key that stands for nothing needs quotes"
		}
	}
	if _, block := inner.(*ast.LiteralNode); message == "" && !block {
		if scalar, ok := inner.(ast.ScalarNode); ok {
			key := b.scalar(nodePlain, scalar.GetToken(), false)
			// A key such as "password hunter2" has lost its colon.
			key.secret = secret || wordLength(key.text) < len(key.text) && sensitiveKey(key.text)
			if secret {
				b.hideKey(key)
			}
			return key
		}
	}
	message = cmp.Or(message, "a key must be a plain or quoted text")
	key := b.scalar(nodeBad, inner.GetToken(), secret)
	b.wrong(key, message, "")
	return key
}

// hideKey hides a key that stands where only env, file and command are known:
// {hunter2} is a mapping whose key is the password.
func (b *builder) hideKey(key *node) {
	if passwordSection.field(key.text) == nil {
		b.hide(key)
	}
}

// tag honours !!str, which makes text of whatever it stands before.
func (b *builder) tag(n *ast.TagNode, secret bool) *node {
	value := b.build(n.Value, secret)
	_, alias := n.Value.(*ast.AliasNode)
	tag := &node{kind: nodeBad, in: b.in, line: b.line(n.Start.Position.Line), column: n.Start.Position.Column, head: tokenHead(n.Start), weight: 1}
	if n.Start.Value != "!!str" {
		name := "the tag " + quoteName(n.Start.Value)
		if secret {
			b.hide(tag)
			name = "this tag"
		}
		b.wrong(tag, name+" is not supported", "remove it; only !!str is known; text that starts with ! needs quotes")
		return tag
	}
	if alias {
		b.wrong(tag, "!!str stands before an alias", "remove the tag, or put it where the anchor is")
		return tag
	}
	switch value.kind {
	case nodePlain:
		value.kind = nodeText
	case nodeNull:
		if value.kind, value.text = nodeText, ""; value.head != "" {
			value.text = value.head
		}
	case nodeMapping, nodeList:
		b.wrong(tag, "!!str stands before "+value.kind.String(), "remove the tag")
		return tag
	}
	return value
}
