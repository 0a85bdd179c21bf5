package plan

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/apsctl/apsctl/internal/cost"
)

// TestTwinsAreThoseThatAgree: which twins a job has is what comparing each with each
// comes to, however they are indexed.
func TestTwinsAreThoseThatAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		objects := []string{`{"EntireInstance":true}`, `{"shop":{"all":true}}`}
		var changes []Change
		for i := range rapid.IntRange(1, 5).Draw(t, "wanted") {
			job := wantedJob(fmt.Sprintf("job-%d", i))
			job.Source.Instance = rapid.SampledFrom([]string{"pc-1", "pc-2"}).Draw(t, "source")
			job.Source.Region = rapid.SampledFrom([]string{"", "cn-hangzhou", "cn-beijing"}).Draw(t, "source region")
			job.DBList = rapid.SampledFrom(objects).Draw(t, "objects")
			job.PartitionList = rapid.SampledFrom([]string{"", `{"a":1}`}).Draw(t, "partitions")
			changes = append(changes, Change{Kind: KindCreate, Name: job.Name, Job: &job})
		}
		var twins []Twin
		for i := range rapid.IntRange(0, 5).Draw(t, "twins") {
			job := RemoteJob{ID: fmt.Sprintf("aps-%d", i), Name: "before", DestinationInstance: "amv-1",
				SourceInstance: rapid.SampledFrom([]string{"pc-1", "pc-2"}).Draw(t, "its source")}
			twins = append(twins, Twin{Region: "cn-hangzhou", Job: job, Detail: &RemoteDetail{
				SourceInstance: job.SourceInstance, SourceRegion: rapid.SampledFrom([]string{"", "cn-hangzhou"}).Draw(t, "its source region"),
				DBList:        rapid.SampledFrom([]string{`{"EntireInstance": true}`, objects[1]}).Draw(t, "its objects"),
				PartitionList: rapid.SampledFrom([]string{"", "{}", `{ "a": 1.0 }`}).Draw(t, "its partitions"),
			}})
		}
		x := newTwinIndex(changes, twins)
		agrees := func(c Change, twin Twin) bool {
			return len(DisagreeListed(c.Job.Spec, twin.Job)) == 0 && len(DisagreeDetail(c.Job.Spec, *twin.Detail)) == 0
		}
		for _, c := range changes {
			var want, got []string
			others := false
			for _, twin := range twins {
				if !agrees(c, twin) {
					continue
				}
				want = append(want, twin.Job.ID)
				others = others || slices.ContainsFunc(changes, func(o Change) bool { return o.Name != c.Name && agrees(o, twin) })
			}
			found, only, err := x.of(c.Job)
			for _, f := range found {
				got = append(got, f.Job.ID)
			}
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) || only != (len(want) == 1 && !others) {
				t.Fatalf("%s has %v, only %t, %v; want %v, others %t", c.Name, got, only, err, want, others)
			}
		}
	})
}

// One that could not be read may be any of its source and destination.
func TestUnreadTwinIsInTheWayOfItsPairOnly(t *testing.T) {
	here, there := wantedJob("here"), wantedJob("there")
	there.Source.Instance = "pc-2"
	p := &Plan{Name: "p", Jobs: []Job{here, there}}
	changes := Diff(p, Snapshot{}, nil, DiffOptions{})
	failed := errors.New("not now")
	twins := []Twin{{Region: here.Region, Job: listedAs(wantedJob("before"), "aps-1"), Err: failed}}
	unread := HoldTwins(changes, changes, twins, p, DiffOptions{Adopt: true})
	if unread["here"] != failed || len(unread) != 1 || changes[0].Kind != KindCreate || changes[1].Kind != KindCreate {
		t.Errorf("got %v and %+v", unread, changes)
	}
}

// TestTwinsOfVeryManyJobsCostLittle: no walk over all jobs for each of them, be they of
// one pair or even all for the same.
func TestTwinsOfVeryManyJobsCostLittle(t *testing.T) {
	notIfShort(t)
	const jobs = 5_000
	for name, objects := range map[string]func(i int) string{
		"each its own":     func(i int) string { return fmt.Sprintf(`{"db-%d":{"all":true}}`, i) },
		"all for the same": func(int) string { return `{"EntireInstance":true}` },
	} {
		p, listing := &Plan{Name: "p"}, Listing{Region: "cn-hangzhou"}
		details := map[string]RemoteDetail{}
		for i := range jobs {
			job := wantedJob(fmt.Sprintf("job-%d", i))
			job.DBList = objects(i)
			p.Jobs = append(p.Jobs, job)
			id := fmt.Sprintf("aps-%d", i)
			listing.Jobs = append(listing.Jobs, listedAs(wantedJob(fmt.Sprintf("before-%d", i)), id))
			details[id] = RemoteDetail{DBList: objects(i)}
		}
		listings := map[string]Listing{listing.Region: listing}
		changes := Diff(p, Snapshot{}, listings, DiffOptions{})
		took, _ := cost.Of(t, func() {
			twins := FindTwins(p, changes, listings, nil)
			for i := range twins {
				detail := details[twins[i].Job.ID]
				twins[i].Detail = &detail
			}
			if len(twins) != jobs {
				t.Errorf("%s: %d twins", name, len(twins))
			}
			HoldTwins(changes, changes, twins, p, DiffOptions{Adopt: true})
		})
		if took > 2*time.Second && !raceEnabled {
			t.Errorf("%s: it took %v of the processor", name, took)
		}
		for _, c := range changes {
			if want := map[bool]Kind{true: KindAdopt, false: KindBlocked}[name == "each its own"]; c.Kind != want {
				t.Fatalf("%s: %s is to be %s: %s", name, c.Name, c.Kind, c.Reason)
			}
		}
	}
}
