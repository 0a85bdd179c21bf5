// Package examples holds plans to start from. They are loaded here, so that they
// stay valid.
package examples

import (
	"path/filepath"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

func TestExamplesLoadWithoutProblemsOrWarnings(t *testing.T) {
	files, err := filepath.Glob("*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			p, err := plan.Load([]string{file}, plan.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Warnings) > 0 {
				t.Error(p.Warnings)
			}
			if len(p.Jobs) == 0 {
				t.Error("it has no jobs")
			}
		})
	}
}
