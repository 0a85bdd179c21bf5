// Package structure holds what no single package can: the direction of imports,
// the tests that cover the fault matrix, and the modules that NOTICE names.
package structure

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/apsctl/apsctl/"

// allowed lists, for each package, the packages of ours that it may import.
// Imports point towards plan; leaves import nothing of ours.
var allowed = map[string][]string{
	"plan":                {"internal/printable", "internal/secret"},
	"store":               {"plan", "internal/needcgo", "internal/crashpoint"},
	"runner":              {"plan", "internal/secret", "internal/crashpoint", "internal/mutant"},
	"internal/aps":        {"plan", "internal/secret", "internal/crashpoint", "internal/mutant"},
	"internal/emulator":   {},
	"internal/printable":  {},
	"internal/human":      {},
	"internal/jsonform":   {"plan"},
	"internal/report":     {"plan", "internal/printable", "internal/human", "internal/jsonform"},
	"internal/secret":     {},
	"internal/cost":       {},
	"internal/logfile":    {},
	"internal/needcgo":    {},
	"internal/model":      {},
	"internal/crashpoint": {},
	"internal/mutant":     {},
	"internal/structure":  {},
	"internal/bench":      {},
	"internal/probe":      {"plan", "internal/aps", "internal/secret"},
	"internal/browser":    {},
	"internal/notice":     {"plan", "store", "runner", "internal/jsonform", "internal/logfile", "internal/printable", "internal/secret"},
	"internal/metrics":    {"plan", "store", "runner", "internal/aps", "internal/notice"},
	"examples":            {},
	"cmd/apsctl": {
		"plan", "store", "runner", "internal/aps", "internal/emulator", "internal/printable", "internal/secret", "internal/probe",
		"internal/human", "internal/jsonform", "internal/report", "internal/crashpoint", "internal/logfile", "internal/notice", "internal/metrics",
	},
}

func TestImportsPointTowardsPlan(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{join .Imports \" \"}}", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		name := strings.TrimPrefix(fields[0], module)
		may, known := allowed[name]
		if !known {
			t.Errorf("package %s is new: say in this test what it may import", name)
		}
		for _, path := range fields[1:] {
			ours, ok := strings.CutPrefix(path, module)
			if ok && !slices.Contains(may, ours) {
				t.Errorf("%s imports %s, which is not its place", name, ours)
			}
		}
	}
}
