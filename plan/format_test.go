package plan

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestFormat(t *testing.T) {
	for _, path := range globbed(t, "testdata/format/*.yaml") {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			data := mustRead(t, path)
			formatted := checkFormat(t, path, data)
			if formatted == nil {
				_, err := Format(path, data)
				t.Fatal(err)
			}
			golden(t, "format/"+name+".golden", string(formatted))
		})
	}
}

// TestFormatOfEveryPlan formats all the plans that there are, bad ones too: what
// is wrong with most of them is not their YAML.
func TestFormatOfEveryPlan(t *testing.T) {
	formatted := 0
	for _, pattern := range []string{"testdata/good/*.yaml", "testdata/bad/*.yaml", "../examples/*.yaml"} {
		for _, path := range globbed(t, pattern) {
			t.Run(filepath.Base(path), func(t *testing.T) {
				if checkFormat(t, path, mustRead(t, path)) != nil {
					formatted++
				} else if pattern != "testdata/bad/*.yaml" {
					t.Error("it cannot be formatted")
				}
			})
		}
	}
	if formatted < 60 {
		t.Errorf("only %d files could be formatted", formatted)
	}
}

// TestCommentsBelowBlockTexts draws block texts at any depth, some of whose lines
// look like comments, with comments to the left of them: the text keeps its lines,
// and the comments stay comments, in the column of a key.
func TestCommentsBelowBlockTexts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		step := rapid.IntRange(1, 6).Draw(rt, "step")
		deep := rapid.IntRange(step+1, step+6).Draw(rt, "column of the text")
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"x", "# x", "  # deeper", ""}), 0, 4).Draw(rt, "lines")
		header := rapid.SampledFrom([]string{"|", "|-", "|+", ">", ">-"}).Draw(rt, "header")
		comments := rapid.SliceOfN(rapid.IntRange(0, deep-1), 1, 3).Draw(rt, "columns of comments")
		var b strings.Builder
		at := func(column int, line string) { b.WriteString(strings.Repeat(" ", column) + line + "\n") }
		at(0, "a:")
		at(step, "b: "+header)
		for _, line := range append([]string{"first"}, lines...) {
			at(deep, line)
		}
		for i, column := range comments {
			at(column, fmt.Sprintf("# comment %d", i))
		}
		at(rapid.SampledFrom([]int{0, step}).Draw(rt, "column of the next key"), "c: 1")
		formatted := checkFormat(t, "p.yaml", []byte(b.String()))
		if formatted == nil {
			rt.Fatalf("it cannot be formatted:\n%s", b.String())
		}
		for i := range comments {
			if !regexp.MustCompile(fmt.Sprintf(`(?m)^(  )?# comment %d$`, i)).Match(formatted) {
				rt.Errorf("comment %d of\n%s\nwent astray in\n%s", i, b.String(), formatted)
			}
		}
	})
}

func TestExamplesAreFormatted(t *testing.T) {
	for _, path := range globbed(t, "../examples/*.yaml") {
		data := mustRead(t, path)
		if formatted, err := Format(path, data); err != nil || string(formatted) != string(data) {
			t.Errorf("%s is not formatted, but as\n%s\n%v", path, formatted, err)
		}
	}
}

func TestFormatReportsTheProblemsOfParse(t *testing.T) {
	for _, text := range []string{"", "# only a comment\n", "a: [1\n", "a:\n\tb: 1\n", "a: 1\n---\nb: 2\n", "a: \"\tx\"\n", "\xff\xfea"} {
		_, want := Parse("plan.yaml", []byte(text), Options{})
		formatted, err := Format("plan.yaml", []byte(text))
		var problems Problems
		if !errors.As(err, &problems) || err.Error() != want.Error() || formatted != nil {
			t.Errorf("%q: got %q and\n%v\nwant\n%v", text, formatted, err, want)
		}
	}
}

// oddPlans are texts that the YAML library reads in ways of its own, so that
// moving them would change them.
var oddPlans = []string{
	"a: {b: 1, c: one\n            two}\n", // plain text in {} has to stay to the right of its key
	"a: b\n   - c: d\n      e\n",           // a dash in a plain text keeps its indentation
	" ---\n",                               // a text, not the start of a document
	"? jobs:\n- a: 1\n",                    // would move again and again
}

func TestFormatLeavesAloneWhatItWouldChange(t *testing.T) {
	for _, text := range oddPlans {
		formatted, err := Format("p.yaml", []byte(text))
		var problems Problems
		if err == nil || errors.As(err, &problems) || !strings.Contains(err.Error(), "p.yaml cannot be formatted") {
			t.Errorf("%q: got %q, %v", text, formatted, err)
		}
	}
}

func TestChangesOfMeaningAreNoticed(t *testing.T) {
	const text = "a: {b: 1} # one\nc:\n  - d\n  - 'e'\n# two\nf: |\n  g\n  h\ni: &x j\nk: *x\nl: !!str m\nn: o  p\n"
	changes := map[string][2]string{
		"a value":                 {"g", "G"},
		"quotes":                  {"'e'", "\"e\""},
		"a comment":               {"# one", "# on"},
		"a comment lost":          {"# two\n", ""},
		"a comment moved":         {"# one\nc:\n", "\nc: # one\n"},
		"blanks in a comment":     {"# one", "#  one"},
		"blanks in a text":        {"o  p", "o p"},
		"a line break in a text":  {"g\n  h", "g\n\n  h"},
		"the indentation in one":  {"g\n  h", "g\n   h"},
		"the kind of block":       {"|", ">"},
		"chomping":                {"|", "|-"},
		"an item inside another":  {"  - d\n  - 'e'", "  - d\n    - 'e'"},
		"an item that is a value": {"{b: 1}", "{b, 1}"},
		"a key out of its place":  {"\n  - d\n  - 'e'", "\n- d\n- 'e'\n"},
		"an anchor":               {"&x", "&y"},
		"a tag":                   {"!!str m", "m"},
		"something at the end":    {"o  p\n", "o  p\nq: r\n"},
		"no YAML any more":        {"{b: 1}", "{b: 1"},
	}
	before, lines := meaningOfText(t, text)
	for name, change := range changes {
		t.Run(name, func(t *testing.T) {
			changed := strings.Replace(text, change[0], change[1], 1)
			line := changedLine(before, lines, []byte(changed))
			if same := name == "a key out of its place"; (line == 0) != same {
				t.Errorf("got line %d for\n%s", line, changed)
			}
		})
	}
	if line := changedLine(before, lines, []byte(strings.ReplaceAll(text, "  - ", "      - "))); line != 0 {
		t.Errorf("more blanks before items were taken for a change of line %d", line)
	}
}

func meaningOfText(t *testing.T, text string) (meaning, []string) {
	t.Helper()
	source, problems := decodeText("", text)
	if problems != nil {
		t.Fatal(problems)
	}
	m, err := meaningOf(source)
	if err != nil {
		t.Fatal(err)
	}
	return m, source.lines.list()
}

func BenchmarkFormat10k(b *testing.B) {
	for name, text := range map[string]string{
		"formatted": manyJobs(10_000),
		"changed":   strings.ReplaceAll(manyJobs(10_000), ": ", ":  "),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Format("plan.yaml", []byte(text)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkLayoutTwiceTheSize is BenchmarkTwiceTheSize for the layout alone: the
// rest of Format is two readings of the file.
func BenchmarkLayoutTwiceTheSize(b *testing.B) {
	shapes := map[string]string{
		"jobs":           "  - name: a   # comment\n    source: {instance: b}\n",
		"comments":       "  # comment\n",
		"comments below": "  - a # comment\n      # goes on\n",
		"empty lines":    "  - a\n\n\n",
		"quoted":         "  - \"a\n\n\n      b\"\n",
		"plain":          "  - a\n\n      b\n",
		"block texts":    "  - |\n    a\n\n\n",
		"brackets":       "  - [a,\n    # comment\n    {b: c}, ]\n",
		"on one line":    "  {a: [b, \"c\", d e]}, ",
		"lists in lists": "  - - - a\n    - b\n",
	}
	for name, shape := range shapes {
		b.Run(name, func(b *testing.B) {
			const n = 50_000
			one := strings.Split("a:\n"+strings.Repeat(shape, n), "\n")
			two := strings.Split("a:\n"+strings.Repeat(shape, 2*n), "\n")
			var short, long time.Duration
			for b.Loop() {
				short += layoutTime(one)
				long += layoutTime(two)
			}
			b.ReportMetric(float64(long)/float64(short), "times")
		})
	}
}

func layoutTime(lines []string) time.Duration {
	runtime.GC()
	start := time.Now()
	layOutFile(lines)
	return time.Since(start)
}
