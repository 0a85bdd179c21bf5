package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A reference, ${namespace.name}, stands in a text for a value. References are
// replaced after the YAML is read, in scalars only and in one pass: whatever a
// value holds, it stays a text and is not looked at again. $${ stands for ${.

// binding is what a reference stands for.
type binding struct {
	text string
	// quoted says that the text stays text. Otherwise a reference that is all of
	// an unquoted scalar reads as the text would in its place.
	quoted   bool
	typed    bool // it is a number or a boolean, with quotes around the reference or not
	secret   bool // it may be a password, which no message shows
	password bool // it is called one: it may stand in a reference to a password only
	broken   bool // the value has a problem, which was reported
	via      *origin
}

// namespace finds what the names behind one prefix stand for.
type namespace interface {
	// bind returns what name stands for, and whether there is such a name.
	bind(name string) (binding, bool)
	// names lists the known names, for hints. "" is the prefix by itself.
	names() []string
}

// scope is what references can mean at one place, by their prefix.
type scope map[string]namespace

// hasReference reports whether the scalar n has a reference or an escaped one.
func hasReference(n *node) bool {
	return (n.kind == nodePlain || n.kind == nodeText) && strings.Contains(n.text, "${")
}

// filler replaces references. One that reuses gives out the same copies again
// after each reset: what a template makes of a row lives no longer than the row.
type filler struct {
	scope
	room  *textRoom
	reuse bool
	slots []*slot
	used  int
}

// slot is a copy with room for what is below it.
type slot struct {
	node
	entries []entry
	items   []*node
}

func (f *filler) reset() { f.used = 0 }

// copyOf returns a copy of n for its references to be replaced in.
func (f *filler) copyOf(n *node) *slot {
	if !f.reuse || f.used == len(f.slots) {
		f.slots = append(f.slots[:f.used], &slot{})
	}
	copied := f.slots[f.used]
	if f.reuse {
		f.used++
	}
	copied.node = *n
	copied.refs, copied.scratch = false, f.reuse
	return copied
}

// whereabouts tells what a value is part of.
type whereabouts uint8

const (
	inPlan     whereabouts = iota
	atObjects              // it is the value of db_list or partition_list
	inObjects              // it is inside of one
	inPassword             // it is part of a reference to a password
)

func (w whereabouts) below(key string) whereabouts {
	switch {
	case w == inPassword && key == "command": // arguments are seen by everybody on the machine
		return inPlan
	case w == inPassword:
		return inPassword
	case w != inPlan:
		return inObjects
	case key == "password":
		return inPassword
	case key == "db_list" || key == "partition_list":
		return atObjects
	}
	return inPlan
}

// expand returns n with all references replaced: n itself where it has none, and
// otherwise a copy of what is on the way to them. Values that have a problem
// become nodeBad.
func (f *filler) expand(n *node, where whereabouts) *node {
	if !n.refs {
		return n
	}
	filled := f.copyOf(n)
	switch n.kind {
	case nodeMapping:
		f.expandEntries(filled, where)
	case nodeList:
		filled.items = filled.items[:0]
		for _, item := range n.items {
			filled.items = append(filled.items, f.expand(item, where.below("")))
		}
		filled.node.items = filled.items
	case nodePlain, nodeText:
		if where == atObjects && soleReference(n.text) == "" && refers(n) {
			n.wrong("write it as YAML; in JSON text, a value could become part of the structure", "JSON text cannot hold references")
			filled.kind = nodeBad
			break
		}
		f.take(&filled.node, where)
	}
	return &filled.node
}

// expandEntries fills in the values of a mapping and, inside objects, where keys
// are names of databases and tables, its keys too.
func (f *filler) expandEntries(filled *slot, where whereabouts) {
	filled.entries = filled.entries[:0]
	check := false // from the first filled-in key on, keys may repeat one another
	for _, e := range filled.node.entries {
		if e.key.refs {
			e.key, check = f.expandKey(e.key, where), true
		}
		if check && !fresh(filled.entries, e.key) {
			filled.dropped = true
			continue
		}
		filled.entries = append(filled.entries, entry{e.key, f.expand(e.value, where.below(e.key.text))})
	}
	filled.node.entries = filled.entries
}

// fresh reports whether a key is fit to stand beside the entries before it.
func fresh(before []entry, key *node) bool {
	if key.kind == nodeBad {
		return false
	}
	for _, e := range before {
		if e.key.text == key.text {
			key.wrong("remove one of the two", "key %s is here twice", key.quoted())
			return false
		}
	}
	return true
}

func (f *filler) expandKey(key *node, where whereabouts) *node {
	filled := &f.copyOf(key).node
	if where == inPlan {
		key.wrong("only values can, and the keys inside db_list and partition_list", "this key cannot hold a reference")
		filled.kind = nodeBad
		return filled
	}
	f.take(filled, where)
	return filled
}

// take fills in n, where there is room for it.
func (f *filler) take(n *node, where whereabouts) {
	if f.room.left < 0 { // which was reported
		n.kind = nodeBad
		return
	}
	f.room.take(f.fill(n, where), n)
}

// expandedMax is the most bytes that references may make of one scalar.
const expandedMax = 2 * objectsBytesMax

// fill replaces the references in the scalar n, and returns how many bytes of text
// that made.
func (s scope) fill(n *node, where whereabouts) int {
	if name := soleReference(n.text); name != "" {
		s.fillSole(n, name, where)
		return len(n.text)
	}
	var b strings.Builder
	for text := n.text; ; {
		before, reference, rest, ending := cutReference(text)
		b.WriteString(before)
		if ending == openReference {
			n.wrong("close it with }, or write $${ for a literal ${", "a reference starts here and does not end")
			n.kind = nodeBad
			return b.Len()
		}
		if ending == noReference {
			break
		}
		found := s.lookup(n, reference)
		if found.broken || !fits(n, found, where) {
			n.kind = nodeBad
			return b.Len()
		}
		b.WriteString(found.text)
		n.kind, n.secret, n.via = nodeText, n.secret || found.secret, n.via.and(found.via)
		if text = rest; b.Len() > expandedMax {
			n.wrong("", "this text is longer than %d KiB with its references", expandedMax>>10)
			n.kind = nodeBad
			return b.Len()
		}
	}
	n.text = b.String()
	return b.Len()
}

// fillSole puts in the place of n what the one reference stands for that n is.
func (s scope) fillSole(n *node, reference string, where whereabouts) {
	found := s.lookup(n, reference)
	if found.broken || !fits(n, found, where) {
		n.kind = nodeBad
		return
	}
	plain := found.typed || n.kind == nodePlain && !found.quoted
	n.text, n.secret, n.via = found.text, n.secret || found.secret, found.via
	if n.kind = nodeText; plain {
		n.kind = nodePlain
	}
}

// fits refuses a value that is called a password where it would be shown, sent or
// kept as it is.
func fits(n *node, b binding, where whereabouts) bool {
	if !b.password || where == inPassword {
		return true
	}
	n.wrong("a plan holds no password: write password: {env: NAME}, {file: PATH} or {kms: {secret: NAME}}; or rename what is none",
		"a value that is called a password cannot stand here")
	return false
}

// referenceEnding tells what cutReference found.
type referenceEnding uint8

const (
	noReference     referenceEnding = iota
	openReference                   // one that does not end
	closedReference                 // one
)

// cutReference cuts text around its first reference. before has its escapes
// replaced; without a reference, it is all of the text. reference is what stands
// between the braces.
func cutReference(text string) (before, reference, rest string, ending referenceEnding) {
	for from := 0; ; {
		i := strings.Index(text[from:], "${")
		if i < 0 {
			return unescape(text), "", "", noReference
		}
		start := from + i
		if from = start + len("${"); start > 0 && text[start-1] == '$' {
			continue
		}
		end := strings.IndexByte(text[from:], '}')
		if end < 0 {
			return unescape(text[:start]), "", "", openReference
		}
		return unescape(text[:start]), strings.TrimSpace(text[from : from+end]), text[from+end+1:], closedReference
	}
}

// unescape replaces $${ by the ${ that it stands for.
func unescape(text string) string { return strings.ReplaceAll(text, "$${", "${") }

// soleReference returns what is between the braces when text is one reference
// and nothing else, or "".
func soleReference(text string) string {
	if before, reference, rest, _ := cutReference(text); before == "" && rest == "" {
		return reference
	}
	return ""
}

// lookup finds what a reference in n stands for, and reports one that stands for
// nothing.
func (s scope) lookup(n *node, reference string) binding {
	prefix, name, _ := strings.Cut(reference, ".")
	ns := s[prefix]
	if ns == nil {
		hint := s.knownHint()
		if makers[prefix] != "" {
			hint = fmt.Sprintf("${%s…} is known in a template only: below generate, in the job beside %s", prefix, makers[prefix])
		}
		n.wrong(hint, "there is no %sto refer to here", unlessSecret(n, "${"+clipReference(reference)+"} "))
		return binding{broken: true}
	}
	b, ok := ns.bind(name)
	if ok {
		return b
	}
	hint := ""
	if !n.in.many() {
		hint = unknownHint(prefix, name, ns.names())
	}
	n.wrong(hint, "there is no %sto refer to here", unlessSecret(n, "${"+clipReference(reference)+"} "))
	return binding{broken: true}
}

// unknownHint helps with a name that is not one of names.
func unknownHint(prefix, name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean ${%s}?", dotted(prefix, near))
	}
	if len(names) == 0 && prefix == "var" {
		return "the plan declares no variables: write vars: {NAME: DEFAULT}"
	}
	return "known here: " + listed(prefix, names)
}

// makers says which keys of generate make the values behind a prefix.
var makers = map[string]string{"row": "csv", "matrix": "matrix", "item": "list or range"}

func (s scope) knownHint() string {
	var all []string
	for _, prefix := range slices.Sorted(maps.Keys(s)) {
		if names := s[prefix].names(); len(names) > 0 {
			all = append(all, listed(prefix, names))
		}
	}
	const literal = "write $${ for a literal ${"
	if len(all) == 0 {
		return "the plan declares no variables: write vars: {NAME: DEFAULT}; " + literal
	}
	return "known here: " + strings.Join(all, ", ") + "; " + literal
}

// listedMax is how many names a hint lists.
const listedMax = 12

func listed(prefix string, names []string) string {
	var all []string
	for i, name := range names {
		if i == listedMax {
			all = append(all, "…")
			break
		}
		all = append(all, "${"+dotted(prefix, name)+"}")
	}
	return strings.Join(all, ", ")
}

func dotted(prefix, name string) string {
	if name == "" {
		return prefix
	}
	return prefix + "." + name
}

func clipReference(text string) string {
	quoted := quoteName(text)
	return quoted[1 : len(quoted)-1]
}

// unlessSecret returns text, or nothing when it is part of what n hides.
func unlessSecret(n *node, text string) string {
	if n.secret {
		return "such thing "
	}
	return text
}

// refers reports whether the scalar n has a reference that is not escaped.
func refers(n *node) bool {
	found := false
	references(n, func(*node, string, string) { found = true })
	return found
}

// references calls yield for every reference in n and below it.
func references(n *node, yield func(at *node, prefix, name string)) {
	if !n.refs {
		return
	}
	for _, e := range n.entries {
		references(e.key, yield)
		references(e.value, yield)
	}
	for _, item := range n.items {
		references(item, yield)
	}
	if n.kind != nodePlain && n.kind != nodeText {
		return
	}
	for text := n.text; ; {
		_, reference, rest, ending := cutReference(text)
		if ending != closedReference {
			return
		}
		prefix, name, _ := strings.Cut(reference, ".")
		yield(n, prefix, name)
		text = rest
	}
}
