package plan

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/apsctl/apsctl/internal/secret"
)

// expanded writes all jobs of a plan and reads them again from the same folder.
func expanded(t testing.TB, p *Plan, file string) (string, *Plan) {
	t.Helper()
	origins := make([]JobOrigins, len(p.Jobs))
	for i := range p.Jobs {
		origins[i] = JobOrigins{Job: &p.Jobs[i]}
	}
	for _, o := range p.Origins {
		for i := range origins {
			if origins[i].Job.Name == o.Job.Name {
				origins[i] = o
			}
		}
	}
	var b strings.Builder
	if err := WriteExpanded(&b, p, origins); err != nil {
		t.Fatal(err)
	}
	again, err := Parse(file, []byte(b.String()), Options{})
	if err != nil {
		t.Fatalf("%v\n%s", err, b.String())
	}
	return b.String(), again
}

// jobsWithout are the jobs without the places where they stand.
func jobsWithout(p *Plan) []Job {
	jobs := make([]Job, len(p.Jobs))
	for i, job := range p.Jobs {
		job.Pos = Position{}
		for _, ref := range []**secret.Ref{&job.SourcePassword, &job.DestinationPassword} {
			if *ref != nil && (*ref).File != "" { // what counts is the file that it names
				*ref = &secret.Ref{File: filepath.Join((*ref).Dir, (*ref).File)}
			}
		}
		jobs[i] = job
	}
	return jobs
}

func TestExpandedPlanIsTheSamePlan(t *testing.T) {
	for _, path := range goodPlans(t) {
		p, err := Load([]string{path}, Options{Trace: "*"})
		if err != nil {
			t.Fatal(err)
		}
		text, again := expanded(t, p, path)
		if diff := cmp.Diff(jobsWithout(p), jobsWithout(again)); diff != "" || p.Digest != again.Digest {
			t.Errorf("%s: written out it says something else: %s\n%s", path, diff, text)
		}
	}
}

// TestEveryJobCanBeWrittenOut draws jobs with whatever a plan may say.
func TestEveryJobCanBeWrittenOut(t *testing.T) {
	line := rapid.StringOf(rapid.RuneFrom([]rune("aZ09 ._:-#'\"\\{}[]$&*!|>%@`,?~=<+\u00e9\u8ba2\U0001f600"))).Filter(func(s string) bool { return s != "" && len(s) < 200 })
	name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9_:-]{0,20}`)
	instance := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,20}`)
	objects := rapid.Custom(func(t *rapid.T) string {
		var b strings.Builder
		b.WriteByte('{')
		for i, key := range rapid.SliceOfNDistinct(line, 1, 3, rapid.ID[string]).Draw(t, "keys") {
			if i > 0 {
				b.WriteByte(',')
			}
			appendJSONString(&b, key)
			b.WriteByte(':')
			appendJSONString(&b, line.Draw(t, "value"))
		}
		b.WriteByte('}')
		text, err := CanonicalJSON(b.String())
		if err != nil {
			t.Fatal(err)
		}
		return text
	})
	rapid.Check(t, func(rt *rapid.T) {
		p := &Plan{Name: "p"}
		for i := range rapid.IntRange(0, 4).Draw(rt, "jobs") {
			spec := Spec{
				Name: fmt.Sprintf("%d%s", i, name.Draw(rt, "name")), Region: "cn-hangzhou",
				Source:      SourceEndpoint{instance.Draw(rt, "source"), "cn-beijing", line.Draw(rt, "user")},
				Destination: DestinationEndpoint{instance.Draw(rt, "destination"), line.Draw(rt, "user")},
				DBList:      objects.Draw(rt, "objects"), PartitionList: objects.Draw(rt, "partitions"), TargetTableMode: line.Draw(rt, "mode"),
			}
			life := Life{
				State: rapid.SampledFrom([]DesiredState{"", Running, Suspended}).Draw(rt, "state"), Protect: rapid.Bool().Draw(rt, "protect"),
				OnRemove: rapid.SampledFrom([]OnRemove{"", OnRemoveKeep, OnRemoveSuspend, OnRemoveDelete}).Draw(rt, "on_remove"),
				Ignore:   FieldSet(rapid.IntRange(0, 1<<len(ignorable)-1).Draw(rt, "ignore")), SourcePasswordVersion: line.Draw(rt, "version"),
				DestinationPasswordVersion: rapid.OneOf(rapid.Just(""), line).Draw(rt, "other version"),
			}
			p.Jobs = append(p.Jobs, Job{
				Spec: spec, Digest: HashSpec(spec), Life: life, Labels: map[string]string{"k": line.Draw(rt, "label")},
				SourcePassword: &secret.Ref{Command: []string{line.Draw(rt, "program"), line.Draw(rt, "argument")}, Dir: "."},
				DestinationPassword: rapid.SampledFrom([]*secret.Ref{
					nil, {Env: "A_1", Dir: "."}, {File: "secrets/" + line.Draw(rt, "file"), Dir: "."},
					{KMS: &secret.KMS{Secret: line.Draw(rt, "secret"), Field: line.Draw(rt, "field"), Region: "cn-beijing"}, Dir: "."},
				}).Draw(rt, "password"),
			})
		}
		p.Digest = hashPlan(p.Jobs)
		text, again := expanded(t, p, "plan.yaml")
		if diff := cmp.Diff(jobsWithout(p), jobsWithout(again)); diff != "" || p.Digest != again.Digest {
			t.Fatalf("%s\n%s", diff, text)
		}
	})
}

func TestExpandedTellsWhereValuesComeFrom(t *testing.T) {
	p, err := Load([]string{"testdata/good/include.yaml"}, Options{Trace: "row-2"})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := WriteExpanded(&b, p, p.Origins); err != nil {
		t.Fatal(err)
	}
	golden(t, "expanded.txt", b.String())
}

// TestExpandedTellsOfEachPart: of labels and databases that come from several
// places each has its own, and every reference in a text is named.
func TestExpandedTellsOfEachPart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "plan.yaml")
	for name, text := range map[string]string{
		"plan.yaml": `version: 1
name: p
region: cn-hangzhou
vars: {env: prod, part: {default: x}}
x-objects: &objects {shop: {all: true}, stock: {all: true}}
include: more.yaml
defaults:
  destination: {instance: amv-1}
  labels: {team: data, "a.b": outer, a: outer}
jobs:
  - name: one-${var.env}-${var.part}-${var.env}
    source: {instance: pc-1, password: {env: "PW_${var.env}"}}
    db_list:
      <<: *objects
      stock: {all: false}
      orders-${var.env}: {all: true}
    labels: {team: orders}
`,
		"more.yaml": `defaults: {labels: {a: inner}}
generate:
  - csv: rows.csv
    job:
      name: one-${row.n}-${var.part}
      source: {instance: "pc-${row.n}${row.m}"}
      db_list: {"s_${row.m}": {all: true}}
  - list: ["${var.part}"]
    job: {name: "one-${item}", source: {instance: pc-3}, db_list: {a: 1}}
`,
		"rows.csv": "n,m\n1,2\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p, err := Load([]string{file}, Options{Trace: "one-*"})
	if err != nil {
		t.Fatal(err)
	}
	text, again := expanded(t, p, file)
	if p.Digest != again.Digest || cmp.Diff(jobsWithout(p), jobsWithout(again)) != "" {
		t.Errorf("written out it says something else:\n%s", text)
	}
	golden(t, "expanded-parts.txt", strings.ReplaceAll(text, dir+string(filepath.Separator), ""))
}

// TestOrderOfFilesAndJobsDoesNotMatter loads the same jobs from files in other
// orders.
func TestOrderOfFilesAndJobsDoesNotMatter(t *testing.T) {
	dir := t.TempDir()
	var paths []string
	for file := range 5 {
		var b strings.Builder
		fmt.Fprintf(&b, "version: 1\nname: p\nregion: cn-r%d\ndefaults: {destination: {instance: amv-1}, db_list: {a: %d}}\njobs:\n", file, file)
		for i := range 10 {
			fmt.Fprintf(&b, "- {name: j-%d-%d, source: {instance: pc-%d}}\n", file, i, i)
		}
		path := filepath.Join(dir, fmt.Sprintf("%d.yaml", file))
		if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	want, err := Load([]string{dir}, Options{})
	if err != nil || len(want.Jobs) != 50 {
		t.Fatal(err)
	}
	for range 5 {
		rand.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		got, err := Load(append(paths, filepath.Join(dir, "*.yaml")), Options{})
		if err != nil || got.Digest != want.Digest {
			t.Fatalf("in order %v it is another plan: %v", paths, err)
		}
	}
}
