package plan

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// canary is the password in every bad plan that has one. No part of it that is
// longer than a few characters may reach a message.
const canary = "Zq7vXw9LmK2pRt4s"

// leak returns a part of the canary that text has in it, or "".
func leak(text string) string {
	const length = 6
	for i := range len(canary) - length + 1 {
		if part := canary[i : i+length]; strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

// problemsOf parses text and returns what is wrong with it, checked for what
// holds for all problems.
func problemsOf(t *testing.T, file string, text []byte) Problems {
	t.Helper()
	p, err := Parse(file, text, Options{})
	if err == nil {
		return nil
	}
	var problems Problems
	if !errors.As(err, &problems) || len(problems) == 0 || p != nil {
		t.Fatalf("Parse: got plan %v and error %#v, want no plan and some Problems", p, err)
	}
	if part := leak(err.Error()); part != "" {
		t.Errorf("%s: the password, or its part %q, is shown:\n%s", file, part, err)
	}
	sorted := slices.IsSortedFunc(problems, func(x, y Problem) int {
		return cmp.Or(cmp.Compare(x.Pos.Line, y.Pos.Line), cmp.Compare(x.Pos.Column, y.Pos.Column))
	})
	if !sorted {
		t.Errorf("%s: problems are not in source order:\n%s", file, err)
	}
	return problems
}

func TestBadPlans(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			problems := problemsOf(t, name+".yaml", data)
			if problems == nil {
				t.Fatal("it is accepted")
			}
			golden(t, "bad/"+name+".txt", problems.Error()+"\n")
		})
	}
}

func TestTwentyMistakesAreAllReported(t *testing.T) {
	data, err := os.ReadFile("testdata/bad/twenty-mistakes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var want, got []int
	for i, line := range strings.Split(string(data), "\n") {
		if i > 0 && strings.Contains(line, " # ") {
			want = append(want, i+1)
		}
	}
	for _, p := range problemsOf(t, "twenty-mistakes.yaml", data) {
		got = append(got, p.Pos.Line)
	}
	if len(want) != 20 || !slices.Equal(got, want) {
		t.Errorf("problems are on the lines\n%v, want\n%v", got, want)
	}
}

func TestLoadOfWhatIsNoPlanFile(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	large := filepath.Join(dir, "large.yaml")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, fileBytesMax+1); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "none.yaml"): "does not exist",
		filepath.Join(dir, "*.none"):    "no file matches",
		empty:                           "no plan in it",
		fifo:                            "no regular file",
		"/dev/null":                     "no regular file",
		large:                           "larger than 64 MiB",
	} {
		p, err := Load([]string{path}, Options{})
		var problems Problems
		if p != nil || !errors.As(err, &problems) || !strings.Contains(err.Error(), want) {
			t.Errorf("Load(%s): got %v, %v; want %q", path, p, err, want)
		}
	}
}

func TestLoadOfAFileThatMayNotBeRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "plan.yaml")
	if err := os.WriteFile(path, []byte("version: 1\n"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := os.ReadFile(path); !errors.Is(err, fs.ErrPermission) {
		t.Skip("this user may read everything")
	}
	if _, err := Load([]string{path}, Options{}); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("got %v", err)
	}
}

func TestProblemsAreBounded(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nname: p\njobs:\n")
	for range 30_000 {
		b.WriteString("- x\n")
	}
	problems := problemsOf(t, "p.yaml", []byte(b.String()))
	if len(problems) != ProblemsMax {
		t.Errorf("got %d problems, want %d", len(problems), ProblemsMax)
	}
	if text := problems.Error(); !strings.HasSuffix(text, "\nand at least 900 more") {
		t.Errorf("it ends with %q", text[len(text)-40:])
	}
	if first := problems[0].Pos.Line; first != 4 {
		t.Errorf("the first problem is on line %d", first)
	}
}

func TestExcerptIsCut(t *testing.T) {
	long := strings.Repeat("x", 300)
	tests := []struct{ name, text, source string }{
		{"after the place", "nmae: " + long, "nmae: " + strings.Repeat("x", 93) + "…"},
		{"before the place", "name: {" + long + ": 1, name: [a], " + long + ": 2}", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, p := range problemsOf(t, "p.yaml", []byte(tt.text)) {
				if n := len([]rune(p.Source)); n > excerptCells+1 || p.Mark+p.Width > n {
					t.Errorf("source has %d characters, mark %d, width %d", n, p.Mark, p.Width)
				}
				if tt.source != "" && p.Source != tt.source && p.Width == 4 {
					t.Errorf("got  %s\nwant %s", p.Source, tt.source)
				}
			}
		})
	}
}

func TestExcerptMarksTheCellsOfWideText(t *testing.T) {
	problems := problemsOf(t, "p.yaml", []byte("version: 1\nname: p\njobs: [{name: 订单, labels: {队: [团]}}]\n"))
	for _, p := range problems {
		if strings.Contains(p.Message, "label") {
			if p.Pos.Column != 28 || p.Mark != 29 || p.Width != 2 {
				t.Errorf("column %d, mark %d, width %d in\n%s", p.Pos.Column, p.Mark, p.Width, p)
			}
			return
		}
	}
	t.Errorf("no problem with the label in\n%s", problems)
}

func TestManyTabsAreRefusedBeforeTheyCostTime(t *testing.T) {
	text := "version: 1\nname: \"" + strings.Repeat("\t", 1<<20) + "\"\n"
	problems := problemsOf(t, "p.yaml", []byte(text))
	if len(problems) != 1 || problems[0].Pos.Line != 2 || !strings.Contains(problems[0].Message, "too many tabs") {
		t.Errorf("got %v", problems)
	}
}
