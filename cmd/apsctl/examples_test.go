package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExamplesRunAsTheyAre validates, plans, applies and applies again what init
// writes, the plan of the README and every example, on an emulated service. All of
// them are in one folder and share its ledger, as where somebody tries one after
// the other: no job of one is in the way of another's.
func TestExamplesRunAsTheyAre(t *testing.T) {
	files, err := filepath.Glob("../../examples/*.yaml")
	if err != nil || len(files) < 9 {
		t.Fatalf("got %d examples, %v", len(files), err)
	}
	b := newBench(t)
	b.examples()
	b.want(exitDone, "init")
	b.write("migration.yaml", readmePlan(t))
	for _, path := range append(files, "../../examples/multi-file/plan.yaml", "apsctl.yaml", "migration.yaml") {
		path = strings.TrimPrefix(path, "../../")
		t.Run(path, func(t *testing.T) {
			b := b.of(t)
			b.want(exitDone, "validate", "--secrets", path)
			b.want(exitChanges, "plan", "--emulator", "--detailed-exitcode", path)
			first := b.applied(b.want(exitDone, "apply", "--emulator", "--yes", "-o", "json", path))
			if c := first.Counts; c.Created == 0 || c.Created != c.Planned {
				t.Errorf("the first apply ends with %+v", c)
			}
			b.want(exitDone, "plan", "--emulator", "--detailed-exitcode", path)
			if again := b.applied(b.want(exitDone, "apply", "--emulator", "--yes", "-o", "json", path)); again.Requests != 0 {
				t.Errorf("the second apply sends %d requests", again.Requests)
			}
		})
	}
}

// of returns the same folder and environment for a subtest, which ends by itself
// when it fails.
func (b *bench) of(t *testing.T) *bench {
	part := *b
	part.T = t
	return &part
}

// examples copies the examples to the bench, and sets what their passwords need.
func (b *bench) examples() {
	b.Helper()
	if err := os.CopyFS(filepath.Join(b.dir, "examples"), os.DirFS("../../examples")); err != nil {
		b.Fatal(err)
	}
	for _, name := range []string{"ORDERS_PASSWORD", "WAREHOUSE_PASSWORD", "READER_PASSWORD", "AUDITOR_PASSWORD", "LOADER_PASSWORD",
		"POLARDB_PASSWORD", "ADB_PASSWORD"} {
		b.setenv(name, "rehearsal-"+name)
	}
	b.write("examples/secrets/loader-password", "rehearsal-loader\n")
	secrets, err := os.ReadFile("../../examples/secrets/kms.yaml")
	if err != nil {
		b.Fatal(err)
	}
	b.write(".apsctl/emulator/secrets.yaml", string(secrets))
}
