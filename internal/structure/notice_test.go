package structure

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"testing"
)

// TestNoticeNamesEveryModule holds NOTICE to the modules of go.mod: what is
// linked has to be named with its licence, and what is gone named no more.
func TestNoticeNamesEveryModule(t *testing.T) {
	required := namesIn(t, "go.mod", `(?m)^\t(\S+) v`)
	named := namesIn(t, "NOTICE", `(?m)^    (\S+[./]\S+)$`)
	for _, name := range slices.Sorted(maps.Keys(required)) {
		if !named[name] {
			t.Errorf("NOTICE does not name %s", name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		if !required[name] {
			t.Errorf("NOTICE names %s, which go.mod does not require", name)
		}
	}
}

// namesIn returns what the group of pattern matches in a file of the project.
func namesIn(t *testing.T, file, pattern string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(root + "/" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for _, match := range regexp.MustCompile(pattern).FindAllSubmatch(text, -1) {
		found[string(match[1])] = true
	}
	if len(found) == 0 {
		t.Fatalf("%s matches nothing in %s", pattern, file)
	}
	return found
}
