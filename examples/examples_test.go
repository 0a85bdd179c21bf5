// Package examples holds plans to start from. They are loaded here, so that they
// stay valid.
package examples

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apsctl/apsctl/plan"
)

// plans lists what a command can be given: the files here, and folders with a
// plan of several files.
func plans(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.yaml", "*/plan.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: got %d files, %v", pattern, len(files), err)
		}
		all = append(all, files...)
	}
	return all
}

// load loads a plan without the variables that may be set here.
func load(t *testing.T, path string, o plan.Options) *plan.Plan {
	t.Helper()
	o.LookupEnv = func(string) (string, bool) { return "", false }
	p, err := plan.Load([]string{path}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range p.Warnings {
		t.Error(w)
	}
	if len(p.Jobs) == 0 {
		t.Error("it has no jobs")
	}
	return p
}

func TestExamplesLoadWithoutProblems(t *testing.T) {
	for _, path := range plans(t) {
		t.Run(path, func(t *testing.T) { load(t, path, plan.Options{}) })
	}
}

// TestFoldersLoadAsTheirPlan gives the folder in place of the file in it.
func TestFoldersLoadAsTheirPlan(t *testing.T) {
	for _, path := range plans(t) {
		if dir := filepath.Dir(path); dir != "." {
			t.Run(dir, func(t *testing.T) {
				if folder, file := load(t, dir, plan.Options{}), load(t, path, plan.Options{}); folder.Digest != file.Digest {
					t.Error("the folder and its plan have different digests")
				}
			})
		}
	}
}

func TestEnvironmentsHaveTheirOwnNamesAndJobs(t *testing.T) {
	files, err := filepath.Glob("environments/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	plain := load(t, "environments.yaml", plan.Options{})
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			p := load(t, "environments.yaml", plan.Options{VarFiles: []string{file}})
			want := "orders-" + strings.TrimSuffix(filepath.Base(file), ".yaml")
			if p.Name != want {
				t.Errorf("got plan %s, want %s", p.Name, want)
			}
			if same := p.Digest == plain.Digest; same != (p.Name == plain.Name) {
				t.Errorf("plan %s has the jobs of the defaults: %v", p.Name, same)
			}
		})
	}
}

func TestMatrixMakesEachCombinationThatItWants(t *testing.T) {
	jobs := load(t, "matrix.yaml", plan.Options{}).Jobs
	has := func(name string) bool {
		return slices.ContainsFunc(jobs, func(j plan.Job) bool { return j.Name == name })
	}
	if len(jobs) != 12 || has("shop-users-03") || !has("shop-orders-99") {
		t.Errorf("got %d jobs, shop-users-03 %v, shop-orders-99 %v", len(jobs), has("shop-users-03"), has("shop-orders-99"))
	}
}

func TestCSVLeavesOutRowsAndEmptyUsers(t *testing.T) {
	users := map[string]string{}
	for _, j := range load(t, "csv.yaml", plan.Options{}).Jobs {
		users[j.Name] = j.Source.User
	}
	want := map[string]string{"orders-cn-00": "", "orders-cn-01": "", "orders-cn-02": "aps_reader", "refunds": "aps_reader"}
	if len(users) != len(want) {
		t.Errorf("got %v", users)
	}
	for name, user := range want {
		if got, ok := users[name]; !ok || got != user {
			t.Errorf("%s: got %q, %v, want %q", name, got, ok, user)
		}
	}
}

// TestExamplesSayWhatTheyAreFor holds each file to a first line for editors and a
// comment on top, and a plan to the command to run.
func TestExamplesSayWhatTheyAreFor(t *testing.T) {
	modeline := "# yaml-language-server: $schema=" + plan.SchemaID + "\n"
	included, err := filepath.Glob("*/jobs/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(plans(t), included...) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rest, ok := bytes.CutPrefix(data, []byte(modeline))
		if !ok || !bytes.HasPrefix(rest, []byte("# ")) {
			t.Errorf("%s does not start with the modeline and a comment", path)
		}
		if !slices.Contains(included, path) && !bytes.Contains(rest, []byte("apply --emulator --yes examples/"+path+"\n")) {
			t.Errorf("%s does not say how to run it", path)
		}
	}
}
