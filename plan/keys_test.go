package plan

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// docSection is one section of docs/plan.md.
type docSection struct {
	title    string
	keys     []string          // first cells of the table
	required map[string]string // by key
	text     string
}

func readDocs(t *testing.T) (page string, sections []docSection) {
	t.Helper()
	data, err := os.ReadFile("../docs/plan.md")
	if err != nil {
		t.Fatal(err)
	}
	page = string(data)
	row := regexp.MustCompile("^\\| `([a-z_]+)` \\| [^|]+ \\| ([a-z]+) \\|")
	for _, part := range strings.Split(page, "\n## ")[1:] {
		title, text, _ := strings.Cut(part, "\n")
		s := docSection{title: title, text: text, required: map[string]string{}}
		for line := range strings.Lines(text) {
			if m := row.FindStringSubmatch(line); m != nil {
				s.keys = append(s.keys, m[1])
				s.required[m[1]] = m[2]
			}
		}
		sections = append(sections, s)
	}
	return page, sections
}

func TestEveryKeyIsDocumented(t *testing.T) {
	_, sections := readDocs(t)
	documented := 0
	for _, table := range keyTables() {
		title := table.path
		if title == "" {
			title = "Top level"
		}
		i := slices.IndexFunc(sections, func(s docSection) bool { return s.title == title })
		if i < 0 {
			t.Errorf("docs/plan.md has no section %q", title)
			continue
		}
		documented++
		if got := sections[i].keys; !slices.Equal(got, table.names) {
			t.Errorf("section %q describes\n%v, the loader knows\n%v", title, got, table.names)
		}
	}
	for _, s := range sections {
		if len(s.keys) > 0 {
			documented--
		}
	}
	if documented != 0 {
		t.Error("docs/plan.md describes keys in a section that the loader does not have")
	}
}

func TestRequiredKeysAreDocumented(t *testing.T) {
	_, sections := readDocs(t)
	for title, required := range map[string]map[string]bool{
		"Top level":   requiredKeys(&planSection),
		"jobs[]":      requiredKeys(&jobSection),
		"source":      requiredKeys(&sourceSection),
		"destination": requiredKeys(&destinationSection),
		"run":         requiredKeys(&runSection),
		"limits":      requiredKeys(&limitsSection),
	} {
		i := slices.IndexFunc(sections, func(s docSection) bool { return s.title == title })
		for key, is := range required {
			if want := map[bool]string{true: "yes", false: "no"}[is]; i < 0 || sections[i].required[key] != want {
				t.Errorf("docs/plan.md, %s: %s is not said to be required: %s", title, key, want)
			}
		}
	}
}

func requiredKeys[T any](s *section[T]) map[string]bool {
	required := map[string]bool{}
	for _, f := range s.fields {
		required[f.name] = f.required
	}
	return required
}

// TestDocsNameNoUnknownKey looks at what the page says in code style.
func TestDocsNameNoUnknownKey(t *testing.T) {
	page, sections := readDocs(t)
	known := map[string]bool{}
	for _, table := range keyTables() {
		for _, name := range table.names {
			known[name] = true
			known[table.path+"."+name] = true
		}
	}
	underscored := regexp.MustCompile("`([a-z]+(?:[_.][a-z]+)+)`")
	for _, m := range underscored.FindAllStringSubmatch(page, -1) {
		if !known[m[1]] {
			t.Errorf("docs/plan.md names `%s`, which is no key", m[1])
		}
	}
	if len(sections) < 10 {
		t.Errorf("the page has %d sections", len(sections))
	}
}

// TestPlansInDocsLoad loads every YAML block of the page.
func TestPlansInDocsLoad(t *testing.T) {
	page, _ := readDocs(t)
	blocks := strings.Split(page, "```yaml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("there are none")
	}
	for _, block := range blocks {
		text, _, _ := strings.Cut(block, "```")
		if p := mustParse(t, text); len(p.Warnings) > 0 {
			t.Errorf("%v\nin\n%s", p.Warnings, text)
		}
	}
}
