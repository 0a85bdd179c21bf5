package plan

import (
	"strings"
	"testing"
)

func found(name string) Found {
	return Found{Region: "cn-hangzhou", Job: RemoteJob{ID: "aps-1", Name: name, SourceInstance: "pc-1", DestinationInstance: "amv-1"}}
}

func TestImportedSpec(t *testing.T) {
	detail := func(edit func(*RemoteDetail)) RemoteDetail {
		d := RemoteDetail{
			ID: "aps-1", SourceRegion: "cn-hangzhou", SourceInstance: "pc-1", DestinationRegion: "cn-hangzhou", DestinationInstance: "amv-1",
			DBList: `{"b": 1.0, "a": true}`, PartitionList: "{}", TargetTableMode: "0", Status: "Running",
		}
		edit(&d)
		return d
	}
	want := Spec{
		Name: "a", Region: "cn-hangzhou", DBList: `{"a":true,"b":1}`,
		Source: SourceEndpoint{Instance: "pc-1"}, Destination: DestinationEndpoint{Instance: "amv-1"},
	}
	got, err := ImportedSpec(found("a"), detail(func(*RemoteDetail) {}))
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	want.Source.Region, want.TargetTableMode, want.PartitionList = "cn-beijing", "2", `{"p":1}`
	got, err = ImportedSpec(found("a"), detail(func(d *RemoteDetail) {
		d.SourceRegion, d.TargetTableMode, d.PartitionList = "cn-beijing", "2", `{"p": 1.0}`
	}))
	if err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for why, edit := range map[string]func(*RemoteDetail){
		"does not tell what it synchronises": func(d *RemoteDetail) { d.DBList = "" },
		"db_list is empty":                   func(d *RemoteDetail) { d.DBList = "{}" },
		"its db_list cannot be used":         func(d *RemoteDetail) { d.DBList = `{"a":1,"a":2}` },
		"its partition_list cannot be used":  func(d *RemoteDetail) { d.PartitionList = `[` },
		"says EntireInstance as a text":      func(d *RemoteDetail) { d.DBList = `{"EntireInstance":"true"}` },
		"its source is pc-2":                 func(d *RemoteDetail) { d.SourceInstance = "pc-2" },
		"its target_table_mode":              func(d *RemoteDetail) { d.TargetTableMode = "a\nb" },
	} {
		if _, err := ImportedSpec(found("a"), detail(edit)); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("want %q, got %v", why, err)
		}
	}
}

// What the ledger has of a plan is taken as it is, and new jobs have to fit in.
func TestForPlan(t *testing.T) {
	entries := map[string]Entry{
		"mine":  {Plan: "p", Name: "mine", State: StateCreated, JobID: "aps-1"},
		"gone":  {Plan: "p", Name: "gone", State: StateLost, JobID: "aps-1"},
		"tried": {Plan: "p", Name: "tried", State: StateRejected},
	}
	for name, want := range map[string]string{
		"new": "", "mine": "plan p has another job (aps-1) under this name", "tried": "plan p has a job of this name as rejected",
		"MINE": "", // only names that are imported together stand in one file
	} {
		all := []Found{found(name)}
		if ForPlan(all, "p", entries, Commands{}); all[0].Why != want || (want == "") != (all[0].WayOut == "") {
			t.Errorf("%s: got %q, %q", name, all[0].Why, all[0].WayOut)
		}
	}
	mine, gone, alike := found("x"), found("y"), found("MINE")
	entry, lost := entries["mine"], entries["gone"]
	mine.Entry, gone.Entry = &entry, &lost
	all := []Found{mine, gone, alike}
	ForPlan(all, "p", entries, Commands{})
	if all[0].Why != "" || all[1].Why != "the ledger has it as lost" || !strings.Contains(all[2].Why, `"mine", aps-1`) {
		t.Errorf("got %q, %q, %q", all[0].Why, all[1].Why, all[2].Why)
	}
}

func TestFindJobsRefusesNamesThatNoPlanCanHave(t *testing.T) {
	listing := Listing{Region: "cn-hangzhou", Jobs: []RemoteJob{
		{ID: "aps-1", Name: ""}, {ID: "aps-2", Name: "a/b"}, {ID: "aps-3", Name: "twice"}, {ID: "aps-4", Name: "twice"}, {ID: "aps-5", Name: "good"},
		{ID: "aps-6", Name: "known badly/"},
	}}
	known := Entry{Plan: "p", Name: "known", Region: "cn-hangzhou", State: StateCreated, JobID: "aps-6"}
	all := FindJobs([]Listing{listing}, []Entry{known}, Commands{})
	for i, want := range []string{"it has no name", `its name cannot have "/" in it`, "2 jobs in cn-hangzhou have this name (aps-3, aps-4)",
		"2 jobs in cn-hangzhou have this name (aps-3, aps-4)", "", ""} {
		if !strings.Contains(all[i].Why, want) || (want == "") != (all[i].Why == "") {
			t.Errorf("%d: got %q", i, all[i].Why)
		}
	}
	if all[5].Entry == nil || all[5].Name() != "known" {
		t.Errorf("got %+v", all[5])
	}
}
