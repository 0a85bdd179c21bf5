package main

import (
	"strings"
	"testing"
)

// TestManyWarningsAreSummedUp: the page that somebody asked for is not to be
// looked for below four lines for each of them, and the command that the summary
// names lists all.
func TestManyWarningsAreSummedUp(t *testing.T) {
	b := newBench(t)
	b.write("some shops.yaml", strings.Replace(planOf(3000), "name: bulk", "name: \"${var.name}\"\nvars: {name: {type: text}}", 1)) // 2,000 do what another one does
	r := b.want(0, "plan", "--emulator", "some shops.yaml", "--var", "name=bulk")
	wantIn(t, r.stderr, `2000 warnings about the plan, the first at some shops.yaml:11:11: job "job-0001" synchronises the same as job "job-0000"`,
		"2000 jobs synchronise the same as another one, by source: pc-000 2, pc-001 2, pc-002 2, pc-003 2, pc-004 2, 995 more sources\n")
	if lines := strings.Count(r.stdout+r.stderr, "\n"); lines > 60 {
		t.Errorf("the page takes %d lines: %s", lines, r)
	}
	lines := strings.Split(r.stderr, "\n")
	line, ok := strings.CutSuffix(strings.TrimSpace(lines[2]), " lists all")
	if !ok {
		t.Fatalf("no command is named in %s", r)
	}
	var all validJSON
	b.decode(b.shell(0, line), &all)
	if len(all.Problems) != 2000 || all.Problems[1999].Severity != "warning" {
		t.Errorf("%s lists %d warnings", line, len(all.Problems))
	}

	text := b.want(0, "validate", "some shops.yaml", "--var", "name=bulk")
	if n := strings.Count(text.stderr, " | "); n != 2*warningsMany {
		t.Errorf("validate shows %d lines of the plan", n)
	}
	wantIn(t, text.stderr, "and 1900 more warnings; -o json lists all\n")
	wantIn(t, b.want(0, "apply", "--emulator", "--yes", "--target", "job-0000", "some shops.yaml", "--var", "name=bulk").stderr, "2000 warnings")
}

func TestFewWarningsShowTheirLines(t *testing.T) {
	b := newBench(t)
	b.write("plan.yaml", planOf(3))
	r := b.want(0, "plan", "--emulator", "plan.yaml")
	wantIn(t, r.stderr, `plan.yaml:10:11: job "job-0001" synchronises the same as job "job-0000", at plan.yaml:8:5`, "- name: job-0001\n", "rarely meant", `job "job-0002"`)
	if lines := strings.Count(r.stderr, "\n"); lines > 4*warningsWhole+1 {
		t.Errorf("%d lines: %s", lines, r)
	}
	b.write("plan.yaml", planOf(1))
	if r := b.want(0, "validate", "plan.yaml"); r.stderr != "" {
		t.Errorf("there is nothing to warn of: %s", r)
	}
}
