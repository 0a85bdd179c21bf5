package plan

import (
	"fmt"
	"slices"
	"strings"
)

// field is one key that may stand in a mapping of kind T. The tables in keys.go
// hold all of them; the decoder, its hints and the test of docs/plan.md read
// those and know no key of their own.
type field[T any] struct {
	name     string
	required bool
	is       shape  // for the JSON Schema
	doc      string // one line for whoever edits a plan
	read     func(d *decoder, n *node, path string, into *T)
}

// section is one kind of mapping in a plan file.
type section[T any] struct {
	fields []field[T]
	// notes explains keys that are unknown here although one might expect them.
	notes map[string]string
	// extensible lets in keys that start with x-, and passes over them: a place for
	// anchors.
	extensible bool
	// secret keeps unknown keys out of messages: they may be what is secret.
	secret bool
}

// names returns the section's keys in the order of the documentation.
func (s *section[T]) names() []string {
	names := make([]string, len(s.fields))
	for i, f := range s.fields {
		names[i] = f.name
	}
	return names
}

// read decodes the mapping n, called path in messages, into into. It reports
// unknown keys and whatever the fields report, and returns false when n is no
// mapping. Keys that are missing are left to the caller.
func (s *section[T]) read(d *decoder, n *node, path string, into *T) bool {
	if !d.wants(n, nodeMapping, path) {
		return false
	}
	for _, e := range n.entries {
		name := e.key.text
		if s.extensible && strings.HasPrefix(name, "x-") {
			continue
		}
		if s.field(name) == nil {
			s.unknown(d, e, path)
			if name = s.meaning(n, e.key); name == "" {
				continue
			}
		}
		s.field(name).read(d, e.value, join(path, name), into)
	}
	return true
}

// meaning returns the name of the key that key, in the mapping n, is read as: its
// own, or the one that it is plainly a slip for. What that holds is then checked
// as well, and not called missing. "" means that it is passed over.
func (s *section[T]) meaning(n, key *node) string {
	if s.field(key.text) != nil {
		return key.text
	}
	near := nearest(key.text, s.names())
	if near == "" || n.child(near) != nil || s.extensible && strings.HasPrefix(key.text, "x-") {
		return ""
	}
	return near
}

// field returns the section's key called name, or nil.
func (s *section[T]) field(name string) *field[T] {
	i := slices.IndexFunc(s.fields, func(f field[T]) bool { return f.name == name })
	if i < 0 {
		return nil
	}
	return &s.fields[i]
}

// missing reports the section's required keys that the mapping n does not have.
func (s *section[T]) missing(d *decoder, n *node, hints map[string]string) {
	for _, f := range s.fields {
		if f.required && !s.meant(n, f.name) {
			n.wrong(hints[f.name], "the plan has no %s", f.name)
		}
	}
}

// meant reports whether the mapping n has the key called name, or a slip for it,
// which was reported as such.
func (s *section[T]) meant(n *node, name string) bool {
	return n.child(name) != nil || slices.ContainsFunc(n.entries, func(e entry) bool {
		return s.field(e.key.text) == nil && nearest(e.key.text, s.names()) == name
	})
}

// unknown reports a key that the section does not have. Its value is hidden unless
// the key is plainly a slip: it could be anything.
func (s *section[T]) unknown(d *decoder, e entry, path string) {
	near := nearest(e.key.text, s.names())
	hint := "known here: " + strings.Join(s.names(), ", ")
	switch {
	case near != "":
		hint = fmt.Sprintf("did you mean %q?", near)
	case s.notes[e.key.text] != "":
		hint = s.notes[e.key.text]
	default:
		if homes := homesOf(e.key.text); homes != "" {
			hint = fmt.Sprintf("%q is a key of %s", e.key.text, homes)
		}
	}
	name := " " + quoteName(e.key.text)
	if near == "" {
		e.value.in.text.hide(e.value.alone())
		if s.secret || e.key.secret {
			name = ""
		}
	}
	e.key.wrong(hint, "unknown key%s in %s", name, nameOf(path))
}

// homesOf names the sections that have a key of that name, or "".
func homesOf(key string) string {
	var homes []string
	for _, table := range keyTables() {
		switch table.path {
		case "", "defaults", includedPath:
			continue
		}
		if slices.Contains(table.names, key) {
			homes = append(homes, table.path)
		}
	}
	if last := len(homes) - 1; last > 1 {
		return strings.Join(homes[:last], ", ") + " and " + homes[last]
	}
	return strings.Join(homes, " and ")
}

// join returns the path of key below path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
