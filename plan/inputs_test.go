package plan

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const inputsPlan = `version: 1
name: bulk
region: cn-hangzhou
vars: {dest: amv-1}
include: parts/*.yaml
generate:
  - csv: rows.csv
    job:
      name: row-${row.n}
      source: {instance: "pc-${row.n}"}
      destination: {instance: "${var.dest}"}
      db_list: {EntireInstance: true}
`

// inputsFolder has a plan of several files as its current folder.
func inputsFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	part := "jobs:\n  - {name: part, source: {instance: pc-9}, destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n"
	for name, text := range map[string]string{
		"plans/a.yaml": inputsPlan, "plans/rows.csv": "n\n1\n2\n", "plans/parts/p.yaml": part, "vars.yaml": "dest: amv-2\n",
		"plans/parts/q.txt": "jobs: []\n",
	} {
		writeInput(t, name, text)
	}
	if err := os.Symlink("parts/q.txt", "plans/link"); err != nil {
		t.Fatal(err)
	}
}

func writeInput(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestInputs_same edits one thing that a plan is read from at a time: it is the same
// only if what is read is.
func TestInputs_same(t *testing.T) {
	replace := func(name, old, new string) func(*testing.T, *Options) {
		return func(t *testing.T, _ *Options) {
			text, err := os.ReadFile(name)
			if err != nil || !strings.Contains(string(text), old) {
				t.Fatalf("%q is not in %s: %v", old, text, err)
			}
			writeInput(t, name, strings.Replace(string(text), old, new, 1))
		}
	}
	for name, edit := range map[string]struct {
		same bool
		do   func(*testing.T, *Options)
	}{
		"nothing":               {true, func(*testing.T, *Options) {}},
		"written again":         {true, replace("plans/a.yaml", "amv-1", "amv-1")},
		"a file beside":         {true, func(t *testing.T, _ *Options) { writeInput(t, "plans/parts/r.txt", "") }},
		"another variable":      {true, func(_ *testing.T, o *Options) { o.LookupEnv = environment("APSCTL_VAR_other", "x") }},
		"the plan":              {false, replace("plans/a.yaml", "row-", "rows-")},
		"a comment":             {false, replace("plans/a.yaml", "version", "# hello\nversion")},
		"a row":                 {false, replace("plans/rows.csv", "2", "3")},
		"an included file":      {false, replace("plans/parts/p.yaml", "pc-9", "pc-8")},
		"the file of variables": {false, replace("vars.yaml", "amv-2", "amv-3")},
		"a variable":            {false, func(_ *testing.T, o *Options) { o.Vars = map[string]string{"dest": "amv-4"} }},
		"no file of variables":  {false, func(_ *testing.T, o *Options) { o.VarFiles = nil }},
		"the environment":       {false, func(_ *testing.T, o *Options) { o.LookupEnv = environment("APSCTL_VAR_dest", "") }},
		"one more plan":         {false, func(t *testing.T, _ *Options) { writeInput(t, "plans/b.yaml", "version: 1\nname: bulk\njobs: []\n") }},
		"one more included":     {false, func(t *testing.T, _ *Options) { writeInput(t, "plans/parts/z.yaml", "jobs: []\n") }},
		"one included less":     {false, func(t *testing.T, _ *Options) { must(t, os.Remove("plans/parts/p.yaml")) }},
		"no rows":               {false, func(t *testing.T, _ *Options) { must(t, os.Remove("plans/rows.csv")) }},
		"a folder in place":     {false, func(t *testing.T, _ *Options) { must(t, os.Remove("vars.yaml")); must(t, os.Mkdir("vars.yaml", 0o700)) }},
		"a link out of the folder": {false, func(t *testing.T, _ *Options) {
			must(t, os.Rename("plans/rows.csv", "rows.csv"))
			must(t, os.Symlink("../rows.csv", "plans/rows.csv"))
		}},
		"a link to the same": {false, func(t *testing.T, _ *Options) {
			must(t, os.Rename("plans/rows.csv", "plans/rows"))
			must(t, os.Symlink("rows", "plans/rows.csv"))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			inputsFolder(t)
			var in Inputs
			o := Options{VarFiles: []string{"vars.yaml"}, LookupEnv: environment(), Inputs: &in}
			if _, err := Load([]string{"plans"}, o); err != nil {
				t.Fatal(err)
			}
			text, err := json.Marshal(&in)
			must(t, err)
			var kept Inputs
			must(t, json.Unmarshal(text, &kept))
			if !kept.Repeatable() || len(kept.Files) != 4 {
				t.Fatalf("got %s", text)
			}
			for _, part := range []string{"amv-", "pc-"} {
				if strings.Contains(string(text), part) {
					t.Errorf("%s is in %s", part, text)
				}
			}
			edit.do(t, &o)
			if same := kept.Same(o); same != edit.same {
				t.Errorf("same is %t of %s", same, text)
			}
		})
	}
}

// TestInputs_standard_input cannot be read a second time.
func TestInputs_standard_input(t *testing.T) {
	inputsFolder(t)
	var in Inputs
	text := strings.Replace(inputsPlan, "include: parts/*.yaml\n", "", 1)
	t.Chdir("plans")
	if _, err := Load([]string{StdinPath}, Options{Stdin: strings.NewReader(text), LookupEnv: environment(), Inputs: &in}); err != nil {
		t.Fatal(err)
	}
	if in.Repeatable() {
		t.Errorf("got %+v", in)
	}
}

// TestInputs_read_twice tells a file that changed between two times that it was read.
func TestInputs_read_twice(t *testing.T) {
	in := Inputs{Roots: []string{"a.yaml"}}
	in.readText(named("a.yaml"), "version: 1")
	in.readText(named("a.yaml"), "version: 1")
	if !in.Repeatable() || len(in.Files) != 1 {
		t.Errorf("got %+v", in)
	}
	if in.readText(named("a.yaml"), "version: 2"); in.Repeatable() {
		t.Errorf("got %+v", in)
	}
}

// environment has the variables in pairs of name and value.
func environment(pairs ...string) func(string) (string, bool) {
	set := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		set[pairs[i]] = pairs[i+1]
	}
	return func(name string) (string, bool) {
		value, ok := set[name]
		return value, ok
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
