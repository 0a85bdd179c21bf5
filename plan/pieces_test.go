package plan

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readIn reads a plan with pieces of so many lines, and returns all that can be
// told of it.
func readIn(t testing.TB, lines int, file string, data []byte) string {
	t.Helper()
	before := pieceLines
	pieceLines = lines
	defer func() { pieceLines = before }()
	p, err := Parse(file, data, Options{LookupEnv: func(string) (string, bool) { return "", false }})
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%+v\n%+v\n%s\n%v", p.Jobs, p.Run, p.Digest, p.Warnings)
}

func wantSameInPieces(t testing.TB, file string, data []byte) {
	t.Helper()
	want := readIn(t, math.MaxInt/4, file, data)
	for _, lines := range []int{1, 2, 7} {
		if got := readIn(t, lines, file, data); got != want && stripPointers(got) != stripPointers(want) {
			t.Errorf("%s in pieces of %d lines: %s", file, lines, cmp.Diff(stripPointers(want), stripPointers(got)))
		}
	}
}

// stripPointers drops the addresses of references to secrets.
func stripPointers(text string) string {
	var b strings.Builder
	for {
		i := strings.Index(text, "0x")
		if i < 0 {
			return b.String() + text
		}
		b.WriteString(text[:i])
		text = strings.TrimLeft(text[i+2:], "0123456789abcdef")
	}
}

// TestPiecesSayTheSame reads every plan of the tests, good and bad, in pieces.
func TestPiecesSayTheSame(t *testing.T) {
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "testdata/composed/*/*.yaml", "testdata/format/*.yaml", "../examples/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			wantSameInPieces(t, path, data)
		}
	}
}

// TestOddFilesSayTheSameInPieces has what cutting could get wrong.
func TestOddFilesSayTheSameInPieces(t *testing.T) {
	const head = "version: 1\nname: p\nregion: cn-hangzhou\ndefaults: {destination: {instance: amv-1}, db_list: {a: 1}}\n"
	job := func(name, more string) string {
		return "- name: " + name + "\n  source: {instance: pc-" + name + more + "}\n"
	}
	for name, text := range map[string]string{
		"keys behind the list":          head + "jobs:\n" + job("a", "") + job("b", "") + "limits: {max_create: 5}\nrun:\n  parallel: 3\n",
		"indented":                      head + "jobs:\n    - name: a\n      source: {instance: pc-a}\n\n\n    - name: b\n      source: {instance: pc b}\n# end\nrun: {parallel: x}\n",
		"comments":                      head + "jobs: # all of them\n# one\n" + job("a", "") + "  # two\n# three\n" + job("b", "") + "# four\n",
		"a block text":                  head + "jobs:\n- name: a\n  source: {instance: pc-a}\n  db_list: |\n    {\"x\":\n     - 1}\n" + job("b", ""),
		"a block text with dashes":      head + "jobs:\n- name: a\n  source: {instance: pc-a}\n  db_list: |\n    - name: x\n" + job("b", ""),
		"a text on two lines":           head + "jobs:\n- name: a\n  source: {instance: pc-a, user: \"x\n    - y\"}\n" + job("b", ""),
		"a text that goes too far":      head + "jobs:\n- name: a\n  source: {instance: pc-a, user: \"x\n- y\"}\n" + job("b", ""),
		"quotes across items":           head + "jobs:\n- name: \"a\n- name: b\"\n- name: c\n",
		"anchors":                       head + "jobs:\n- &a\n  name: a\n  source: {instance: pc-a}\n- <<: *a\n  name: b\n",
		"an anchor in the head":         "x-s: &s {instance: pc-9}\n" + head + "jobs:\n- name: a\n  source: *s\n- name: b\n  source: *s\n",
		"a tab":                         head + "jobs:\n" + job("a", "") + "-\tname: b\n",
		"a second document":             head + "jobs:\n" + job("a", "") + "---\n" + job("b", ""),
		"two lists":                     head + "jobs:\n" + job("a", "") + "jobs:\n" + job("b", ""),
		"a list that is none":           head + "jobs:\n  a: 1\n  b: 2\n",
		"nothing":                       head + "jobs:\n\n\n\n",
		"nothing, and more":             head + "jobs:\n\n\nrun: {parallel: 1}\n",
		"a passage of the wrong indent": head + "jobs:\n  - name: a\n    source: {instance: pc-a}\n - name: b\n",
		"passwords":                     head + "jobs:\n" + job("a", ", password: Zq7vXw9LmK2pRt4s, port: 1") + job("b", ", passwrod: Zq7vXw9LmK2pRt4s") + "- Zq7vXw9LmK2pRt4s\n- name: [Zq7vXw9LmK2pRt4s]\n  password: x\n  source: {password: {x: Zq7vXw9LmK2pRt4s}}\n",
		"names twice":                   head + "jobs:\n" + job("a", "") + job("b", "") + job("a", "") + job("B", ""),
		"references":                    "vars: {x: pc-7}\n" + head + "jobs:\n- name: a\n  source:\n    instance: ${var.x}\n- name: ${var.x}\n  source: {instance: \"${var.y}\"}\n",
		"an empty item":                 head + "jobs:\n-\n-\n  name: a\n- name: b\n",
		"nested lists":                  head + "jobs:\n- - name: a\n  - name: b\n- name: c\n",
		"deep":                          head + "jobs:\n- name: a\n  db_list: " + strings.Repeat("[", 62) + strings.Repeat("]", 62) + "\n- name: b\n",
		"jobs inside a text":            head + "x-note: |\n  jobs:\n  - a\njobs:\n" + job("a", "") + job("b", ""),
		"jobs inside a quoted text":     head + "x-note: \"\njobs:\n- a\n\"\njobs:\n" + job("a", "") + job("b", ""),
		"no jobs key at all":            head + "generate: []\n",
		"windows":                       strings.ReplaceAll(head+"jobs:\n"+job("a", "")+job("b", " x"), "\n", "\r\n"),
	} {
		t.Run(name, func(t *testing.T) { wantSameInPieces(t, "plan.yaml", []byte(text)) })
	}
}

// TestLargePlanIsReadInPieces makes sure that the pieces are used at all.
func TestLargePlanIsReadInPieces(t *testing.T) {
	text, refused := decodeText("plan.yaml", manyJobs(2000))
	if refused != nil {
		t.Fatal(refused.problems())
	}
	p := findPieces(newFindings(text))
	if p == nil || len(p.cuts) < 5 {
		t.Fatalf("%+v", p)
	}
	n := 0
	if !p.items(func(*node) bool { n++; return true }) || n != 2000 {
		t.Errorf("%d items were read", n)
	}
}

// TestManyPiecesReportAtOnce: the pieces are parsed side by side, and each has
// something to report.
func TestManyPiecesReportAtOnce(t *testing.T) {
	text := strings.ReplaceAll(manyJobs(16_000), "    labels:", "    db_list: {a: 1}\n    labels:") // over 2 MiB
	_, err := Parse("plan.yaml", []byte(text), Options{})
	var problems Problems
	if !errors.As(err, &problems) || len(problems) != ProblemsMax {
		t.Fatalf("%.600v", err)
	}
	for i, problem := range problems {
		if want := fmt.Sprintf("plan.yaml:%d:5: ", 12+6*i); !strings.HasPrefix(problem.Pos.String()+": ", want) || problem.Message != `key "db_list" is here twice` {
			t.Errorf("problem %d: want %s..., got %s: %s", i, want, problem.Pos, problem.Message)
		}
	}
}

// TestLargeFilesAreNeverParsedAtOnce: what is wrong with them is told all the same.
func TestLargeFilesAreNeverParsedAtOnce(t *testing.T) {
	notIfShort(t)
	large := manyJobs(16_000) // over 2 MiB
	lines := strings.Count(large, "\n")
	for name, tt := range map[string]struct{ text, want string }{
		"a mistake in a piece":   {large + "  - name: [a\n  - name: b\n", fmt.Sprintf("plan.yaml:%d:3: a comma or ] is due here", lines+2)},
		"a mistake in the head":  {"x: [\n" + large, "plan.yaml:1:4: the [ that opens here is never closed"},
		"a mistake in the tail":  {large + "run: {parallel: 1\n", fmt.Sprintf("plan.yaml:%d:6: the { that opens here is never closed", lines+1)},
		"a tag in a piece":       {large + "  - name: !x a\n", fmt.Sprintf("plan.yaml:%d:11: the tag \"!x\" is not supported", lines+1)},
		"a tag in the head":      {"x: !x a\n" + large, "plan.yaml:1:4: the tag \"!x\" is not supported"},
		"a tag in the tail":      {large + "run: !x a\n", fmt.Sprintf("plan.yaml:%d:6: the tag \"!x\" is not supported", lines+1)},
		"a password in a piece":  {large + "  - name: x\n    source: {password: Zq7vXw9LmK2pRt4s, prot: 1}\n", fmt.Sprintf("plan.yaml:%d:24: jobs[16000].source.password is written into the plan", lines+2)},
		"a password and garbage": {large + "  - name: x\n    source: {password: Zq7vXw9LmK2pRt4s: [\n", fmt.Sprintf("plan.yaml:%d:", lines+2)},
		"anchors":                {strings.Replace(large, "- name: orders-00001", "- &a\n    name: orders-00001", 1), "cannot be read in pieces"},
		"a job of 3 MiB":         {large + "  - name: x\n    db_list: \"" + strings.Repeat("x", 3<<20) + "\"\n", "is larger than 1024 KiB"},
		"a flow list":            {"version: 1\nname: p\njobs: [" + strings.Repeat("a,", 2<<20) + "]\n", "cannot be read in pieces"},
		"many lines":             {strings.Repeat("#\n", 4_000_001), "more than 4000000 lines"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("plan.yaml", []byte(tt.text), Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("no %q in %.600v", tt.want, err)
			} else if part := leak(err.Error()); part != "" {
				t.Errorf("the password, or its part %q, is shown: %.600v", part, err)
			}
		})
	}
}

// TestStandardInputIsReadOnce: it cannot be read again when another file of the
// plan, which could not be read in pieces, starts it anew.
func TestStandardInputIsReadOnce(t *testing.T) {
	before := pieceLines
	pieceLines = 2
	defer func() { pieceLines = before }()
	other := filepath.Join(t.TempDir(), "plan.yaml")
	text := strings.ReplaceAll(manyJobs(3), "orders-", "other-")
	text = strings.Replace(text, "team: orders", "team: \"two\n  - lines\"", 1)
	if err := os.WriteFile(other, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := Load([]string{StdinPath, other}, Options{Stdin: strings.NewReader(manyJobs(16_000))}) // over 2 MiB
	if err != nil || len(p.Jobs) != 16_003 || p.File != "<stdin>, "+other {
		t.Errorf("%.600v", err)
	}
}
