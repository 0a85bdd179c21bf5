package plan

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

func renderedPlan() (*Plan, Snapshot) {
	p := &Plan{Name: "shop", File: "shop.yaml"}
	ledger := Snapshot{Entries: map[string]Entry{}}
	for i := range 5 {
		job := wantedJob(fmt.Sprintf("orders-%02d", i))
		job.Source.Instance = fmt.Sprintf("pc-%d", i/2)
		job.Digest = HashSpec(job.Spec)
		p.Jobs = append(p.Jobs, job)
	}
	ledger.Entries["orders-01"] = entryFor(p.Jobs[1], StateCreated)
	changed := p.Jobs[2]
	changed.DBList = `{"shop":{"all":true}}`
	changed.Digest = HashSpec(changed.Spec)
	ledger.Entries["orders-02"] = entryFor(changed, StateCreated)
	ledger.Entries["orders-03"] = entryFor(p.Jobs[3], StateUnknown)
	old := entryFor(wantedJob("old"), StateCreated)
	old.Spec.DBList = `{"old":{}}`
	ledger.Entries["old"] = old
	return p, ledger
}

// previewed is what an apply with the defaults would do.
func previewed(p *Plan, ledger Snapshot) Preview {
	changes := Diff(p, ledger, nil, DiffOptions{})
	return Preview{
		Plan: p, Changes: changes, Crowds: FindCrowds(p, changes, nil, p.Limits.Or(DefaultLimits())),
		Forecast: NewForecast(changes, Pace{Parallel: 8, Rate: 20}),
	}
}

func TestRender(t *testing.T) {
	text.DisableColors()
	p, ledger := renderedPlan()
	for _, full := range []bool{false, true} {
		var b strings.Builder
		if err := Render(&b, previewed(p, ledger), RenderOptions{Full: full}); err != nil {
			t.Fatal(err)
		}
		golden(t, fmt.Sprintf("render-full-%v.txt", full), b.String())
	}
}

func TestRenderOfManyChangesFitsOnAPage(t *testing.T) {
	text.DisableColors()
	p := &Plan{Name: "bulk", File: "bulk.yaml"}
	for i := range 10_000 {
		job := wantedJob(fmt.Sprintf("job-%05d", i))
		job.Source.Instance = fmt.Sprintf("pc-%d", i/3)
		p.Jobs = append(p.Jobs, job)
	}
	var b strings.Builder
	if err := Render(&b, previewed(p, Snapshot{}), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Count(b.String(), "\n"); lines > 60 {
		t.Errorf("it takes %d lines", lines)
	}
}

func TestRenderEncodesTextFromOutside(t *testing.T) {
	text.DisableColors()
	job := wantedJob("x")
	job.Name, job.Source.Instance = "a\x1b[2Jb", "pc-\u202eevil"
	p := &Plan{Name: "p\n", File: "f\t", Jobs: []Job{job}}
	changes := Diff(p, Snapshot{}, nil, DiffOptions{})
	changes[0].Reason = "because\rof this"
	var b strings.Builder
	if err := Render(&b, Preview{Plan: p, Changes: changes}, RenderOptions{Full: true}); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\r\t\u202e") {
		t.Errorf("raw control characters in %q", b.String())
	}
}
