package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	untidyPlan = "version:   1\nname: p # kept\njobs:\n- name:   a   \n\n\n"
	tidyPlan   = "version: 1\nname: p # kept\njobs:\n  - name: a\n"
)

// content checks what a file of the bench's folder holds.
func (b *bench) content(name, want string) {
	b.Helper()
	got, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil || string(got) != want {
		b.Errorf("%s: got %q, %v; want %q", name, got, err, want)
	}
}

func (b *bench) stat(name string) fs.FileInfo {
	b.Helper()
	info, err := os.Lstat(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return info
}

func TestFmtRewritesWhatIsUntidyOnly(t *testing.T) {
	b := newBench(t)
	b.write("apsctl.yaml", untidyPlan)
	b.write("tidy.yaml", tidyPlan)
	if err := os.Chmod(filepath.Join(b.dir, "apsctl.yaml"), 0o640); err != nil {
		t.Fatal(err)
	}
	before := b.stat("tidy.yaml")
	if r := b.want(exitDone, "fmt"); r.stdout != "apsctl.yaml\n" || r.stderr != "" {
		t.Errorf("got %s", r)
	}
	b.content("apsctl.yaml", tidyPlan)
	if mode := b.stat("apsctl.yaml").Mode(); mode != 0o640 {
		t.Errorf("the file has the mode %v now", mode)
	}
	if r := b.want(exitDone, "fmt", "apsctl.yaml", "tidy.yaml"); r.stdout != "" {
		t.Errorf("got %s", r)
	}
	if !os.SameFile(before, b.stat("tidy.yaml")) {
		t.Error("a tidy file was written")
	}
	if files, _ := os.ReadDir(b.dir); len(files) != 2 {
		t.Errorf("files are left: %v", files)
	}
}

func TestFmtCheckWritesNothing(t *testing.T) {
	b := newBench(t)
	b.write("untidy.yaml", untidyPlan)
	b.write("tidy.yaml", tidyPlan)
	if r := b.want(exitFailure, "fmt", "--check", "tidy.yaml", "untidy.yaml"); r.stdout != "untidy.yaml\n" || r.stderr != "" {
		t.Errorf("got %s", r)
	}
	b.content("untidy.yaml", untidyPlan)
	if r := b.want(exitDone, "fmt", "--check", "tidy.yaml"); r.stdout != "" {
		t.Errorf("got %s", r)
	}
}

func TestFmtOfStandardInput(t *testing.T) {
	for _, c := range []struct {
		text, want string
		code       int
		args       []string
	}{
		{untidyPlan, tidyPlan, exitDone, []string{"fmt", "-"}},
		{tidyPlan, tidyPlan, exitDone, []string{"fmt", "-"}},
		{untidyPlan, "<stdin>\n", exitFailure, []string{"fmt", "--check", "-"}},
		{tidyPlan, "", exitDone, []string{"fmt", "--check", "-"}},
		{"a: [", "", exitInvalid, []string{"fmt", "-"}},
	} {
		var stdout, stderr strings.Builder
		code := run(c.args, strings.NewReader(c.text), &stdout, &stderr)
		if code != c.code || stdout.String() != c.want {
			t.Errorf("%v of %q: got %s", c.args, c.text, result{code, stdout.String(), stderr.String()})
		}
	}
}

// TestFmtTakesFoldersAndPatterns: it formats the files that validate would read
// for the same arguments, each once.
func TestFmtTakesFoldersAndPatterns(t *testing.T) {
	files := []string{"plans/a.yaml", "plans/b.yml", "plans/.hidden.yaml", "plans/readme.md", "plans/below/c.yaml", "other.yaml"}
	for _, c := range []struct{ args, want string }{
		{"plans", "plans/a.yaml plans/b.yml"},
		{"plans/ plans/a.yaml", "plans/a.yaml plans/b.yml"},
		{"plans/*.yaml other.yaml", "plans/a.yaml other.yaml"},
		{".", "other.yaml"},
	} {
		t.Run(c.args, func(t *testing.T) {
			b := newBench(t)
			for _, file := range files {
				b.write(file, untidyPlan)
			}
			args := strings.Fields(c.args)
			want := strings.ReplaceAll(c.want, " ", "\n") + "\n"
			if r := b.want(exitFailure, append([]string{"fmt", "--check"}, args...)...); r.stdout != want {
				t.Errorf("--check: got %s", r)
			}
			if r := b.want(exitDone, append([]string{"fmt"}, args...)...); r.stdout != want {
				t.Errorf("got %s", r)
			}
			for _, file := range files {
				text := untidyPlan
				if slices.Contains(strings.Fields(c.want), file) {
					text = tidyPlan
				}
				b.content(file, text)
			}
		})
	}
}

func TestFmtSaysWhatValidateSaysAndGoesOn(t *testing.T) {
	b := newBench(t)
	broken := "version: 1\njobs: [\n"
	b.write("broken.yaml", broken)
	b.write("odd.yaml", "? jobs:\n- a: 1\n")
	b.write("untidy.yaml", untidyPlan)
	if err := os.Mkdir(filepath.Join(b.dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"broken.yaml", "missing.yaml", "empty", "missing-*.yaml", "[.yaml"} {
		want := b.want(exitInvalid, "validate", file)
		if r := b.want(exitInvalid, "fmt", file); r.stderr != want.stderr || r.stdout != "" {
			t.Errorf("got %s\nwant %s", r, want)
		}
	}
	if r := b.want(exitInvalid, "fmt", "empty", "."); r.stdout != "untidy.yaml\n" || !strings.Contains(r.stderr, "the folder has no plan in it") ||
		!strings.Contains(r.stderr, "broken.yaml:2:") || !strings.Contains(r.stderr, "odd.yaml cannot be formatted") {
		t.Errorf("got %s", r)
	}
	b.want(exitFailure, "fmt", "odd.yaml")
	b.content("broken.yaml", broken)
	b.content("odd.yaml", "? jobs:\n- a: 1\n")
	b.content("untidy.yaml", tidyPlan)
}

func TestFmtFollowsASymbolicLink(t *testing.T) {
	b := newBench(t)
	b.write("folder/plan.yaml", untidyPlan)
	if err := os.Symlink("folder/plan.yaml", filepath.Join(b.dir, "link.yaml")); err != nil {
		t.Fatal(err)
	}
	if r := b.want(exitDone, "fmt", "link.yaml"); r.stdout != "link.yaml\n" {
		t.Errorf("got %s", r)
	}
	if b.stat("link.yaml").Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is a file now")
	}
	b.content("folder/plan.yaml", tidyPlan)
}

func TestFmtOfWhatMayNotBeWritten(t *testing.T) {
	b := newBench(t)
	b.write("read-only.yaml", untidyPlan)
	if err := os.Chmod(filepath.Join(b.dir, "read-only.yaml"), 0o444); err != nil {
		t.Fatal(err)
	}
	if r := b.want(exitFailure, "fmt", "read-only.yaml"); !strings.Contains(r.stderr, "read-only.yaml cannot be written and was left as it was: it is read-only") {
		t.Errorf("got %s", r)
	}
	b.content("read-only.yaml", untidyPlan)
	b.want(exitFailure, "fmt", "--check", "read-only.yaml")
}

func TestReplaceFileLeavesAFileThatChanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte("saved since"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := replaceFile(path, []byte(untidyPlan), []byte(tidyPlan)); err == nil || !strings.Contains(err.Error(), "it changed") {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(path); string(got) != "saved since" {
		t.Errorf("it holds %q", got)
	}
}
