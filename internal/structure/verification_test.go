package structure

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the table in docs/verification.md")

const (
	root      = "../.."
	page      = root + "/docs/verification.md"
	tableFrom = "<!-- rows: made by go test ./internal/structure -update -->\n"
	tableTo   = "<!-- end of rows -->\n"
)

// row is one line of docs/fault-matrix.md.
type row struct{ id, fault string }

var rowPattern = regexp.MustCompile(`(?m)^\| ([A-Z]{1,2}\d+) \| (.*?) \|`)

func rows(t *testing.T) []row {
	t.Helper()
	text, err := os.ReadFile(root + "/docs/fault-matrix.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []row
	for _, match := range rowPattern.FindAllStringSubmatch(string(text), -1) {
		all = append(all, row{match[1], match[2]})
	}
	return all
}

// tests lists every test of the project as package.Name, for example
// internal/aps.TestVerdict.
func tests(t *testing.T) map[string]bool {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && isTest(f.Name.Name) {
				found[filepath.ToSlash(folder)+"."+f.Name.Name] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func isTest(name string) bool {
	return name != "TestMain" && (strings.HasPrefix(name, "Test") || strings.HasPrefix(name, "Fuzz") || strings.HasPrefix(name, "Benchmark"))
}

// TestFaultMatrixIsCovered: every row has a test that exists, or a reason why
// it has none, and docs/verification.md says so.
func TestFaultMatrixIsCovered(t *testing.T) {
	exist := tests(t)
	var table strings.Builder
	table.WriteString("| row | fault | test, or why there is none |\n| - | - | - |\n")
	covered := 0
	for _, r := range rows(t) {
		names, reason := coverage[r.id], leftOut[r.id]
		switch {
		case len(names) > 0 && reason != "", len(names) == 0 && reason == "":
			t.Errorf("row %s needs either tests or a reason", r.id)
		case reason != "":
			fmt.Fprintf(&table, "| %s | %s | not covered: %s |\n", r.id, r.fault, reason)
			continue
		}
		covered++
		for _, name := range names {
			if !exist[name] {
				t.Errorf("row %s names %s, which does not exist", r.id, name)
			}
		}
		fmt.Fprintf(&table, "| %s | %s | `%s` |\n", r.id, r.fault, strings.Join(names, "`, `"))
	}
	known := rows(t)
	for id := range coverage {
		if !slices.ContainsFunc(known, func(r row) bool { return r.id == id }) {
			t.Errorf("there is no row %s", id)
		}
	}
	fmt.Fprintf(&table, "\n%d of %d rows have a test.\n", covered, len(known))
	checkPage(t, table.String())
}

// checkPage compares the table in docs/verification.md.
func checkPage(t *testing.T, table string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableFrom)
	_, after, ok2 := strings.Cut(rest, tableTo)
	if !ok || !ok2 {
		t.Fatalf("%s lacks the marks of its table", page)
	}
	want := before + tableFrom + table + tableTo + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if string(text) != want {
		t.Errorf("%s is not current: go test ./internal/structure -update", page)
	}
}
