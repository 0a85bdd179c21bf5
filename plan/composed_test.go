package plan

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadCompositions loads plans of several files that have mistakes: each
// folder has a plan.yaml, what it names, and in its .txt what is to be said.
func TestBadCompositions(t *testing.T) {
	start, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folders, err := filepath.Glob("testdata/composed/*/plan.yaml")
	if err != nil || len(folders) < 9 {
		t.Fatalf("got %d folders, %v", len(folders), err)
	}
	for _, path := range folders {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			t.Chdir(filepath.Dir(path))
			paths := []string{"plan.yaml"}
			if name == "two" {
				paths = append(paths, "b.yaml")
			}
			p, err := Load(paths, Options{LookupEnv: func(string) (string, bool) { return "", false }})
			var problems Problems
			if !errors.As(err, &problems) || p != nil {
				t.Fatalf("got %v, %v", p, err)
			}
			if part := leak(err.Error()); part != "" {
				t.Errorf("the password, or its part %q, is shown:\n%s", part, err)
			}
			t.Chdir(start)
			golden(t, "composed/"+name+".txt", strings.TrimRight(err.Error(), "\n")+"\n")
		})
	}
}
