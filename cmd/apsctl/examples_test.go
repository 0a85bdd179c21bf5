package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesRunAsTheyAre validates, plans, applies and applies again every
// example, each in a folder of its own, on an emulated service.
func TestExamplesRunAsTheyAre(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatalf("got %d examples, %v", len(files), err)
	}
	for _, path := range append(files, "../../examples/multi-file/plan.yaml") {
		path = strings.TrimPrefix(path, "../../")
		t.Run(path, func(t *testing.T) {
			b := newBench(t)
			if err := os.CopyFS(filepath.Join(b.dir, "examples"), os.DirFS("../../examples")); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{"ORDERS_PASSWORD", "WAREHOUSE_PASSWORD", "READER_PASSWORD", "AUDITOR_PASSWORD", "LOADER_PASSWORD"} {
				b.setenv(name, "rehearsal-"+name)
			}
			b.write("examples/secrets/loader-password", "rehearsal-loader\n")
			secrets, err := os.ReadFile("../../examples/secrets/kms.yaml")
			if err != nil {
				t.Fatal(err)
			}
			b.write(".apsctl/emulator/secrets.yaml", string(secrets))
			b.want(0, "validate", "--secrets", path)
			b.want(exitChanges, "plan", "--emulator", "--detailed-exitcode", path)
			first := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", path))
			if c := first.Counts; c.Created == 0 || c.Created != c.Planned {
				t.Errorf("the first apply ends with %+v", c)
			}
			b.want(0, "plan", "--emulator", "--detailed-exitcode", path)
			if again := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json", path)); again.Requests != 0 {
				t.Errorf("the second apply sends %d requests", again.Requests)
			}
		})
	}
}
