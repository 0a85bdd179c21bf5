package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/goccy/go-yaml/ast"
)

// anchor builds the value behind &name and remembers it. A name may be used
// again; an alias means the latest one before it, as YAML says.
func (b *builder) anchor(n *ast.AnchorNode, secret bool) *node {
	name := n.Name.GetToken().Value
	if secret {
		b.hide(&node{line: b.line(n.Start.Position.Line), column: n.Start.Position.Column, head: "&" + name})
	}
	outer := b.open[name]
	b.open[name] = true
	value := b.build(n.Value, secret)
	b.open[name] = outer
	b.anchors[name] = value
	return value
}

// alias returns the node behind *name itself: sharing it costs nothing, however
// often it is used. What bounds the work of reading it is its weight.
func (b *builder) alias(n *ast.AliasNode, secret bool) *node {
	nameToken := n.Value.GetToken()
	name := nameToken.Value
	here := &node{kind: nodeBad, in: b.in, line: b.line(n.Start.Position.Line), column: n.Start.Position.Column, head: "*" + name, weight: 1}
	if secret {
		b.hide(here)
	}
	fail := func(message, hint string) *node {
		b.wrong(here, message, hint)
		return here
	}
	if b.open[name] {
		if secret {
			return fail("this alias stands inside the anchor that it refers to", "text that starts with * needs quotes")
		}
		return fail(fmt.Sprintf("the alias *%s stands inside the anchor &%s that it refers to", name, name), "")
	}
	value, ok := b.anchors[name]
	if !ok {
		if secret { // a password that starts with * reads as an alias
			return fail("there is no anchor for this alias", "text that starts with * needs quotes")
		}
		hint := "an anchor must stand before its aliases; text that starts with * needs quotes"
		if near := nearest(name, slices.Sorted(maps.Keys(b.anchors))); near != "" {
			hint = fmt.Sprintf("did you mean *%s?", near)
		}
		return fail(fmt.Sprintf("there is no anchor &%s", name), hint)
	}
	b.aliases++
	b.expanded += value.weight
	if b.expanded > expansionFree+expansionPerAlias*b.aliases {
		if b.refused {
			return here
		}
		b.refused = true
		return fail(fmt.Sprintf("aliases up to here stand for more than %d values", expansionFree),
			"write defaults for what jobs have in common")
	}
	if secret {
		b.conceal(value)
	}
	return value
}

// conceal marks a value as secret that an alias under a sensitive key refers to.
func (b *builder) conceal(n *node) {
	if n.secret {
		return
	}
	n.secret = true
	if n.kind == nodePlain || n.kind == nodeText {
		b.hide(n)
	}
	for _, item := range n.items {
		b.conceal(item)
	}
	for _, e := range n.entries {
		e.key.secret = true
		b.hideKey(e.key)
		b.conceal(e.value)
	}
}

// merge adds to m what a "<<" key brings in: the keys that m does not set itself,
// and of several mappings the earlier wins.
func (b *builder) merge(m, from *node, seen map[string]*node) {
	sources := []*node{from}
	if from.kind == nodeList {
		sources = from.items
	}
	for _, source := range sources {
		if source.kind == nodeBad {
			continue
		}
		if source.kind != nodeMapping {
			source.wrong("write <<: *anchor", "<< merges mappings; this is %s", source.kind)
			continue
		}
		for _, e := range source.entries {
			if _, ok := seen[e.key.text]; !ok {
				seen[e.key.text] = e.key
				m.entries = append(m.entries, e)
			}
		}
	}
}
