package plan

import (
	"fmt"
	"strings"
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
		d.wrong(n, "for everything, write db_list: {EntireInstance: true}", "%s is empty", path)
		return "", false
	}
	return text, ok
}

func (d *decoder) partitionList(n *node, path string) (string, bool) { return d.object(n, path) }

// object reads a JSON object, written as YAML or as JSON text, into canonical
// JSON.
func (d *decoder) object(n *node, path string) (string, bool) {
	var text string
	switch n.kind {
	case nodeMapping:
		var b strings.Builder
		if !d.json(&b, n, path) {
			return "", false
		}
		text = b.String()
	case nodePlain, nodeText:
		text = n.text
	default:
		d.wants(n, nodeMapping, path)
		return "", false
	}
	if len(text) > objectsBytesMax {
		d.wrong(n, "", "%s is larger than %d KiB", path, objectsBytesMax>>10)
		return "", false
	}
	canonical, err := CanonicalJSON(text)
	switch {
	case err != nil:
		d.wrong(n, "write it as YAML, or as JSON text in quotes", "%s cannot be used: %s", path, err)
	case !strings.HasPrefix(canonical, "{"):
		d.wrong(n, "", "%s is JSON but no object: it has to start with {", path)
	default:
		return canonical, true
	}
	return "", false
}

// json writes n as JSON. Unquoted true, false, null and what JSON takes for a
// number stay what they are; every other scalar is text as written, so that 007
// and no survive. It returns false after reporting something, or when the
// result grows too large, which the caller reports.
func (d *decoder) json(b *strings.Builder, n *node, path string) bool {
	if b.Len() > objectsBytesMax {
		return true // the caller sees the size and reports it
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

func (d *decoder) jsonObject(b *strings.Builder, n *node, path string) bool {
	ok := true
	b.WriteByte('{')
	for i, e := range n.entries {
		if i > 0 {
			b.WriteByte(',')
		}
		appendJSONString(b, e.key.text)
		b.WriteByte(':')
		ok = d.json(b, e.value, join(path, e.key.text)) && ok
	}
	b.WriteByte('}')
	return ok
}

func (d *decoder) jsonArray(b *strings.Builder, n *node, path string) bool {
	ok := true
	b.WriteByte('[')
	for i, item := range n.items {
		if i > 0 {
			b.WriteByte(',')
		}
		ok = d.json(b, item, fmt.Sprintf("%s[%d]", path, i)) && ok
	}
	b.WriteByte(']')
	return ok
}

// jsonPlain writes an unquoted scalar. True and FALSE are refused: YAML readers
// differ on whether they are text, and the service would take the text for
// something else.
func (d *decoder) jsonPlain(b *strings.Builder, n *node, path string) bool {
	lower := strings.ToLower(n.text)
	switch {
	case n.text == "true" || n.text == "false" || isJSONNumber(n.text):
		b.WriteString(n.text)
	case lower == "true" || lower == "false":
		d.wrong(n, fmt.Sprintf("write %s, or put the text in quotes", lower), "%s is %s, which could be text or not", path, n.quoted())
		return false
	default:
		appendJSONString(b, n.text)
	}
	return true
}
