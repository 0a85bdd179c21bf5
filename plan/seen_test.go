package plan

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
)

// seenAs is a created job of the plan, as the ledger has it and the service shows it.
func seenAs(job Job, change func(*RemoteJob, *RemoteDetail)) map[string]Seen {
	remote := listedAs(job, "aps-"+job.Name)
	remote.Status = "Running"
	detail := RemoteDetail{
		ID: remote.ID, SourceInstance: job.Source.Instance, DestinationInstance: job.Destination.Instance,
		SourceRegion: job.Region, DestinationRegion: job.Region, DBList: job.DBList, PartitionList: "{}", TargetTableMode: "0",
	}
	change(&remote, &detail)
	return map[string]Seen{remote.ID: {Job: &remote, Detail: &detail}}
}

func TestDiffSaysWhoStandsAlone(t *testing.T) {
	const other, third = `{"sales":{"all":true}}`, `{"stock":{"all":true}}`
	tests := []struct {
		name    string
		wanted  func(*Job)
		service func(*RemoteJob, *RemoteDetail)
		kind    Kind
		want    string
		put     DesiredState
	}{
		{name: "nobody", kind: KindKeep},
		{name: "objects as JSON means them", kind: KindKeep, service: func(_ *RemoteJob, d *RemoteDetail) {
			d.DBList, d.PartitionList = ` { "EntireInstance" : true } `, "null"
		}},
		{name: "the plan", kind: KindUpdate, want: "db_list plan in place",
			wanted: func(j *Job) { j.DBList = other }},
		{name: "the service", kind: KindUpdate, want: "db_list service in place",
			service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = other }},
		{name: "the ledger", kind: KindUpdate, want: "db_list ledger ledger only",
			wanted: func(j *Job) { j.DBList = other }, service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = other }},
		{name: "all", kind: KindUpdate, want: "db_list all in place",
			wanted: func(j *Job) { j.DBList = other }, service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = third }},
		{name: "partitions that came in", kind: KindUpdate, want: "partition_list service in place",
			service: func(_ *RemoteJob, d *RemoteDetail) { d.PartitionList = `{"a":1}` }},
		{name: "objects that are no JSON", kind: KindUpdate, want: "db_list service in place",
			service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = "all" }},
		{name: "objects that are not told", kind: KindKeep, service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = "" }},
		{name: "regions that are not told", kind: KindKeep, service: func(_ *RemoteJob, d *RemoteDetail) { d.SourceRegion, d.DestinationRegion = "", "" }},
		{name: "a region that nobody said", kind: KindKeep, service: func(_ *RemoteJob, d *RemoteDetail) { d.SourceRegion = "cn-beijing" }},
		{name: "a region that the service has already", kind: KindUpdate, want: "source.region ledger ledger only",
			wanted: func(j *Job) { j.Source.Region = "cn-hangzhou" }},
		{name: "whatever mode is shown", kind: KindKeep, service: func(_ *RemoteJob, d *RemoteDetail) { d.TargetTableMode = "2" }},
		{name: "a mode of the plan, which is blind", kind: KindReplace, want: "target_table_mode  replace",
			wanted: func(j *Job) { j.TargetTableMode = "1" }},
		{name: "users, which are blind", kind: KindReplace, want: "source.user  blind", wanted: func(j *Job) { j.Source.User = "v" }},
		{name: "a source that cannot be put back in place", kind: KindReplace, want: "source.instance service replace",
			service: func(r *RemoteJob, d *RemoteDetail) { r.SourceInstance, d.SourceInstance = "pc-9", "pc-9" }},
		{name: "what is ignored", kind: KindKeep, wanted: func(j *Job) { j.Ignore = fieldSet(t, "db_list") },
			service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = other }},
		{name: "a protected job", kind: KindBlocked, want: "source.instance service replace", wanted: func(j *Job) { j.Protect = true },
			service: func(r *RemoteJob, d *RemoteDetail) { r.SourceInstance, d.SourceInstance = "pc-9", "pc-9" }},
		{name: "a status that is not as the plan says", kind: KindStart, wanted: func(j *Job) { j.State = Running },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "Suspended" }},
		{name: "one that was put to what the plan says, and back", kind: KindStart, wanted: func(j *Job) { j.State = Running }, put: Running,
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "Suspended" }},
		{name: "a job that was never started", kind: KindStart, wanted: func(j *Job) { j.State = Running },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "NotStarted" }},
		{name: "one that stands still without having been started", kind: KindKeep, wanted: func(j *Job) { j.State = Suspended },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "NotStarted" }},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			had, job := wantedJob("orders"), wantedJob("orders")
			if test.wanted != nil {
				test.wanted(&job)
				job.Digest = HashSpec(job.Spec)
			}
			entry := entryFor(had, StateCreated)
			entry.Doing = test.put
			ledger := Snapshot{Entries: map[string]Entry{"orders": entry}}
			o := DiffOptions{Seen: seenAs(had, func(r *RemoteJob, d *RemoteDetail) {
				if test.service != nil {
					test.service(r, d)
				}
			})}
			got := Diff(&Plan{Jobs: []Job{job}}, ledger, nil, o)[0]
			var fields []string
			for _, f := range got.Fields {
				fields = append(fields, fmt.Sprintf("%s %s %s", f.Field, f.Differs, f.Effect))
			}
			if said := strings.Join(fields, ", "); got.Kind != test.kind || said != test.want {
				t.Errorf("got %s with %q (%s), want %s with %q", got.Kind, said, got.Reason, test.kind, test.want)
			}
			if outside := strings.Contains(got.Reason, "changed outside apsctl"); outside != (got.Kind == KindUpdate && got.Fields[0].Differs.Outside() || test.put != "") {
				t.Errorf("the reason is %q", got.Reason)
			}
		})
	}
}

func fieldSet(t *testing.T, names ...string) (set FieldSet) {
	t.Helper()
	for i, name := range ignorable {
		for _, n := range names {
			if n == name {
				set |= 1 << i
			}
		}
	}
	return set
}

// TestUpdateLeavesWhatIsIgnored: both lists are sent together, and the one whose
// differences are ignored stays as somebody made it.
func TestUpdateLeavesWhatIsIgnored(t *testing.T) {
	job := wantedJob("orders")
	job.Ignore = fieldSet(t, "db_list")
	ledger := Snapshot{Entries: map[string]Entry{"orders": entryFor(job, StateCreated)}}
	o := DiffOptions{Seen: seenAs(job, func(_ *RemoteJob, d *RemoteDetail) {
		d.DBList, d.PartitionList = `{"theirs":{}}`, `{"a":1}`
	})}
	got := Diff(&Plan{Jobs: []Job{job}}, ledger, nil, o)[0]
	if spec := got.Updated(); got.Kind != KindUpdate || spec.DBList != `{"theirs":{}}` || spec.PartitionList != "" {
		t.Errorf("%s makes it %+v", got.Kind, spec)
	}
}

func TestDiffOfAJobThatIsNotListed(t *testing.T) {
	job := wantedJob("orders")
	ledger := Snapshot{Entries: map[string]Entry{"orders": entryFor(job, StateCreated)}}
	for seen, want := range map[Seen]Kind{{}: KindBlocked, {New: true}: KindKeep} {
		got := Diff(&Plan{Jobs: []Job{job}}, ledger, nil, DiffOptions{Seen: map[string]Seen{"aps-orders": seen}})[0]
		if got.Kind != want {
			t.Errorf("%+v is %s (%s), want %s", seen, got.Kind, got.Reason, want)
		}
	}
}

func TestParseRefresh(t *testing.T) {
	for _, text := range []string{"none", "changed", "sample:5%", "sample:200", "all"} {
		if r, err := ParseRefresh(text); err != nil || r.String() != text || r.Asks() != (text != "none") {
			t.Errorf("%s is read as %s, %v", text, r, err)
		}
	}
	for _, text := range []string{"", "yes", "sample", "sample:", "sample:101%", "sample:-1", "ALL"} {
		if r, err := ParseRefresh(text); err == nil {
			t.Errorf("%q is read as %s", text, r)
		}
	}
}

// manySeen are n kept jobs, all listed, of which change says more.
func manySeen(n int, change func(i int, e *Entry)) []Change {
	changes := make([]Change, n)
	for i := range changes {
		job := wantedJob(fmt.Sprintf("job-%03d", i))
		entry := entryFor(job, StateCreated)
		remote := listedAs(job, entry.JobID)
		change(i, &entry)
		changes[i] = Change{Kind: KindKeep, Name: job.Name, Job: &job, Entry: &entry, Seen: &Seen{Job: &remote}}
	}
	return changes
}

func TestRefreshDescribes(t *testing.T) {
	changes := manySeen(100, func(i int, e *Entry) {
		if i < 3 {
			e.Differed = "db_list"
		}
	})
	changes[50].Fields = []FieldChange{{Field: "db_list"}}
	changes[51].Fields = []FieldChange{{Field: "source.user"}} // the details do not show it
	changes[52].Seen.Job = nil                                 // not listed
	changes[53].Seen = nil                                     // not compared
	changes[54].Job = nil                                      // left the plan
	for text, want := range map[string]int{"none": 0, "changed": 4, "sample:10%": 14, "sample:7": 11, "all": 97} {
		r, _ := ParseRefresh(text)
		if got := r.Describe(changes); len(got) != want {
			t.Errorf("%s describes %d jobs, want %d", text, len(got), want)
		}
	}
}

// TestSamplesComeByEveryJob holds for the promised number of runs and calls,
// however many jobs are known to differ.
func TestSamplesComeByEveryJob(t *testing.T) {
	for _, differing := range []int{0, 5, 60, 97} {
		changes := manySeen(97, func(i int, e *Entry) {
			if i < differing {
				e.Differed = "db_list"
			}
		})
		share, _ := ParseLimit("5%")
		r := DriftSample(share)
		compared := map[string]bool{}
		runs := r.Runs(len(changes))
		for run := range runs {
			described := r.Describe(changes)
			if len(described) > 10 { // 5 of 97, and as many again
				t.Fatalf("a run describes %d jobs", len(described))
			}
			for _, c := range described {
				c.Entry.ComparedAt = time.Unix(int64(1000+run), 0)
				compared[c.Name] = true
			}
		}
		if runs != 20 || len(compared) != 97 {
			t.Errorf("%d runs compared %d of 97 jobs, with %d that differ", runs, len(compared), differing)
		}
	}
}

// TestWhatIsDoneAboutADifferenceSettlesIt: whatever ledger, plan and service have
// of both lists, once an update has made the job as it says, nothing is left to do;
// and a job that is only recorded was so before.
func TestWhatIsDoneAboutADifferenceSettlesIt(t *testing.T) {
	texts := []string{`{"a":1}`, `{"b":{"all":true}}`, `{"c":[1,2]}`}
	partitions := []string{"", `{"p":1}`, `{"q":2}`}
	specs := func(job Job, n int) Spec {
		job.DBList, job.PartitionList = texts[n%3], partitions[n/3]
		return job.Spec
	}
	for n := range 9 * 9 * 9 * 3 {
		job, entry := wantedJob("orders"), Entry{}
		job.Spec = specs(job, n%9)
		job.Digest = HashSpec(job.Spec)
		had := wantedJob("orders")
		had.Spec = specs(had, n/9%9)
		had.Digest = HashSpec(had.Spec)
		entry = entryFor(had, StateCreated)
		has := specs(job, n/81%9)
		switch n / 729 {
		case 1:
			job.Ignore = fieldSet(t, "db_list")
		case 2:
			job.Ignore = fieldSet(t, "partition_list")
		}
		diff := func(has Spec) Change {
			seen := seenAs(had, func(_ *RemoteJob, d *RemoteDetail) { d.DBList, d.PartitionList = has.DBList, has.PartitionList })
			return Diff(&Plan{Jobs: []Job{job}}, Snapshot{Entries: map[string]Entry{"orders": entry}}, nil, DiffOptions{Seen: seen})[0]
		}
		first := diff(has)
		if first.Kind == KindKeep {
			continue
		}
		is := first.Updated()
		if first.OnlyRecorded() && (!SameJSON(is.DBList, has.DBList) || !SameJSON(is.PartitionList, has.PartitionList)) {
			t.Fatalf("%d: %+v is only recorded, and the service has %+v", n, is, has)
		}
		if job.Ignore.Has("db_list") && is.DBList != has.DBList || job.Ignore.Has("partition_list") && is.PartitionList != has.PartitionList {
			t.Fatalf("%d: what is ignored is changed from %+v to %+v", n, has, is)
		}
		entry.Spec, entry.Digest = is, job.Digest
		if then := diff(is); first.Kind != KindUpdate || then.Kind != KindKeep {
			t.Fatalf("%d: %s, and after it %s: %+v", n, first.Kind, then.Kind, then.Fields)
		}
	}
}

func TestRenderSaysWhoStandsAlone(t *testing.T) {
	text.DisableColors()
	p := &Plan{Name: "shop", File: "shop.yaml"}
	ledger, o := Snapshot{Entries: map[string]Entry{}}, DiffOptions{Seen: map[string]Seen{}}
	const ours, theirs = `{"sales":{"all":true}}`, `{"stock":{"all":true}}`
	for _, one := range []struct{ name, wants, has string }{{"followed", ours, ours}, {"mine", ours, `{"EntireInstance":true}`}, {"theirs", `{"EntireInstance":true}`, theirs}, {"third", ours, theirs}} {
		had, job := wantedJob(one.name), wantedJob(one.name)
		job.DBList = one.wants
		job.Digest = HashSpec(job.Spec)
		p.Jobs, ledger.Entries[one.name] = append(p.Jobs, job), entryFor(had, StateCreated)
		maps.Copy(o.Seen, seenAs(had, func(_ *RemoteJob, d *RemoteDetail) { d.DBList = one.has }))
	}
	moved := wantedJob("source")
	p.Jobs, ledger.Entries["source"] = append(p.Jobs, moved), entryFor(moved, StateCreated)
	maps.Copy(o.Seen, seenAs(moved, func(r *RemoteJob, d *RemoteDetail) { r.SourceInstance, d.SourceInstance = "pc-9", "pc-9" }))
	var b strings.Builder
	if err := Render(&b, Preview{Plan: p, Changes: Diff(p, ledger, nil, o)}, RenderOptions{}); err != nil {
		t.Fatal(err)
	}
	golden(t, "render-refreshed.txt", b.String())
}
