package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

func TestInitWritesAPlanThatCanBeAppliedAtOnce(t *testing.T) {
	b := newBench(t)
	r := b.want(0, "init")
	if r.stdout != "" {
		t.Errorf("stdout has something: %s", r)
	}
	for _, next := range []string{"apsctl validate\n", "apsctl plan --emulator\n", "apsctl apply --emulator --yes\n"} {
		if !strings.Contains(r.stderr, next) {
			t.Errorf("it does not name %q: %s", next, r)
		}
	}
	path := filepath.Join(b.dir, planDefault)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode&^0o644 != 0 || mode&0o600 != 0o600 { // 0644 less what the umask takes
		t.Errorf("its mode is %v", mode)
	}
	if left, _ := os.ReadDir(b.dir); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
	if r := b.want(0, "validate"); r.stderr != "" {
		t.Errorf("validate says %s", r)
	}
	b.want(exitChanges, "plan", "--emulator", "--detailed-exitcode")
	if a := b.applied(b.want(0, "apply", "--emulator", "--yes", "-o", "json")); a.Counts.Created != 1 {
		t.Errorf("apply did %+v", a.Counts)
	}
	b.want(0, "plan", "--emulator", "--detailed-exitcode")
}

func TestInitReplacesNothing(t *testing.T) {
	b := newBench(t)
	b.write("own.yaml", "mine\n")
	if err := os.Symlink("nowhere", filepath.Join(b.dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	b.write("folder/x", "")
	for _, file := range []string{"own.yaml", "link.yaml", "folder"} {
		r := b.want(exitLimit, "init", file)
		if !strings.Contains(r.stderr, file+" exists") || !strings.Contains(r.stderr, "name another file") {
			t.Errorf("it says %s", r)
		}
	}
	if text, err := os.ReadFile(filepath.Join(b.dir, "own.yaml")); string(text) != "mine\n" {
		t.Errorf("the file is %q now, %v", text, err)
	}
	b.want(exitInvalid, "init", "nowhere/plan.yaml")
	b.want(exitInvalid, "init", "folder/")
	b.want(exitInvalid, "init", "a.yaml", "b.yaml")
	if left, _ := os.ReadDir(b.dir); len(left) != 3 {
		t.Errorf("it left %v", left)
	}
	if r := b.want(0, "init", "folder/plan.yaml"); !strings.Contains(r.stderr, "apsctl validate folder/plan.yaml\n") {
		t.Errorf("it says %s", r)
	}
	b.want(0, "validate", "folder/plan.yaml")
}

// TestCreateDurablyHasOneWinner is for several that write one name at once.
func TestCreateDurablyHasOneWinner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	const writers = 8
	errs := make(chan error, writers)
	for i := range writers {
		go func() { errs <- createDurably(path, bytes.Repeat([]byte{byte('a' + i)}, 1000)) }()
	}
	won := 0
	for range writers {
		if <-errs == nil {
			won++
		}
	}
	text, err := os.ReadFile(path)
	if won != 1 || len(text) != 1000 || len(bytes.Trim(text, string(text[:1]))) != 0 {
		t.Errorf("%d writers won, the file has %d bytes, %v", won, len(text), err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("it left %v", left)
	}
}

func TestFirstPlanNamesTheSchemaAndTeachesWhatIsValid(t *testing.T) {
	text := string(firstPlan)
	if first, _, _ := strings.Cut(text, "\n"); first != "# yaml-language-server: $schema="+plan.SchemaID {
		t.Errorf("its first line is %q", first)
	}
	// With the example of a password, which is a comment, in place.
	whole := text
	for _, line := range []string{"source:\n", "  user: ", "  password: "} {
		whole = strings.Replace(whole, "\n  # "+line, "\n  "+line, 1)
	}
	for _, text := range []string{text, whole} {
		p, err := plan.Parse(planDefault, []byte(text), plan.Options{})
		if err != nil || len(p.Warnings) > 0 {
			t.Fatalf("%v %v in\n%s", err, p, text)
		}
		if has := p.Jobs[0].SourcePassword != nil; has != (text == whole) {
			t.Errorf("a password is there: %v", has)
		}
	}
}

func TestSchemaIsPrinted(t *testing.T) {
	b := newBench(t)
	r := b.want(0, "schema")
	if r.stdout != string(plan.Schema) || r.stderr != "" || !json.Valid([]byte(r.stdout)) {
		t.Errorf("%s", r)
	}
	b.want(exitInvalid, "schema", "plan.yaml")
}
