package plan

import "strings"

// A large plan was written by a program, or by a person with much patience, and
// nearly all of its lines look alike: a key, a colon and one value. Reading those
// with the library takes most of the time of a run over such a plan. So the items
// of a piece are read here first, as long as each line is of the plainest kind;
// at the first that is not, the piece is left to the library, which also decides
// about everything that is wrong. The two make the same nodes (FuzzPlainItems).

// plainItems reads the items of a list of jobs that stands alone in its lines.
// It returns nil when a line is not plain.
func (b *builder) plainItems(lines lineTable, items int) []*node {
	p := plainReader{b: b, lines: lines}
	list := make([]*node, 0, items)
	dash := -1
	for p.next() {
		if dash < 0 {
			dash = p.at
		}
		text := p.text
		if p.at != dash || !strings.HasPrefix(text[p.at:], "- ") {
			return nil
		}
		if p.at += len("- "); p.at == len(text) || text[p.at] == ' ' {
			return nil
		}
		item := p.item()
		if item == nil {
			return nil
		}
		list = append(list, item)
	}
	if len(list) != items || p.odd {
		return nil
	}
	return list
}

// plainDepthMax is how deep plain mappings and lists go.
const plainDepthMax = 16

// plainReader stands on a byte of a line.
type plainReader struct {
	b        *builder
	lines    lineTable
	text     string // of the line
	line, at int
	depth    int
	odd      bool // a line cannot be plain
}

// next moves to the first character of the next line that has more than blanks
// and a comment, from the current line on. It returns false at the end.
func (p *plainReader) next() bool {
	for ; p.line < p.lines.count(); p.line++ {
		text := p.lines.line(p.line)
		p.text, p.at = text, 0
		for p.at < len(text) && text[p.at] == ' ' {
			p.at++
		}
		if p.at == len(text) || text[p.at] == '#' {
			continue
		}
		if !plainASCII(text) { // columns would not be bytes
			p.odd = true
			return false
		}
		return true
	}
	return false
}

// item reads what stands behind a dash.
func (p *plainReader) item() *node {
	if p.peek() == '{' || p.peek() == '[' {
		return p.lastOnLine(p.value(false, true))
	}
	return p.mapping(false)
}

// mapping reads the keys that stand in one column, the first at hand.
func (p *plainReader) mapping(secret bool) *node {
	if p.depth++; p.depth > plainDepthMax {
		return nil
	}
	column := p.at
	m := p.node(nodeMapping, "")
	m.entries = make([]entry, 0, 8)
	for {
		key := p.key(secret, false)
		if key == nil || p.has(m, key) {
			return nil
		}
		if len(m.entries) == 0 {
			m.line, m.column, m.head = key.line, key.column, key.head
		}
		below := secret || sensitiveKey(key.text)
		var value *node
		if p.restIsBlank() {
			p.line++
			if !p.next() || p.at <= column {
				return nil // a key without a value
			}
			value = p.mapping(below)
		} else if value = p.lastOnLine(p.value(below, false)); value != nil && p.next() && p.at > column {
			return nil // the value goes on
		}
		if value == nil || p.odd {
			return nil
		}
		p.add(m, key, value)
		if p.line == p.lines.count() || p.at < column {
			p.depth--
			return m
		}
		if p.at > column {
			return nil
		}
	}
}

// add puts a key and its value into a mapping.
func (p *plainReader) add(m, key, value *node) {
	m.weight += 1 + value.weight
	m.refs = m.refs || key.refs || value.refs
	m.entries = append(m.entries, entry{key, value})
}

// plainKeysMax is how many keys a plain mapping has, which are compared with one
// another.
const plainKeysMax = 24

// has reports whether a key is there twice, or there are too many to tell.
func (p *plainReader) has(m, key *node) bool {
	if len(m.entries) >= plainKeysMax {
		return true
	}
	for i := range m.entries {
		if m.entries[i].key.text == key.text {
			return true
		}
	}
	return false
}

// key reads a key and its colon.
func (p *plainReader) key(secret, inFlow bool) *node {
	var key *node
	if c := p.peek(); c == '"' || c == '\'' {
		if key = p.quoted(); key == nil {
			return nil
		}
		key.kind = nodePlain // keys are not told apart
	} else {
		text := p.rest()
		n := 0
		for n < len(text) && plainKeyByte[text[n]] {
			n++
		}
		if n == 0 || !isLetter(text[0]) || isNullWord(text[:n]) {
			return nil
		}
		key = p.node(nodePlain, text[:n])
		p.at += n
	}
	if p.peek() != ':' {
		return nil
	}
	if p.at++; p.at < len(p.text) && p.peek() != ' ' && !(inFlow && key.closed) {
		return nil // only a quoted key needs no blank behind its colon, as in JSON
	}
	key.secret = secret || wordLength(key.text) < len(key.text) && sensitiveKey(key.text)
	key.refs = hasReference(key)
	return key
}

// value reads one value that ends on its line, behind blanks.
func (p *plainReader) value(secret, inFlow bool) *node {
	p.blanks()
	switch p.peek() {
	case '{':
		return p.flowMapping(secret)
	case '[':
		return p.flowList(secret)
	}
	var n *node
	if c := p.peek(); c == '"' || c == '\'' {
		n = p.quoted()
	} else {
		n = p.plain(inFlow)
	}
	if n != nil {
		n.secret, n.refs = secret, hasReference(n)
	}
	return n
}

// quoted reads a quoted text without escapes.
func (p *plainReader) quoted() *node {
	text := p.rest()
	end := strings.IndexByte(text[1:], text[0]) + 2
	if end < 2 || text[0] == '"' && strings.IndexByte(text[:end], '\\') >= 0 || end < len(text) && text[end] == text[0] {
		return nil
	}
	n := p.node(nodeText, text[1:end-1])
	n.head, n.closed = text[:end], true
	p.at += end
	return n
}

// plain reads a text without quotes.
func (p *plainReader) plain(inFlow bool) *node {
	text := p.rest()
	if text == "" || !isLetter(text[0]) && !isDigit(text[0]) {
		return nil
	}
	bytes := &plainBlockByte
	if inFlow {
		bytes = &plainFlowByte
	}
	n := 0
	for n < len(text) && bytes[text[n]] {
		n++
	}
	p.at += n
	if text = strings.TrimRight(text[:n], " "); strings.Contains(text, ": ") || strings.Contains(text, " #") || text[len(text)-1] == ':' {
		return nil
	}
	kind := nodePlain
	if isNullWord(text) {
		kind = nodeNull
	}
	return p.node(kind, text)
}

// flowMapping reads {…}.
func (p *plainReader) flowMapping(secret bool) *node {
	if p.depth++; p.depth > plainDepthMax {
		return nil
	}
	m := p.node(nodeMapping, "{")
	m.text = "{"
	m.entries = make([]entry, 0, 4)
	p.at++
	spill := spill{inFlow: true}
	for p.blanks(); p.peek() != '}' || len(m.entries) > 0; p.blanks() {
		key := p.key(secret || spill.secret, true)
		if key == nil || p.has(m, key) {
			return nil
		}
		below := secret || sensitiveKey(key.text)
		value := p.value(below, true)
		if value == nil {
			return nil
		}
		if spill.next(key, value, false, below) {
			return nil
		}
		p.add(m, key, value)
		p.blanks()
		if p.peek() == '}' {
			value.closed = value.closed || value.isScalar() && passwordSection.field(key.text) != nil
			break
		}
		if p.peek() != ',' {
			return nil
		}
		p.at++
	}
	p.at++
	p.depth--
	return m
}

// flowList reads […].
func (p *plainReader) flowList(secret bool) *node {
	if p.depth++; p.depth > plainDepthMax {
		return nil
	}
	list := p.node(nodeList, "[")
	list.text = "["
	list.items = []*node{}
	p.at++
	for p.blanks(); p.peek() != ']' || len(list.items) > 0; p.blanks() {
		item := p.value(secret, true)
		if item == nil {
			return nil
		}
		list.weight += item.weight
		list.refs = list.refs || item.refs
		list.items = append(list.items, item)
		p.blanks()
		if p.peek() == ']' {
			break
		}
		if p.peek() != ',' {
			return nil
		}
		p.at++
	}
	p.at++
	p.depth--
	return list
}

// isScalar reports whether n is one value, and not a mapping or list.
func (n *node) isScalar() bool {
	return n.kind == nodePlain || n.kind == nodeText || n.kind == nodeNull
}

// node returns a node for what stands here.
func (p *plainReader) node(kind nodeKind, text string) *node {
	n := p.b.node()
	*n = node{
		kind: kind, in: p.b.in, scratch: p.b.reuse, weight: 1, text: text, head: text,
		line: p.b.line(p.line + 1), column: p.at + 1,
	}
	return n
}

// lastOnLine returns n and moves to the next line, if nothing stands behind n.
func (p *plainReader) lastOnLine(n *node) *node {
	if n == nil || !p.restIsBlank() {
		return nil
	}
	p.line++
	return n
}

func (p *plainReader) rest() string { return p.text[p.at:] }

func (p *plainReader) restIsBlank() bool { return strings.Trim(p.rest(), " ") == "" }

func (p *plainReader) blanks() {
	for p.peek() == ' ' {
		p.at++
	}
}

// peek is the byte at hand, 0 at the end of the line.
func (p *plainReader) peek() byte {
	if p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// isNullWord reports whether plain text means nothing at all.
func isNullWord(text string) bool { return text == "null" || text == "Null" || text == "NULL" }

// bytesOf says of each byte whether it is a letter, a digit or one of more.
func bytesOf(more string) (set [256]bool) {
	for c := range set {
		set[c] = isLetter(byte(c)) || isDigit(byte(c)) || strings.IndexByte(more, byte(c)) >= 0
	}
	return set
}

// What plain keys and values are made of.
var (
	plainKeyByte   = bytesOf("_-.")
	plainFlowByte  = bytesOf("_-./@+=~;()$% ")
	plainBlockByte = bytesOf("_-./@+=~;()$% :,{}*")
)
