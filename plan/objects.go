package plan

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// objectsBytesMax is the largest db_list or partition_list.
const objectsBytesMax = 1 << 20

// dbList reads the objects to synchronise. Something has to be said: the one
// documented value is {EntireInstance: true}.
func (d *decoder) dbList(n *node, path string) (string, bool) {
	text, ok := d.object(n, path)
	if ok && text == "{}" {
		if n.dropped {
			return "", false
		}
		n.wrong("for everything, write db_list: {EntireInstance: true}", "%s is empty", path)
		return "", false
	}
	if ok && strings.HasPrefix(text, `{"EntireInstance":"`) {
		n.wrong("write EntireInstance: true, without quotes", "%s says EntireInstance as a text", path)
		return "", false
	}
	return text, ok
}

func (d *decoder) partitionList(n *node, path string) (string, bool) { return d.object(n, path) }

// object reads a JSON object, written as YAML or as JSON text, into canonical
// JSON.
func (d *decoder) object(n *node, path string) (string, bool) {
	switch n.kind {
	case nodeMapping:
		return d.objectOfYAML(n, path)
	case nodePlain, nodeText:
	default:
		d.wants(n, nodeMapping, path)
		return "", false
	}
	if len(n.text) > objectsBytesMax {
		n.wrong("", tooLarge, path, objectsBytesMax>>10)
		return "", false
	}
	canonical, err := CanonicalJSON(n.text)
	switch {
	case err != nil:
		n.wrong("write it as YAML, or as JSON text in quotes", unusable, path, err)
	case !strings.HasPrefix(canonical, "{"):
		n.wrong("", "%s is JSON but no object: it has to start with {", path)
	default:
		return canonical, true
	}
	return "", false
}

const (
	tooLarge = "%s is larger than %d KiB"
	unusable = "%s cannot be used: %s"
)

// objectOfYAML writes the mapping n as canonical JSON at once, see CanonicalJSON.
func (d *decoder) objectOfYAML(n *node, path string) (string, bool) {
	var b strings.Builder
	if !d.json(&b, n, &objectPath{root: path, depth: 1}) {
		return "", false
	}
	switch text := b.String(); {
	case len(text) > objectsBytesMax:
		n.wrong("", tooLarge, path, objectsBytesMax>>10)
	case !utf8.ValidString(text):
		n.wrong("write it as YAML, or as JSON text in quotes", unusable, path, errNotUTF8)
	default:
		return text, true
	}
	return "", false
}

// objectPath is the path of a value inside objects. It is spelt out for messages
// only: most values need none.
type objectPath struct {
	up    *objectPath
	root  string // where up is nil
	key   string
	index int
	item  bool // of a list, at index
	depth int
}

func (p *objectPath) String() string {
	switch {
	case p.up == nil:
		return p.root
	case p.item:
		return fmt.Sprintf("%s[%d]", p.up, p.index)
	}
	return join(p.up.String(), p.key)
}

// json writes n as canonical JSON. Unquoted true, false, null and what JSON takes
// for a number stay what they are; every other scalar is text as written, so that
// 007 and no survive. It returns false after reporting something. When the result
// grows too large, it stops, and the caller reports it.
func (d *decoder) json(b *strings.Builder, n *node, path *objectPath) bool {
	if b.Len() > objectsBytesMax {
		return true
	}
	if path.depth > jsonDepthMax && (n.kind == nodeMapping || n.kind == nodeList) {
		n.wrong("", unusable, path, errTooDeep)
		return false
	}
	switch n.kind {
	case nodeMapping:
		return d.jsonObject(b, n, path)
	case nodeList:
		return d.jsonArray(b, n, path)
	case nodeNull:
		b.WriteString("null")
	case nodeText:
		appendJSONString(b, n.text)
	case nodePlain:
		return d.jsonPlain(b, n, path)
	default:
		return false
	}
	return true
}

func (d *decoder) jsonObject(b *strings.Builder, n *node, path *objectPath) bool {
	entries := n.entries
	byKey := func(x, y entry) int { return strings.Compare(x.key.text, y.key.text) }
	if !slices.IsSortedFunc(entries, byKey) {
		entries = slices.Clone(entries)
		slices.SortFunc(entries, byKey)
	}
	ok := true
	b.WriteByte('{')
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		appendJSONString(b, e.key.text)
		b.WriteByte(':')
		ok = d.json(b, e.value, &objectPath{up: path, key: e.key.text, depth: path.depth + 1}) && ok
	}
	b.WriteByte('}')
	return ok
}

func (d *decoder) jsonArray(b *strings.Builder, n *node, path *objectPath) bool {
	ok := true
	b.WriteByte('[')
	for i, item := range n.items {
		if i > 0 {
			b.WriteByte(',')
		}
		ok = d.json(b, item, &objectPath{up: path, index: i, item: true, depth: path.depth + 1}) && ok
	}
	b.WriteByte(']')
	return ok
}

// jsonPlain writes an unquoted scalar. True and FALSE are refused: YAML readers
// differ on whether they are text, and the service would take the text for
// something else.
func (d *decoder) jsonPlain(b *strings.Builder, n *node, path *objectPath) bool {
	switch lower := strings.ToLower(n.text); {
	case n.text == "true" || n.text == "false":
		b.WriteString(n.text)
	case isJSONNumber(n.text):
		number, err := canonicalNumber(n.text)
		if err != nil {
			n.wrong("put it in quotes if it is a text", unusable, path, err)
			return false
		}
		b.WriteString(number)
	case lower == "true" || lower == "false":
		n.wrong(fmt.Sprintf("write %s, or put the text in quotes", lower), "%s is %s, which could be text or not", path, n.quoted())
		return false
	default:
		appendJSONString(b, n.text)
	}
	return true
}
