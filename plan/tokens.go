package plan

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml/token"
)

const (
	// depthMax is how many mappings and lists may stand inside one another.
	depthMax = 64
	// keysMax is how many keys one mapping may have.
	keysMax = 2000
	// blanksMax is how many keys and list items of a file may lack a value.
	blanksMax = 1000
)

// tokenGuard looks through the tokens of a file before they are parsed. The
// parser's time grows with the square of the depth, of the keys in a mapping and
// of the number of missing values, and it recurses once per key, document and
// tag: without bounds a small file could stop the program.
type tokenGuard struct {
	f      *findings
	frames []frame
	depth  int // mappings and lists around the text
	flow   int // frames that are [] or {}
	blanks int // keys and items without a value
	props  int // anchors and tags in a row
	last   *token.Token
	lines  int // line of the last token, and 0 before the first
	ended  bool
}

// frame is one open mapping or list.
type frame struct {
	column int  // where its keys or dashes stand; 0 for [] and {}
	list   bool // a block list
	keys   int
}

// checkTokens reports what makes tokens unfit for the parser. It stops at the
// first such thing, since the rest may follow from it.
func checkTokens(f *findings, tokens token.Tokens, depth int) {
	g := tokenGuard{f: f, depth: depth}
	for i, tk := range tokens {
		if tk.Type == token.CommentType {
			continue
		}
		blockText := g.last != nil && (g.last.Type == token.LiteralType || g.last.Type == token.FoldedType)
		name := g.last != nil && (g.last.Type == token.AnchorType || g.last.Type == token.AliasType)
		if !blockText && !name {
			g.token(tk, i)
		}
		if f.any() {
			return
		}
		g.last = tk
	}
	if g.last == nil {
		f.add(span{}, "the file has only comments", emptyHint)
	}
}

// token checks one token that is neither a comment nor the name of an anchor nor
// the content of a block text, whose position the lexer does not tell.
func (g *tokenGuard) token(tk *token.Token, index int) {
	first := tk.Position.Line != g.lines
	g.lines = tk.Position.Line
	if first && g.flow == 0 {
		g.checkIndent(tk)
		g.closeTo(tk.Position.Column, tk.Type == token.SequenceEntryType)
	}
	g.checkDocument(tk, index)
	g.checkProperties(tk)
	switch tk.Type {
	case token.MappingStartType, token.SequenceStartType:
		g.open(frame{}, tk)
		g.flow++
	case token.MappingEndType, token.SequenceEndType:
		if g.flow > 0 {
			g.flow--
			g.frames = g.frames[:len(g.frames)-1]
		}
	case token.SequenceEntryType:
		if g.flow == 0 {
			g.item(tk)
		}
	case token.MappingValueType:
		g.key(tk)
	}
	g.countBlank(tk)
}

// checkIndent refuses tabs in front of the first token of a line.
func (g *tokenGuard) checkIndent(tk *token.Token) {
	line := tk.Position.Line
	if line > g.f.text.lines.count() {
		return
	}
	text := g.f.text.lines.line(line - 1)
	blank := text[:len(text)-len(strings.TrimLeft(text, " \t"))]
	if i := strings.IndexByte(blank, '\t'); i >= 0 {
		g.f.add(span{line, i + 1, 1}, "tab used for indentation", tabHint)
	}
}

const tabHint = "indent with spaces; in an editor, turn on \"insert spaces\""

// closeTo ends the block mappings and lists that a token at column is not in. A
// list may stand in the column of the key that holds it.
func (g *tokenGuard) closeTo(column int, item bool) {
	for len(g.frames) > 0 {
		top := g.frames[len(g.frames)-1]
		if top.column < column || top.column == column && (!top.list || item) {
			return
		}
		g.frames = g.frames[:len(g.frames)-1]
	}
}

// item notes the dash of a block list.
func (g *tokenGuard) item(tk *token.Token) {
	g.closeTo(tk.Position.Column, true)
	if n := len(g.frames); n == 0 || g.frames[n-1].column < tk.Position.Column || !g.frames[n-1].list {
		g.open(frame{column: tk.Position.Column, list: true}, tk)
	}
}

// key notes the colon after a key.
func (g *tokenGuard) key(colon *token.Token) {
	if g.flow == 0 && g.last != nil {
		column := keyStart(g.last).Position.Column
		g.closeTo(column, false)
		if n := len(g.frames); n == 0 || g.frames[n-1].column < column {
			g.open(frame{column: column}, colon)
		}
	}
	if len(g.frames) == 0 {
		return
	}
	top := &g.frames[len(g.frames)-1]
	if top.keys++; top.keys > keysMax {
		g.f.add(tokenSpan(g.f.text, g.last), fmt.Sprintf("this mapping has more than %d keys", keysMax),
			"write a large db_list as JSON text, in a block that starts with db_list: |")
	}
}

// keyStart returns the first token of the key that ends with tk: an anchor or a
// tag may stand before its text.
func keyStart(tk *token.Token) *token.Token {
	for p := tk.Prev; p != nil && p.Position.Line == tk.Position.Line; p = p.Prev {
		switch {
		case p.Type == token.TagType, p.Type == token.AnchorType, p.Type == token.AliasType,
			p.Type == token.MappingKeyType, p.PreviousType() == token.AnchorType:
			tk = p
		default:
			return tk
		}
	}
	return tk
}

func (g *tokenGuard) open(fr frame, tk *token.Token) {
	g.frames = append(g.frames, fr)
	if g.depth+len(g.frames) > depthMax {
		g.f.add(tokenSpan(g.f.text, tk), fmt.Sprintf("nested deeper than %d levels", depthMax), "")
	}
}

// checkDocument refuses directives and more than one document.
func (g *tokenGuard) checkDocument(tk *token.Token, index int) {
	switch {
	case tk.Type == token.DirectiveType:
		g.f.add(tokenSpan(g.f.text, tk), "YAML directives are not supported", "remove the line")
	case tk.Type == token.DocumentHeaderType && g.last != nil, g.ended:
		g.f.add(tokenSpan(g.f.text, tk), "a second document starts here; a plan file holds one",
			"put the other plan into a file of its own, or remove the separator")
	case tk.Type == token.DocumentEndType:
		g.ended = true
	}
}

// checkProperties refuses runs of anchors and tags, each of which the parser
// takes for one more level.
func (g *tokenGuard) checkProperties(tk *token.Token) {
	if tk.Type != token.AnchorType && tk.Type != token.TagType {
		g.props = 0
		return
	}
	if g.props++; g.props > 4 {
		g.f.add(tokenSpan(g.f.text, tk), "a value can have one anchor and one tag", "")
	}
}

// countBlank counts keys and items that are followed by something which cannot be
// their value.
func (g *tokenGuard) countBlank(tk *token.Token) {
	if g.last == nil || g.last.Type != token.MappingValueType && g.last.Type != token.SequenceEntryType {
		return
	}
	if first := tk.Position.Line != g.last.Position.Line; !first {
		return
	}
	owner := g.last.Position.Column
	if g.last.Type == token.MappingValueType && g.last.Prev != nil {
		owner = keyStart(g.last.Prev).Position.Column
	}
	if tk.Position.Column > owner || tk.Type == token.SequenceEntryType && g.last.Type == token.MappingValueType {
		return
	}
	if g.blanks++; g.blanks > blanksMax {
		g.f.add(tokenSpan(g.f.text, g.last), fmt.Sprintf("more than %d keys and list items of this file have no value", blanksMax),
			"the file may be damaged, or its generator wrote nothing where values were due")
	}
}
