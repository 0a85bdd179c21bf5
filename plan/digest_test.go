package plan

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
)

const digestHead = "version: 1\nname: shop\nregion: cn-hangzhou\n" +
	"defaults:\n  destination: {instance: amv-1}\n  db_list: {EntireInstance: true}\n"

func TestPlanDigestIsOfTheDesiredState(t *testing.T) {
	jobs := []string{
		"- name: a\n  source: {instance: pc-1, user: u}\n",
		"- name: b\n  source: {instance: pc-2}\n  db_list: {x: 1, y: 2}\n",
		"- name: c\n  source: {instance: pc-3}\n",
	}
	want := mustParse(t, digestHead+"jobs:\n"+strings.Join(jobs, "")).Digest
	same := map[string]string{
		"layout":   digestHead + "jobs: [{source: {user: \"u\", instance: 'pc-1'}, name: a}, {name: b, source: {instance: pc-2}, db_list: '{ \"y\": 2.0, \"x\": 1 }'}, {name: c, source: {instance: pc-3}}]\n",
		"comments": "# one\n" + digestHead + "\n# two\njobs:\n" + strings.Join(jobs, "# three\n\n"),
		"labels":   digestHead + "jobs:\n" + strings.Join(jobs, "  labels: {x: y}\n"),
		"secrets":  digestHead + "  source: {password: {env: X}}\njobs:\n" + strings.Join(jobs, ""),
		"settings": digestHead + "jobs:\n" + strings.Join(jobs, "") + "run: {parallel: 2}\nlimits: {max_create: 1}\n",
		"defaults": strings.Replace(digestHead, "region: cn-hangzhou\n", "", 1) + "  region: cn-hangzhou\njobs:\n" + strings.Join(jobs, ""),
	}
	for name, text := range same {
		if got := mustParse(t, text).Digest; got != want {
			t.Errorf("%s: the digest changes", name)
		}
	}
	for range 10 {
		rand.Shuffle(len(jobs), func(i, j int) { jobs[i], jobs[j] = jobs[j], jobs[i] })
		if got := mustParse(t, digestHead+"jobs:\n"+strings.Join(jobs, "")).Digest; got != want {
			t.Errorf("the order of jobs changes the digest")
		}
	}
	for name, text := range map[string]string{
		"a job less": digestHead + "jobs:\n" + strings.Join(jobs[1:], ""),
		"no job":     digestHead + "jobs: []\n",
		"another":    strings.ReplaceAll(digestHead, "amv-1", "amv-2") + "jobs:\n" + strings.Join(jobs, ""),
		"a new name": digestHead + "jobs:\n" + strings.Replace(strings.Join(jobs, ""), "name: a", "name: d", 1),
	} {
		if got := mustParse(t, text).Digest; got == want {
			t.Errorf("%s: the digest stays", name)
		}
	}
}

// TestEachFieldOfASpecChangesItsDigest sets every text field of a Spec in turn,
// whatever fields it gets in time.
func TestEachFieldOfASpecChangesItsDigest(t *testing.T) {
	seen := map[string]string{HashSpec(Spec{}): "nothing"}
	var walk func(path string, field func(*Spec) reflect.Value)
	walk = func(path string, field func(*Spec) reflect.Value) {
		var s Spec
		v := field(&s)
		if v.Kind() == reflect.Struct {
			for i := range v.NumField() {
				walk(path+"."+v.Type().Field(i).Name, func(s *Spec) reflect.Value { return field(s).Field(i) })
			}
			return
		}
		v.SetString("x")
		digest := HashSpec(s)
		if other, ok := seen[digest]; ok {
			t.Errorf("setting %s gives the digest of %s", path, other)
		}
		seen[digest] = path
	}
	walk("Spec", func(s *Spec) reflect.Value { return reflect.ValueOf(s).Elem() })
	if len(seen) != 12-1 {
		t.Errorf("%d fields were set", len(seen)-1)
	}
}

// TestDigestOfAJob changes one key of a plan at a time.
func TestDigestOfAJob(t *testing.T) {
	const base = "version: 1\nname: p\njobs:\n- name: a\n  region: cn-a\n" +
		"  source: {instance: pc-1, region: cn-b, user: u, password: {env: A}}\n" +
		"  destination: {instance: amv-1, user: v, password: {env: B}}\n" +
		"  db_list: {x: 1}\n  partition_list: {}\n  target_table_mode: 1\n  labels: {l: m}\n"
	want := mustParse(t, base).Jobs[0].Digest
	tests := []struct {
		old, new string
		changes  bool
	}{
		{"name: a", "name: b", true},
		{"region: cn-a", "region: cn-c", true},
		{"instance: pc-1", "instance: pc-2", true},
		{"region: cn-b", "region: cn-c", true},
		{", region: cn-b", "", true},
		{"user: u", "user: w", true},
		{"instance: amv-1", "instance: amv-2", true},
		{"user: v", "user: w", true},
		{"{x: 1}", "{x: 2}", true},
		{"{x: 1}", "{x: '1'}", true},
		{"partition_list: {}", "partition_list: {a: 1}", true},
		{"  partition_list: {}\n", "", true},
		{"target_table_mode: 1", "target_table_mode: 01", true},
		{"  target_table_mode: 1\n", "", true},

		{"{x: 1}", "'{\"x\":1.0}'", false},
		{"target_table_mode: 1", `target_table_mode: "1"`, false},
		{"{env: A}", "{file: elsewhere}", false},
		{", password: {env: B}", "", false},
		{"{l: m}", "{n: o}", false},
		{"name: p", "name: q", false},
	}
	for _, tt := range tests {
		text := strings.Replace(base, tt.old, tt.new, 1)
		if text == base {
			t.Fatalf("%q is not in the plan", tt.old)
		}
		if changes := mustParse(t, text).Jobs[0].Digest != want; changes != tt.changes {
			t.Errorf("%q instead of %q: the digest changes: %v", tt.new, tt.old, changes)
		}
	}
}

// TestDigestStaysFromReleaseToRelease pins digests that ledgers hold.
func TestDigestStaysFromReleaseToRelease(t *testing.T) {
	p := mustParse(t, digestHead+"jobs:\n- name: a\n  source: {instance: pc-1}\n")
	golden(t, "digest.txt", fmt.Sprintf("job  %s\nplan %s\n", p.Jobs[0].Digest, p.Digest))
}

// A changed password, or the mark of one, is no other job: nothing is created
// again for it.
func TestRotatedPasswordChangesNoJob(t *testing.T) {
	job := func(version, env string) Job {
		p := mustParse(t, digestHead+"jobs:\n- name: a\n  source: {instance: pc-1, password_version: "+version+", password: {env: "+env+"}}\n")
		return p.Jobs[0]
	}
	before, after := job("1", "OLD"), job("rotated-2026-11", "NEW")
	if before.Digest != after.Digest || after.SourcePasswordVersion != "rotated-2026-11" {
		t.Errorf("the digest of %+v is not that of %+v", after, before)
	}
	entry := entryFor(before, StateCreated)
	changes := Diff(&Plan{Name: "p", Jobs: []Job{after}}, Snapshot{Entries: map[string]Entry{"a": entry}}, nil, DiffOptions{})
	if len(changes) != 1 || changes[0].Kind != KindKeep {
		t.Errorf("what is to be done is %+v", changes)
	}
}
