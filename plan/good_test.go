package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// dump writes all that p says as JSON, for comparison.
func dump(t *testing.T, p *Plan) string {
	t.Helper()
	type job struct {
		At                                  string
		Spec                                Spec
		SourcePassword, DestinationPassword any               `json:",omitempty"`
		Labels                              map[string]string `json:",omitempty"`
		Life                                *Life             `json:",omitempty"`
	}
	shown := struct {
		Name     string
		Jobs     []job
		Run      map[string]any `json:",omitempty"`
		Limits   Limits
		Moved    map[string]string `json:",omitempty"`
		Warnings []string          `json:",omitempty"`
	}{Name: p.Name, Moved: p.Moved, Run: map[string]any{}, Limits: p.Limits}
	for _, j := range p.Jobs {
		one := job{At: fmt.Sprintf("%d:%d", j.Pos.Line, j.Pos.Column), Spec: j.Spec, Labels: j.Labels}
		if j.Life != (Life{}) {
			one.Life = &j.Life
		}
		if j.SourcePassword != nil {
			one.SourcePassword = j.SourcePassword
		}
		if j.DestinationPassword != nil {
			one.DestinationPassword = j.DestinationPassword
		}
		if j.Digest != HashSpec(j.Spec) {
			t.Errorf("job %s has digest %s", j.Name, j.Digest)
		}
		shown.Jobs = append(shown.Jobs, one)
	}
	put(shown.Run, "parallel", p.Run.Parallel)
	put(shown.Run, "rate", p.Run.Rate)
	put(shown.Run, "max_attempts", p.Run.MaxAttempts)
	put(shown.Run, "on_unknown", p.Run.OnUnknown)
	if p.Run.Settle != nil {
		shown.Run["settle"] = p.Run.Settle.String()
	}
	if p.Run.MaxElapsed != nil {
		shown.Run["max_elapsed"] = p.Run.MaxElapsed.String()
	}
	for _, w := range p.Warnings {
		shown.Warnings = append(shown.Warnings, fmt.Sprintf("%d:%d %s", w.Pos.Line, w.Pos.Column, w.Message))
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(shown); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func put[T any](into map[string]any, key string, value *T) {
	if value != nil {
		into[key] = *value
	}
}

// mustParse returns the plan in text.
func mustParse(t testing.TB, text string) *Plan {
	t.Helper()
	return mustParseAs(t, "plan.yaml", text)
}

// mustParseAs returns the plan in text, which stands for a file.
func mustParseAs(t testing.TB, file, text string) *Plan {
	t.Helper()
	p, err := Parse(file, []byte(text), Options{})
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return p
}

func goodPlans(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/good/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	return files
}

func TestGoodPlans(t *testing.T) {
	for _, path := range goodPlans(t) {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			p, err := Load([]string{path}, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if p.File != path || p.Digest != hashPlan(p.Jobs) {
				t.Errorf("file %s, digest %s", p.File, p.Digest)
			}
			golden(t, "good/"+name+".json", dump(t, p))
		})
	}
}

// TestLayoutDoesNotMatter reads each good plan again in other encodings of the
// same text, and expects the same plan down to the positions.
func TestLayoutDoesNotMatter(t *testing.T) {
	forms := map[string]func(string) string{
		"with a byte order mark":      func(s string) string { return "\ufeff" + s },
		"with CRLF":                   func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"with CR":                     func(s string) string { return strings.ReplaceAll(s, "\n", "\r") },
		"without the last line break": func(s string) string { return strings.TrimSuffix(s, "\n") },
		"with comments at the end":    func(s string) string { return s + "\n# the end\n\n" },
	}
	for _, path := range goodPlans(t) {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := dump(t, mustParseAs(t, path, string(data)))
		for name, form := range forms {
			t.Run(filepath.Base(path)+" "+name, func(t *testing.T) {
				if diff := cmp.Diff(want, dump(t, mustParseAs(t, path, form(string(data))))); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestSecretPathsStartAtThePlan(t *testing.T) {
	p, err := Parse("some/folder/plan.yaml", []byte(`{version: 1, name: p, region: cn-a, jobs: [
  {name: a, source: {instance: b, password: {file: x}}, destination: {instance: c}, db_list: {a: 1}}]}`), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if dir := p.Jobs[0].SourcePassword.Dir; dir != filepath.Join("some", "folder") {
		t.Errorf("the path starts at %q", dir)
	}
}
