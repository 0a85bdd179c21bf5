package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func wantedJob(name string) Job {
	spec := Spec{
		Name: name, Region: "cn-hangzhou",
		Source: SourceEndpoint{Instance: "pc-1", User: "u"}, Destination: DestinationEndpoint{Instance: "amv-1"},
		DBList: `{"EntireInstance":true}`,
	}
	return Job{Spec: spec, Digest: HashSpec(spec)}
}

func entryFor(job Job, state State) Entry {
	e := Entry{Plan: "p", Name: job.Name, State: state, Attempt: 1, Region: job.Region, Digest: job.Digest, Spec: job.Spec, SignedAt: time.Unix(1, 0)}
	if state == StateCreated || state == StateLost {
		e.JobID = "aps-" + job.Name
	}
	return e
}

func listedAs(job Job, id string) RemoteJob {
	return RemoteJob{ID: id, Name: job.Name, SourceInstance: job.Source.Instance, DestinationInstance: job.Destination.Instance}
}

func TestDiffOfOneJob(t *testing.T) {
	job := wantedJob("orders")
	elsewhere := listedAs(job, "aps-9")
	elsewhere.SourceInstance = "pc-other"
	tests := []struct {
		name   string
		state  State
		listed []RemoteJob
		adopt  bool
		want   Kind
		reason string // a part of it
	}{
		{name: "unknown to everyone", want: KindCreate},
		{name: "refused before", state: StateRejected, want: KindCreate, reason: "refused"},
		{name: "never sent", state: StateNotSent, want: KindCreate, reason: "never sent"},
		{name: "proven absent", state: StateAbsent, want: KindCreate, reason: "proven"},
		{name: "created as wanted", state: StateCreated, want: KindKeep},
		{name: "intent of a dead run", state: StateIntent, want: KindResolve},
		{name: "unknown outcome", state: StateUnknown, want: KindResolve},
		{name: "conflict", state: StateConflict, want: KindBlocked},
		{name: "duplicate", state: StateDuplicate, want: KindBlocked},
		{name: "lost", state: StateLost, want: KindBlocked, reason: "gone"},
		{name: "exists and is not in the ledger", listed: []RemoteJob{listedAs(job, "aps-1")}, want: KindBlocked, reason: "--adopt"},
		{name: "adopted when asked", listed: []RemoteJob{listedAs(job, "aps-1")}, adopt: true, want: KindAdopt},
		{name: "not adopted when it is another", listed: []RemoteJob{elsewhere}, adopt: true, want: KindBlocked, reason: "pc-other"},
		{name: "not adopted when there are two", listed: []RemoteJob{listedAs(job, "aps-1"), listedAs(job, "aps-2")}, adopt: true, want: KindBlocked, reason: "aps-1, aps-2"},
		{name: "refused, and appeared since", state: StateRejected, listed: []RemoteJob{listedAs(job, "aps-1")}, want: KindBlocked},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ledger := Snapshot{Entries: map[string]Entry{}}
			if test.state != StateNone {
				ledger.Entries[job.Name] = entryFor(job, test.state)
			}
			listings := map[string]Listing{job.Region: {Region: job.Region, Jobs: test.listed}}
			got := Diff(&Plan{Name: "p", Jobs: []Job{job}}, ledger, listings, DiffOptions{Adopt: test.adopt})
			if len(got) != 1 || got[0].Kind != test.want || !strings.Contains(got[0].Reason, test.reason) {
				t.Errorf("got %+v, want one %s with a reason like %q", got, test.want, test.reason)
			}
		})
	}
}

func TestDiffNamesWhatChangedAndWhatItTakes(t *testing.T) {
	tests := []struct {
		name   string
		change func(*Spec)
		kind   Kind
		want   string
	}{
		{"objects", func(s *Spec) { s.DBList = `{"sales":{"all":true}}` }, KindUpdate, "db_list in place"},
		{"partitions", func(s *Spec) { s.PartitionList = `{"a":1}` }, KindUpdate, "partition_list in place"},
		{"empty partitions are none", func(s *Spec) { s.PartitionList = `{}` }, KindKeep, ""},
		{"source", func(s *Spec) { s.Source.Instance = "pc-2" }, KindReplace, "source.instance replace"},
		{"user", func(s *Spec) { s.Source.User = "v" }, KindReplace, "source.user blind"},
		{"objects and mode", func(s *Spec) { s.DBList, s.TargetTableMode = `{"a":1}`, "2" }, KindReplace, "db_list in place, target_table_mode replace"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			old, job := wantedJob("orders"), wantedJob("orders")
			test.change(&job.Spec)
			job.Digest = HashSpec(job.Spec)
			ledger := Snapshot{Entries: map[string]Entry{"orders": entryFor(old, StateCreated)}}
			got := Diff(&Plan{Jobs: []Job{job}}, ledger, nil, DiffOptions{})[0]
			var fields []string
			for _, f := range got.Fields {
				fields = append(fields, fmt.Sprintf("%s %s", f.Field, f.Effect))
			}
			if said := strings.Join(fields, ", "); got.Kind != test.kind || said != test.want {
				t.Errorf("got %s with %q, want %s with %q", got.Kind, said, test.kind, test.want)
			}
		})
	}
}

func TestJobThatLeftThePlanIsReportedAndLeftAlone(t *testing.T) {
	gone := wantedJob("gone")
	ledger := Snapshot{Entries: map[string]Entry{"gone": entryFor(gone, StateCreated)}}
	got := Diff(&Plan{}, ledger, nil, DiffOptions{})
	if len(got) != 1 || got[0].Kind != KindLeftOver || got[0].IsChange() {
		t.Errorf("got %+v", got)
	}
}

// TestDiffIsStable: whatever is wanted, known and listed, each wanted job gets
// exactly one change, in plan order; nothing is created that the ledger has or
// the service lists; and the order of jobs changes no decision.
func TestDiffIsStable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &Plan{Name: "p"}
		ledger := Snapshot{Entries: map[string]Entry{}}
		listing := Listing{Region: "cn-hangzhou"}
		for i := range rapid.IntRange(0, 12).Draw(t, "jobs") {
			job := wantedJob(fmt.Sprintf("job-%d", i))
			if state := rapid.SampledFrom(append([]State{StateNone}, States...)).Draw(t, "state"); state != StateNone {
				ledger.Entries[job.Name] = entryFor(job, state)
			}
			for n := range rapid.IntRange(0, 2).Draw(t, "listed") {
				listing.Jobs = append(listing.Jobs, listedAs(job, fmt.Sprintf("aps-%d-%d", i, n)))
			}
			if rapid.Bool().Draw(t, "wanted") {
				p.Jobs = append(p.Jobs, job)
			}
		}
		listings := map[string]Listing{"cn-hangzhou": listing}
		options := DiffOptions{Adopt: rapid.Bool().Draw(t, "adopt")}
		changes := Diff(p, ledger, listings, options)
		byName := map[string]Kind{}
		for i, c := range changes {
			if i < len(p.Jobs) && c.Name != p.Jobs[i].Name {
				t.Fatalf("change %d is about %s, want %s", i, c.Name, p.Jobs[i].Name)
			}
			if i >= len(p.Jobs) && c.Kind != KindLeftOver {
				t.Fatalf("%s has no job and is a %s", c.Name, c.Kind)
			}
			if c.Kind == KindCreate && (len(listing.Named(c.Name)) > 0 || c.State().Unresolved() || c.State() == StateCreated) {
				t.Fatalf("%s would be created: state %q, listed %v", c.Name, c.State(), c.Remote)
			}
			byName[c.Name] = c.Kind
		}
		slices.Reverse(p.Jobs)
		for _, c := range Diff(p, ledger, listings, options) {
			if byName[c.Name] != c.Kind {
				t.Fatalf("in reverse order %s is a %s, before a %s", c.Name, c.Kind, byName[c.Name])
			}
		}
	})
}

// What another entry has is named with its way out, and never taken over.
func TestDiffOfAJobThatAnotherEntryHas(t *testing.T) {
	job := wantedJob("orders")
	listings := map[string]Listing{job.Region: {Region: job.Region, Jobs: []RemoteJob{listedAs(job, "aps-1"), listedAs(job, "aps-2")}}}
	o := DiffOptions{Adopt: true, Owners: map[string]Entry{"aps-1": {Plan: "second", Name: "bills", JobID: "aps-1"}}}
	for id, want := range map[string]Kind{"": KindBlocked, "aps-1": KindBlocked, "aps-2": KindAdopt} {
		job.Adopt.ID = id
		c := Diff(&Plan{Name: "p", Jobs: []Job{job}}, Snapshot{}, listings, o)[0]
		named := strings.Contains(c.Reason, "is job bills of plan second") && strings.Contains(c.Reason, "ledger forget bills --plan second")
		if c.Kind != want || named != (want == KindBlocked) {
			t.Errorf("adopt %q: got %s: %s", id, c.Kind, c.Reason)
		}
	}
}

// The plan that has a job open is not the one at hand: the command that settles it
// has to name it.
func TestDiffOfAJobThatAnotherPlanHasOpen(t *testing.T) {
	job := wantedJob("orders")
	open := entryFor(job, StateUnknown)
	for name, want := range map[string]string{
		"second":    "apsctl resolve --plan second settles it; if the plan was renamed, name it second again",
		"by a hand": "apsctl resolve --plan 'by a hand' settles it",
	} {
		open.Plan = name
		c := Diff(&Plan{Name: "p", Jobs: []Job{job}}, Snapshot{Elsewhere: []Entry{open}}, nil, DiffOptions{})[0]
		if c.Kind != KindBlocked || !strings.Contains(c.Reason, want) {
			t.Errorf("got %s: %s", c.Kind, c.Reason)
		}
	}
}
