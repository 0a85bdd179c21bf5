package plan

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// hostilePlan returns a plan that begins soundly and goes on with n times each,
// in which % is the number of the time, and end.
func hostilePlan(start, each string, n int, end string) []byte {
	var b strings.Builder
	b.WriteString(benchHead + "defaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n" + start)
	numbered := strings.Contains(each, "%")
	for i := range n {
		if numbered {
			b.WriteString(strings.ReplaceAll(each, "%", fmt.Sprint(i)))
		} else {
			b.WriteString(each)
		}
	}
	b.WriteString(end)
	return []byte(b.String())
}

// TestHostilePlansCostLittle reads files of up to 64 MiB that are made to cost
// much: whatever they are refused for, or read as, takes no more than any input
// may.
func TestHostilePlansCostLittle(t *testing.T) {
	notIfShort(t)
	const tooDense = "more than 400000 keys, values and marks"
	for name, tt := range map[string]struct {
		text []byte
		want string // part of the first problem; "" if there is none
	}{
		"letters in a list":              {hostilePlan("x-a: [", "a,", 900_000, "]\njobs: []\n"), tooDense},
		"nearly as many as there may be": {hostilePlan("x-a: [", "a,", 190_000, "]\njobs: []\n"), ""},
		"items without a value":          {hostilePlan("x-a:\n", "-\n", 900_000, ""), tooDense},
		"block texts without a line":     {hostilePlan("x-a:\n", "- |\n", 450_000, "jobs: []\n"), tooDense},
		"aliases":                        {hostilePlan("x-a: &a 1\nx-b:\n", "- *a\n", 380_000, "jobs: []\n"), tooDense},
		"anchors":                        {hostilePlan("x-a:\n", "- &a% 1\n", 140_000, ""), tooDense},
		"tags":                           {hostilePlan("x-a:\n", "- !!str a\n", 180_000, "jobs: []\n"), tooDense},
		"quotes":                         {hostilePlan("x-a: [", "'',", 600_000, "]\njobs: []\n"), tooDense},
		"percent signs":                  {[]byte(strings.Repeat("%", 1_900_000)), tooDense},
		"comments":                       {hostilePlan("jobs: []\n", "#\n", 1_000_000, ""), tooDense},
		"brackets":                       {hostilePlan("x-a: ", "[", 1_000_000, ""), tooDense},
		"templates":                      {hostilePlan("generate:\n", "- {range: {from: %, to: %}, job: {name: \"a${item}\", source: {instance: \"pc-${item}\"}}}\n", 19_000, ""), tooDense},
		"a range of a billion":           {hostilePlan("generate:\n", "- range: {from: 0, to: 1000000000}\n  job: {name: \"a${item}\", source: {instance: pc-1}}\n", 1, ""), "more than 250000 jobs"},
		"a matrix of a million":          {hostilePlan("generate:\n- matrix:\n    x: [", "%, ", 1000, "1000]\n    y: "+"["+strings.Repeat("a, ", 900)+"a]\n  job: {name: \"a${matrix.x}\", source: {instance: pc-1}}\n"), "more than 250000 jobs"},
		"too many jobs":                  {hostilePlan("jobs:\n", "- name: a%\n  source: {instance: pc-%}\n", 1_000_000, ""), "more than 250000 jobs"},
		"jobs with mistakes":             {hostilePlan("jobs:\n", "- nme: a%\n  source: {instnce: pc-1}\n", 110_000, ""), `unknown key "nme"`},
		"jobs of one name":               {hostilePlan("jobs:\n", "- name: a\n  source: {instance: pc-1}\n", 120_000, ""), "two jobs are called"},
		"a name of 60 MiB":               {hostilePlan("jobs:\n- name: ", strings.Repeat("a", 1<<20), 60, "\n  source: {instance: pc-1}\n"), "this job takes more than 4 MiB"},
		"a name of 1 MiB":                {hostilePlan("jobs:\n- name: ", strings.Repeat("a", 1<<10), 1<<10, "\n  source: {instance: pc-1}\n"), "longer than 128 characters"},
		"objects of 10 MiB":              {hostilePlan("jobs:\n- name: a\n  source: {instance: pc-1}\n  db_list: '{", `"k%":1,`, 900_000, "\"z\":1}'\n"), "this job takes more than 4 MiB"},
		"a comment of 60 MiB in a job":   {hostilePlan("jobs:\n- name: a\n", "  # "+strings.Repeat("a", 1<<20)+"\n", 60, "  source: {instance: pc-1}\n"), "this job takes more than 4 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			bounded(t, func() { _, err = Parse("plan.yaml", tt.text, Options{}) })
			var problems Problems
			if tt.want == "" && err == nil {
				return
			}
			if !errors.As(err, &problems) || tt.want == "" || !strings.Contains(problems[0].Message, tt.want) {
				t.Errorf("got %.500v, want %q", err, tt.want)
			}
		})
	}
}

// TestHostileRowsAreRefused: a row takes several times its size of memory.
func TestHostileRowsAreRefused(t *testing.T) {
	notIfShort(t)
	const head = "name,instance,cluster,db\n"
	large := "\"" + strings.Repeat("a\n", 30<<20)
	for want, text := range map[string]string{
		"jobs.csv:1:1: the first row has more than 4 MiB":          strings.Repeat("a", 60<<20),
		"jobs.csv:1:1: the row after this one has more than 4 MiB": head + large,
		"jobs.csv:4:1: the row after this one has more than 4 MiB": head + "a,pc-1,amv-1,d\nb,pc-2,amv-1,d\nc,pc-3,amv-1,d\n" + large,
	} {
		dir := t.TempDir()
		for name, data := range map[string]string{"jobs.csv": text, "plan.yaml": csvPlan} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var err error
		bounded(t, func() { _, err = Load([]string{filepath.Join(dir, "plan.yaml")}, Options{}) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %.300v, want %q", err, want)
		}
	}
}

// TestHostileConditionsCostLittle holds many rows against many values; patterns,
// which are held against each row one by one, are bounded.
func TestHostileConditionsCostLittle(t *testing.T) {
	notIfShort(t)
	load := func(where string, rows int) (*Plan, error) {
		dir := t.TempDir()
		table := strings.Builder{}
		table.WriteString("name,instance\n")
		for i := range rows {
			fmt.Fprintf(&table, "team/%d,pc-%d\n", i, i)
		}
		text := benchHead + "defaults: {destination: {instance: amv-1}, db_list: {EntireInstance: true}}\n" +
			"generate:\n- csv: {file: jobs.csv, where: {name: [" + where + "]}}\n  job: {name: \"${row.instance}\", source: {instance: \"${row.instance}\"}}\n"
		for name, data := range map[string]string{"jobs.csv": table.String(), "plan.yaml": text} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return Load([]string{filepath.Join(dir, "plan.yaml")}, Options{})
	}
	var values strings.Builder
	for i := range 50_000 {
		fmt.Fprintf(&values, "team/%d, ", 20_000+10*i)
	}
	bounded(t, func() {
		if p, err := load(values.String()+"team/?, 't*/3?'", 50_000); err != nil || len(p.Jobs) != 3000+10+10 {
			t.Errorf("got %v, %v", p, err)
		}
	})
	_, err := load(strings.Repeat("a*, ", globsMax)+"b*", 1)
	if err == nil || !strings.Contains(err.Error(), "generate[0].csv.where.name has more than 100 patterns") {
		t.Errorf("got %v", err)
	}
}

// TestDensityOfHonestTexts counts what honest lines have.
func TestDensityOfHonestTexts(t *testing.T) {
	for line, want := range map[string]int{
		"": 0, "   ": 0, "- name: orders-00": 4, "source: {instance: pc-1, user: reader}": 11,
		`{"name":"a","source":{"instance":"b"}},`: 14, "# no, more: [than, one]": 1,
		"password: {env: A} # x, y": 8, "db_list: '{\"a\": 1, \"b\": [2, 3]}'": 3,
		"at: 12:30": 3, "a-b-c": 1, "- - x": 3, "a: &b c": 5, "[*a, *b]": 7, "- !!str x": 4,
	} {
		if got := tokensOn(line); got != want {
			t.Errorf("%q has %d tokens, want %d", line, got, want)
		}
	}
}

// TestLargePlansAreFormatted: what Load reads in pieces, Format reads at once.
func TestLargePlansAreFormatted(t *testing.T) {
	notIfShort(t)
	text := hostilePlan("jobs:\n", "  - name: a%\n    source: {instance: pc-%}\n", 42_000, "")
	formatted, err := Format("plan.yaml", text)
	if err != nil || string(formatted) != string(text) {
		t.Errorf("got %d bytes of %d, %.300v", len(formatted), len(text), err)
	}
}
