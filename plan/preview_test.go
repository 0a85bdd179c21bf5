package plan

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/text"
)

// manyChanges has n changes of the sorts that a large plan has: creates of many
// sources, a few odd ones, and reasons that somebody else made up.
func manyChanges(n, causes int) (*Plan, []Change) {
	p := &Plan{Name: "bulk", File: "bulk.yaml", Jobs: make([]Job, n)}
	ledger := Snapshot{Entries: map[string]Entry{}}
	for i := range p.Jobs {
		job := wantedJob(fmt.Sprintf("job-%06d", i))
		job.Source.Instance = fmt.Sprintf("pc-%d", i/10)
		job.Digest = HashSpec(job.Spec)
		p.Jobs[i] = job
		before := job
		switch {
		case i%1000 == 7:
			before.DBList, before.PartitionList = `{"shop":{"all":true}}`, `{"p":1}`
		case i%1000 == 8:
			before.Source.Instance, before.Destination.User = "pc-other", "somebody"
		case i == 9:
			before.TargetTableMode = "1"
		case i%100 == 10:
			entry := entryFor(job, StateRejected)
			entry.Code = fmt.Sprintf("Code%d", i/100%causes)
			ledger.Entries[job.Name] = entry
			continue
		default:
			continue
		}
		before.Digest = HashSpec(before.Spec)
		entry := entryFor(before, StateCreated)
		ledger.Entries[job.Name] = entry
	}
	for i := range 20 {
		name := fmt.Sprintf("gone-%02d", i)
		gone := entryFor(wantedJob(name), StateCreated)
		gone.Spec.DBList = `{"gone":{}}`
		ledger.Entries[name] = gone
	}
	return p, Diff(p, ledger, nil, DiffOptions{})
}

func rendered(t *testing.T, p *Plan, changes []Change, o RenderOptions) string {
	t.Helper()
	text.DisableColors()
	var b strings.Builder
	v := Preview{Plan: p, Changes: changes, Crowds: FindCrowds(p, changes, nil, DefaultLimits()), Forecast: NewForecast(changes, Pace{Parallel: 8, Rate: 20})}
	if err := Render(&b, v, o); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestRenderGroupsWhatIsTooMuch(t *testing.T) {
	p, changes := manyChanges(10_000, 2)
	golden(t, "render-groups.txt", rendered(t, p, changes, RenderOptions{}))
	golden(t, "render-groups-op.txt", rendered(t, p, changes, RenderOptions{Kinds: []Kind{KindReplace, KindLeftOver}}))
}

func TestRenderFitsOnAPageWhateverThePlan(t *testing.T) {
	// A command may add 8 lines of warnings above, a refusal of 2 and a hint of 2.
	const most = 60 - 8 - 2 - 2
	for _, n := range []int{1, 2, 24, 25, 26, 30, 36, 37, 40, 1000, 20_000} {
		for _, causes := range []int{1, 5, 1000} {
			p, changes := manyChanges(n, causes)
			if out := rendered(t, p, changes, RenderOptions{}); strings.Count(out, "\n") > most {
				t.Errorf("%d jobs and %d causes take %d lines:\n%s", n, causes, strings.Count(out, "\n"), out)
			}
			for kind, count := range Summarize(changes).Kinds {
				out := rendered(t, p, changes, RenderOptions{Kinds: []Kind{kind}})
				if lines := strings.Count(out, "\n"); lines > most || !strings.Contains(out, fmt.Sprint(count)) {
					t.Errorf("--op %s of %d jobs takes %d lines:\n%s", kind, n, lines, out)
				}
			}
		}
	}
}

func TestRenderFullListsEverything(t *testing.T) {
	p, changes := manyChanges(3000, 5)
	out := rendered(t, p, changes, RenderOptions{Full: true})
	for _, c := range changes {
		if !strings.Contains(out, " "+c.Name+" ") {
			t.Fatalf("%s is not in it", c.Name)
		}
	}
}

// TestGroupsHoldEveryChange: what is folded is counted all the same.
func TestGroupsHoldEveryChange(t *testing.T) {
	_, changes := manyChanges(5000, 1000)
	groups := group(changes, RenderOptions{}.Lists)
	if len(groups) > groupsShown {
		t.Errorf("%d groups", len(groups))
	}
	counted := map[Kind]int{}
	for _, g := range groups {
		counted[g.Kind] += len(g.Changes)
	}
	for kind, n := range Summarize(changes).Kinds {
		if kind != KindKeep && counted[kind] != n {
			t.Errorf("%d of kind %s, want %d", counted[kind], kind, n)
		}
	}
}

// TestChangesHaveCausesWithoutNames: a cause that names something would make a
// group of each job.
func TestChangesHaveCausesWithoutNames(t *testing.T) {
	p, changes := manyChanges(2000, 2)
	for _, c := range append(changes, Diff(p, Snapshot{}, map[string]Listing{"cn-hangzhou": {Region: "cn-hangzhou", Jobs: []RemoteJob{
		{ID: "aps-1", Name: "job-000001"}, {ID: "aps-2", Name: "job-000002"}, {ID: "aps-3", Name: "job-000002"},
	}}}, DiffOptions{})...) {
		if c.Kind != KindKeep && c.Cause == "" || strings.Contains(c.Cause, "job-") || strings.Contains(c.Cause, "aps-") || strings.Contains(c.Cause, "pc-") {
			t.Errorf("%s of %s has the cause %q", c.Kind, c.Name, c.Cause)
		}
	}
}

func TestMarkdownIsBoundedAndSaysWhatItLeftOut(t *testing.T) {
	p, changes := manyChanges(10_000, 3)
	evil := strings.Repeat("`|@someone <img src=x onerror=alert(1)> [a](b)\n", 20)
	for i := range changes {
		changes[i].Reason = evil
	}
	v := Preview{Plan: p, Changes: changes, Crowds: FindCrowds(p, changes, nil, DefaultLimits()), Forecast: NewForecast(changes, Pace{Parallel: 8})}
	var b strings.Builder
	if err := Markdown(&b, v, RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	out := b.String()
	if n := utf8.RuneCountInString(out); n > markdownMax {
		t.Errorf("%d characters", n)
	}
	if !strings.Contains(out, "Not listed: 9") {
		t.Errorf("it does not say what is missing: %s", out[len(out)-500:])
	}
	for line := range strings.Lines(out) {
		outside := ""
		for i, part := range strings.Split(line, "`") {
			if i%2 == 0 {
				outside += part
			}
		}
		if strings.ContainsAny(outside, "@<[") {
			t.Errorf("text of somebody else's is not encoded in %q", line)
		}
	}
}

func TestMarkdownOfASmallPlan(t *testing.T) {
	p, ledger := renderedPlan()
	var b strings.Builder
	if err := Markdown(&b, previewed(p, ledger), RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "render.md", b.String())
}

func TestForecast(t *testing.T) {
	p, changes := manyChanges(10_000, 2)
	f := NewForecast(changes, Pace{Parallel: 8, Rate: 20})
	calls := map[string]int{}
	for _, call := range f.Calls {
		calls[call.Name] = call.Count
	}
	kinds := Summarize(changes).Kinds
	if calls["CreateAPSJob"] != kinds[KindCreate] || calls["ModifyApsJob"] != kinds[KindUpdate] || calls["DeleteApsJob"] != 0 || calls["DescribeApsJobs"] != 2 {
		t.Errorf("%v for %v", calls, kinds)
	}
	// 8 workers at half a second make 16 creates a second, fewer than the rate.
	if least := time.Duration(kinds[KindCreate]/16) * time.Second; f.Time < least || f.Time > least+10*time.Second {
		t.Errorf("it takes %s, want a little over %s", f.Time, least)
	}
	if slow := NewForecast(changes, Pace{Parallel: 256, Rate: 1}); slow.Time < time.Duration(kinds[KindCreate])*time.Second {
		t.Errorf("at one call per second %s", slow.Time)
	}
	replaced := NewForecast(changes, Pace{Parallel: 8, Rate: 20, AllowReplace: true})
	if n := replaced.Calls[0].Count; n != kinds[KindCreate]+kinds[KindReplace] {
		t.Errorf("with replaces %d creates", n)
	}
	if text := NewForecast(Diff(&Plan{Jobs: p.Jobs[:0]}, Snapshot{}, nil, DiffOptions{}), Pace{Parallel: 8}).String(); text != "" {
		t.Errorf("for nothing it says %q", text)
	}
}

func TestCrowds(t *testing.T) {
	job := func(name, source string) Job {
		j := wantedJob(name)
		j.Source.Instance = source
		j.Digest = HashSpec(j.Spec)
		return j
	}
	p := &Plan{Jobs: []Job{job("a", "pc-1"), job("b", "pc-1"), job("c", "pc-2"), job("d", "pc-1")}}
	region := p.Jobs[0].Region
	ledger := Snapshot{Entries: map[string]Entry{"d": entryFor(p.Jobs[3], StateCreated)}}
	listing := func(jobs ...RemoteJob) map[string]Listing {
		return map[string]Listing{region: {Region: region, Jobs: jobs}}
	}
	own := RemoteJob{ID: ledger.Entries["d"].JobID, Name: "d", SourceInstance: "pc-1"}
	for name, c := range map[string]struct {
		listings map[string]Listing
		limits   Limits
		want     string
	}{
		"three are fine":            {nil, DefaultLimits(), ""},
		"its own count once":        {listing(own), DefaultLimits(), ""},
		"others count where listed": {listing(own, RemoteJob{ID: "x", Name: "x", SourceInstance: "pc-1"}), DefaultLimits(), "pc-1 4"},
		"others elsewhere do not":   {listing(own, RemoteJob{ID: "x", Name: "x", SourceInstance: "pc-9"}), DefaultLimits(), ""},
		"a lower number":            {nil, Limits{ServicePerSource: new(LimitTo(2))}, "at most 2 jobs per source, and there would be: pc-1 3"},
		"none":                      {nil, Limits{ServicePerSource: new(NoLimit()), ServicePerRegion: new(LimitTo(3))}, "at most 3 jobs per region, and there would be: " + region + " 4"},
	} {
		got := FindCrowds(p, Diff(p, ledger, c.listings, DiffOptions{}), c.listings, c.limits)
		text := fmt.Sprint(got)
		if c.want == "" && len(got) > 0 || !strings.Contains(text, c.want) {
			t.Errorf("%s: %s, want %q", name, text, c.want)
		}
	}
	// A plan that is carried out has been let in by the service.
	for _, j := range p.Jobs {
		ledger.Entries[j.Name] = entryFor(j, StateCreated)
	}
	if got := FindCrowds(p, Diff(p, ledger, nil, DiffOptions{}), nil, Limits{ServicePerSource: new(LimitTo(1))}); len(got) > 0 {
		t.Errorf("nothing is created, and it warns: %v", got)
	}
}

func TestCrowdsOfManySourcesAreShort(t *testing.T) {
	p := &Plan{Jobs: make([]Job, 40_000)}
	for i := range p.Jobs {
		p.Jobs[i] = wantedJob(fmt.Sprintf("job-%d", i))
		p.Jobs[i].Source.Instance = fmt.Sprintf("pc-%d", i/4) + strings.Repeat("x", 100)
	}
	crowds := FindCrowds(p, Diff(p, Snapshot{}, nil, DiffOptions{}), nil, DefaultLimits())
	if len(crowds) != 2 || len(crowds[0].Places) != 10_000 {
		t.Fatalf("%d crowds", len(crowds))
	}
	if text := crowds[0].String(); len(text) > 500 || !strings.Contains(text, "9997 more sources too many as well, listed by plan -o json") {
		t.Errorf("it says %q", text)
	}
}
