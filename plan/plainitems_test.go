package plan

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// describeNodes tells all of nodes that a loader can see. Columns are compared as
// users are told them.
func describeNodes(b *strings.Builder, f *findings, n *node) {
	at := f.text.spanOf(n)
	fmt.Fprintf(b, "%s %v w%d secret=%t refs=%t", n.kind, at, n.weight, n.secret, n.refs)
	if n.isScalar() {
		fmt.Fprintf(b, " %q head=%q below=%d closed=%t", n.text, n.head, n.below, n.closed)
	}
	b.WriteString("\n")
	for _, e := range n.entries {
		describeNodes(b, f, e.key)
		describeNodes(b, f, e.value)
	}
	for _, item := range n.items {
		describeNodes(b, f, item)
	}
}

// bothWays reads a list of jobs without the library and with it. plain is "" where
// the first of the two gives way.
func bothWays(text string) (plain, library string) {
	whole := newFindings(newSourceText("plan.yaml", text))
	describe := func(items []*node) string {
		var b strings.Builder
		for _, item := range items {
			describeNodes(&b, whole, item)
		}
		return b.String()
	}
	f := newFindings(newSourceText("plan.yaml", text))
	body := parseYAML(f, text, 1)
	if body != nil {
		b := newBuilder(f)
		b.in, b.hides, b.aside = whole, nil, true
		list := b.build(body, false)
		library = describe(list.items)
		if list.kind != nodeList || len(b.reports) > 0 || f.any() {
			library = "not a list that stands alone"
		}
	}
	for items := range 1 + strings.Count(text, "- ") {
		b := builder{in: whole}
		if nodes := b.plainItems(newLineTable(text), items+1); nodes != nil {
			return describe(nodes), library
		}
	}
	return "", library
}

// standsAlonePlainly is what the pieces promise of their lines.
func standsAlonePlainly(text string) bool {
	for line := range strings.SplitSeq(text, "\n") {
		if !standsAlone(line) || strings.HasPrefix(line, "%") || strings.HasPrefix(line, "---") || strings.HasPrefix(line, "...") {
			return false
		}
	}
	return true
}

func TestPlainItems(t *testing.T) {
	for text, plain := range map[string]bool{
		"- name: a\n  source: {instance: pc-1}\n":                                                                               true,
		"- {name: a, source: {instance: pc-1, user: u}}\n- name: b\n":                                                           true,
		"  - name: a\n    source:\n      instance: pc-${item}\n      password: {env: NAME}\n\n    # note\n    state: running\n": true,
		"- name: 'a'\n  db_list: {\"x\":{\"all\":true,\"y\":[1, 2, {}]}}\n":                                                     true,
		"- name: \"a b\"\n  labels: {n: 007, t: 1.10, e: 1e3, z: null, q: \"null\"}\n":                                          true,
		"- name: null\n  a: true\n  b: 12:30\n  c: 2026-01-02\n":                                                                true,
		"- source: {password: x, port: 1}\n  password hunter2: y\n":                                                             false,
		"- password: x\n  passwort: {a: b}\n  source: {password: {a: [b, c]}}\n":                                                true,
		"- a: b\n  a: c\n":                    false,
		"- a: b\n   c: d\n":                   false,
		"- a: b\n    c\n":                     false,
		"- a:\n  b: c\n":                      false,
		"- a: # none\n    b: c\n":             false,
		"- a: b # note\n":                     false,
		"- a: b: c\n":                         false,
		"- a: \"x\\n\"\n":                     false,
		"- a: 'it''s'\n":                      false,
		"- a: |\n    b\n":                     false,
		"- a: {b}\n":                          false,
		"- a: {b: c,}\n":                      false,
		"- a: [b,\n    c]\n":                  false,
		"- a: {b: c} d\n":                     false,
		"- null: a\n":                         false,
		"- a: ~\n":                            false,
		"- a: 名\n":                            false,
		"- - a: b\n":                          false,
		"- a\n":                               false,
		"- a:b\n":                             false,
		"- a: {b:c}\n":                        false,
		"- {\"a\":\"b\",\"c\" : [\"d\",5]}\n": false,
	} {
		got, library := bothWays(text)
		if plain != (got != "") {
			t.Errorf("%q: read as plain: %t, want %t", text, got != "", plain)
		}
		if got != "" && got != library {
			t.Errorf("%q: plain:\n%s\nwith the library:\n%s", text, got, library)
		}
	}
}

// TestPlainItemsOfLargePlans: the usual forms do not give way.
func TestPlainItemsOfLargePlans(t *testing.T) {
	text := manyJobs(50)
	text = text[strings.Index(text, "  - name:"):]
	if plain, library := bothWays(text); plain == "" || plain != library {
		t.Errorf("plain:\n%.300s\nwith the library:\n%.300s", plain, library)
	}
}

func FuzzPlainItems(f *testing.F) {
	f.Add("- name: a\n  source: {instance: pc-1, password: {env: X}}\n  db_list: {\"a\":{\"all\":true}, b: [1, 'x']}\n\n# c\n- {name: b}\n")
	f.Add("- password: x\n  labels:\n    a: b c\n    d: ${item}\n")
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			if _, list, ok := strings.Cut(string(data), "\njobs:\n"); ok && len(data) < 16<<10 {
				f.Add(list)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 8<<10 || !standsAlonePlainly(text) {
			return
		}
		if _, refused := decodeText("plan.yaml", text); refused != nil {
			return
		}
		if plain, library := bothWays(text); plain != "" && plain != library {
			t.Errorf("plain:\n%s\nwith the library:\n%s", plain, library)
		}
	})
}
