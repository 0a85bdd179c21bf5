package plan

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
)

// FuzzParse reads arbitrary files. Whatever they hold, Parse ends soon, returns
// either a plan or problems, and the problems are sorted, printable and within
// the file.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	limitPlans(f) // a few bytes may ask for very many jobs
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 64<<10 {
			return
		}
		var p *Plan
		var err error
		bounded(t, func() { p, err = Parse("plan.yaml", data, Options{}) })
		if len(data) < 8<<10 {
			wantSameInPieces(t, "plan.yaml", data)
		}
		if err == nil {
			checkPlan(t, p)
			checkProblems(t, p.Warnings, data)
			if len(data) < 8<<10 && len(p.Jobs) < 200 {
				wantSameExpanded(t, data)
			}
			return
		}
		var problems Problems
		if !errors.As(err, &problems) || len(problems) == 0 || p != nil {
			t.Fatalf("got %v and %#v", p, err)
		}
		checkProblems(t, problems, data)
	})
}

// wantSameExpanded writes a plan out after all merging, with where its values came
// from, and reads it again.
func wantSameExpanded(t *testing.T, data []byte) {
	t.Helper()
	p, err := Parse("plan.yaml", data, Options{Trace: "*"})
	if err != nil {
		t.Fatalf("it loads, but not while values are traced: %v", err)
	}
	text, again := expanded(t, p, "plan.yaml")
	if diff := gocmp.Diff(jobsWithout(p), jobsWithout(again)); diff != "" || p.Digest != again.Digest {
		t.Errorf("written out it says something else: %s\n%s", diff, text)
	}
}

// limitPlans lowers what one plan may hold for the time of a test.
func limitPlans(f *testing.F) {
	jobs, objects := jobsMax, objectsSumMax
	jobsMax, objectsSumMax = 5_000, 8<<20
	f.Cleanup(func() { jobsMax, objectsSumMax = jobs, objects })
}

// checkPlan checks what holds for every plan that was accepted.
func checkPlan(t *testing.T, p *Plan) {
	t.Helper()
	if p.Name == "" || p.Digest == "" {
		t.Errorf("plan has name %q, digest %q", p.Name, p.Digest)
	}
	names := map[string]bool{}
	for _, j := range p.Jobs {
		if names[j.Name] || badName(j.Name) != "" {
			t.Errorf("bad name %q", j.Name)
		}
		names[j.Name] = true
		if j.Region == "" || j.Source.Instance == "" || j.Destination.Instance == "" || j.Pos.Line == 0 {
			t.Errorf("incomplete job %+v", j.Spec)
		}
		for _, text := range []string{j.Region, j.Source.Instance, j.Source.Region, j.Source.User, j.Destination.Instance, j.Destination.User, j.TargetTableMode} {
			if printable.Line(text) != text {
				t.Errorf("job %q has %q", j.Name, text)
			}
		}
		if again, err := CanonicalJSON(j.DBList); err != nil || again != j.DBList || !strings.HasPrefix(again, `{"`) {
			t.Errorf("db_list %s is not canonical: %v", j.DBList, err)
		}
		for _, ref := range []*secret.Ref{j.SourcePassword, j.DestinationPassword} {
			if ref != nil && !oneSet(ref) {
				t.Errorf("job %q has the reference %#v", j.Name, ref)
			}
		}
	}
}

func oneSet(ref *secret.Ref) bool {
	set := 0
	for _, is := range []bool{ref.Env != "", ref.File != "", len(ref.Command) > 0, ref.KMS != nil && ref.KMS.Secret != ""} {
		if is {
			set++
		}
	}
	return set == 1
}

func checkProblems(t *testing.T, problems Problems, data []byte) {
	t.Helper()
	problems = slices.DeleteFunc(slices.Clone(problems), func(p Problem) bool { return p.Pos.File != "plan.yaml" }) // it may name others
	lines := strings.Count(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n") + strings.Count(string(data), "\r") + 1
	sorted := slices.IsSortedFunc(problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(x.Pos.Line, y.Pos.Line), cmp.Compare(x.Pos.Column, y.Pos.Column))
	})
	if !sorted || len(problems) > ProblemsMax {
		t.Errorf("%d problems, sorted: %v\n%s", len(problems), sorted, problems)
	}
	for _, p := range problems {
		if p.Pos.Line < 0 || p.Pos.Line > lines || p.Pos.Line > 0 && p.Pos.Column < 1 {
			t.Errorf("position %v in a file of %d lines", p.Pos, lines)
		}
		for _, text := range []string{p.Message, p.Hint, p.Source} {
			if printable.Line(text) != text {
				t.Errorf("unprintable text %q", text)
			}
		}
		if p.Message == "" || p.Mark < 0 || p.Width < 0 || p.Source != "" && p.Mark+p.Width > printable.Width(p.Source)+1 {
			t.Errorf("problem %+v", p)
		}
	}
}

// FuzzCanonicalJSON: what is accepted is stable and equal to what it came from.
func FuzzCanonicalJSON(f *testing.F) {
	for _, text := range []string{
		``, `{}`, `null`, `{"EntireInstance":true}`, `{"b":1,"a":[1.0,-0,1e9999,"\ud83d\ude00"]}`, `{"a":1,"a":2}`, `"\ud800"`,
		`[[[[]]]]`, `1e-9999`, "\"\x7f\u2028\"", ` [1 , 2] `, `0.00001230`, `123456789012345678901234567890`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := CanonicalJSON(text)
		if err != nil {
			if got != "" || printable.Line(err.Error()) != err.Error() {
				t.Errorf("got %q and error %q", got, err)
			}
			return
		}
		if again, err := CanonicalJSON(got); err != nil || again != got {
			t.Errorf("%q became %q and then %q, %v", text, got, again, err)
		}
		if !utf8.ValidString(got) || !SameJSON(text, got) {
			t.Errorf("%q and %q are not the same", text, got)
		}
	})
}
