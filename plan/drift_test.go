package plan

import (
	"strings"
	"testing"
	"time"
)

func TestFindDriftInOneJob(t *testing.T) {
	tests := []struct {
		name    string
		wanted  func(*Job)
		entry   func(*Entry)
		service func(*RemoteJob, *RemoteDetail)
		seen    func(*Seen)
		left    bool // the job left the plan
		want    string
	}{
		{name: "as it was left", want: ""},
		{name: "as it was left, out of the plan", left: true, want: ""},
		{name: "lost", entry: func(e *Entry) { e.State = StateLost }, want: "missing: it was created and is gone from the service"},
		{name: "not listed", seen: func(s *Seen) { s.Job, s.Detail = nil, nil }, want: "missing: a complete listing does not show it"},
		{name: "new and not listed", seen: func(s *Seen) { *s = Seen{New: true} }, want: "note new"},
		{name: "there twice", entry: func(e *Entry) { e.State, e.JobID, e.Candidates = StateDuplicate, "", []string{"aps-1", "aps-2"} },
			want: "duplicate: several jobs may be this one (aps-1, aps-2)"},
		{name: "unanswered", entry: func(e *Entry) { e.State, e.JobID = StateUnknown, "" }, want: "note unsettled"},
		{name: "failed", service: func(r *RemoteJob, _ *RemoteDetail) {
			r.Status, r.SubStatus, r.ErrorMessage = "InitializeFailed", "FullDataSync", "no binary log"
		}, want: "failed: its status is InitializeFailed (FullDataSync): no binary log"},
		{name: "other objects", service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = `{"theirs":{}}` },
			want: "changed: db_list changed outside apsctl"},
		{name: "other objects, out of the plan", left: true, service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = `{"theirs":{}}` },
			want: "changed: db_list changed outside apsctl"},
		{name: "other objects that the plan wants", wanted: func(j *Job) { j.DBList = `{"theirs":{}}` },
			service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = `{"theirs":{}}` }, want: "note followed"},
		{name: "other objects that are ignored", wanted: func(j *Job) { j.Ignore = fieldSet(t, "db_list") },
			service: func(_ *RemoteJob, d *RemoteDetail) { d.DBList = `{"theirs":{}}` }, want: ""},
		{name: "other objects some time ago", entry: func(e *Entry) { e.Differed, e.ComparedAt = "db_list,partition_list", time.Unix(9, 0) },
			seen: func(s *Seen) { s.Detail = nil }, want: "changed: db_list, partition_list changed outside apsctl, when it was last compared"},
		{name: "the same objects again", entry: func(e *Entry) { e.Differed, e.ComparedAt = "db_list", time.Unix(9, 0) }, want: ""},
		{name: "a plan that changed", wanted: func(j *Job) { j.DBList = `{"more":{}}` }, want: "waiting"},
		{name: "another source", seen: func(s *Seen) { s.Job.SourceInstance, s.Detail = "pc-9", nil }, want: "changed: source.instance changed outside apsctl"},
		{name: "suspended against the plan", wanted: func(j *Job) { j.State = Running },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "Suspended" }, want: "state: its status is Suspended, and the plan wants it running"},
		{name: "running, and put to suspended", entry: func(e *Entry) { e.Doing = Suspended }, want: "state: its status is Running, and it was put to suspended"},
		{name: "a plan that wants it suspended by now", wanted: func(j *Job) { j.State = Suspended }, entry: func(e *Entry) { e.Doing = Running }, want: "waiting"},
		{name: "on its way", wanted: func(j *Job) { j.State = Running }, entry: func(e *Entry) { e.Doing = Running },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "Initializing" }, want: ""},
		{name: "never started", wanted: func(j *Job) { j.State = Running }, entry: func(e *Entry) { e.Doing = Running },
			service: func(r *RemoteJob, _ *RemoteDetail) { r.Status = "NotStarted" }, want: "state: its status is NotStarted, and the plan wants it running"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			had, job := wantedJob("orders"), wantedJob("orders")
			if test.wanted != nil {
				test.wanted(&job)
				job.Digest = HashSpec(job.Spec)
			}
			entry := entryFor(had, StateCreated)
			seen := seenAs(had, func(r *RemoteJob, d *RemoteDetail) {
				if test.service != nil {
					test.service(r, d)
				}
			})
			if test.entry != nil {
				test.entry(&entry)
			}
			if test.seen != nil {
				s := seen["aps-orders"]
				test.seen(&s)
				seen["aps-orders"] = s
			}
			p := &Plan{Jobs: []Job{job}}
			if test.left {
				p.Jobs = nil
			}
			changes := Diff(p, Snapshot{Entries: map[string]Entry{"orders": entry}}, nil, DiffOptions{Seen: seen})
			if got := FindDrift(changes, nil, nil).String(); !strings.HasPrefix(got, test.want) || test.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// String is for the table above.
func (d Drifts) String() string {
	var parts []string
	for _, one := range d.Drifts {
		parts = append(parts, string(one.Kind)+": "+one.Text)
	}
	for _, one := range d.Notes {
		parts = append(parts, "note "+string(one.Kind))
	}
	if d.Waiting > 0 {
		parts = append(parts, "waiting")
	}
	return strings.Join(parts, "; ")
}

func TestFindDriftNotesJobsThatNoPlanKnows(t *testing.T) {
	job := wantedJob("orders")
	entry := entryFor(job, StateCreated)
	twin := listedAs(wantedJob("twin"), "aps-twin") // from and to the same instances
	namesake := listedAs(wantedJob("orders"), "aps-namesake")
	namesake.SourceInstance = "pc-9"
	other := listedAs(wantedJob("other"), "aps-other")
	other.SourceInstance = "pc-9"
	owned := listedAs(wantedJob("owned"), "aps-owned") // of another plan
	listings := map[string]Listing{job.Region: {Region: job.Region, Jobs: []RemoteJob{listedAs(job, entry.JobID), twin, namesake, other, owned}}}
	changes := Diff(&Plan{Jobs: []Job{job}}, Snapshot{Entries: map[string]Entry{"orders": entry}}, listings,
		DiffOptions{Seen: seenAs(job, func(*RemoteJob, *RemoteDetail) {})})
	d := FindDrift(changes, listings, map[string]Entry{"aps-owned": {}})
	if len(d.Drifts) != 0 || len(d.Notes) != 2 || d.Notes[0].JobID != "aps-twin" || d.Notes[1].JobID != "aps-namesake" {
		t.Errorf("got %+v", d)
	}
}
