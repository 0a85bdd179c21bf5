package report

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/plan"
)

// began is when the applies of these tests began; they take a minute.
var began = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// applyOf is an apply of plan p that ended with these counts and causes.
func applyOf(counts, stop string, causes ...jsonform.Cause) Run {
	ended := began.Add(time.Minute)
	return Run{Run: jsonform.Run{
		ID: "run-1", Command: "apply", Plan: "p", State: jsonform.RunEnded, StartedAt: began, FinishedAt: &ended,
		Counts: json.RawMessage(counts), Errors: causes, Stop: stop,
	}}
}

func entryOf(name string, state plan.State, at time.Time) Job {
	return Job{Entry: plan.Entry{Plan: "p", Name: name, State: state, UpdatedAt: at}}
}

// TestLastApplyThatFailed: what it left undone is told where no entry tells of it,
// and nobody is told that nothing needs them.
func TestLastApplyThatFailed(t *testing.T) {
	unread := jsonform.Cause{Code: "E-JOB-FAILED", Ending: "failed", Cause: "could not be prepared", Jobs: 2, Example: "the variable is not set", Names: []string{"b", "c"}}
	held := jsonform.Cause{Code: "E-JOB-UNKNOWN", Ending: "unknown", Cause: "sent lately", Jobs: 2, Names: []string{"b", "c"}}
	refused := jsonform.Cause{Code: "E-JOB-FAILED", Ending: "failed", Cause: "InvalidDBClusterId.NotFound", Jobs: 1, Names: []string{"b"}}
	differs := jsonform.Cause{Code: "E-JOB-DIFFERS", Ending: "blocked", Cause: "differs in what cannot be changed in place", Jobs: 1, Names: []string{"a"}}
	unhealthy := jsonform.Cause{Code: "E-JOB-UNHEALTHY", Ending: "unhealthy", Cause: "Failed", Jobs: 1, Names: []string{"a"}}
	during, later := began.Add(time.Second), began.Add(time.Hour)
	for name, test := range map[string]struct {
		jobs      []Job
		run       Run
		asked     bool
		want      []string // stand, cause
		attention int
	}{
		"no entry": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":3,"created":1,"failed":2}`, "", unread), false,
			[]string{"2 failed in the last apply: could not be prepared"}, 2,
		},
		"held back, without an entry": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":3,"created":1,"unknown":2}`, "", held), false,
			[]string{"2 unknown after the last apply: sent lately"}, 2,
		},
		"unknown, with an entry": {
			[]Job{entryOf("b", plan.StateUnknown, during), entryOf("c", plan.StateUnknown, during)}, applyOf(`{"planned":2,"unknown":2}`, "", held), false,
			nil, 0, // it has a section of its own, and needs nobody
		},
		"not tried": {
			[]Job{entryOf("a", plan.StateCreated, during)},
			applyOf(`{"planned":3,"created":1,"not_tried":2}`, "the failure cap was passed: 1 jobs failed"), false,
			[]string{"2 not tried by the last apply: the failure cap was passed"}, 2,
		},
		"not tried again": { // each of them is counted once
			[]Job{entryOf("a", plan.StateRejected, began.Add(-time.Hour))}, applyOf(`{"planned":2,"not_tried":2}`, "interrupted"), false,
			[]string{"2 not tried by the last apply: interrupted", "1 not created: rejected"}, 2,
		},
		"the entry tells": {
			[]Job{entryOf("b", plan.StateRejected, during)}, applyOf(`{"planned":1,"failed":1}`, "", refused), false,
			[]string{"1 not created: rejected"}, 1,
		},
		"settled since": {
			[]Job{entryOf("b", plan.StateCreated, later)}, applyOf(`{"planned":1,"failed":1}`, "", refused), false, nil, 0,
		},
		"one of two settled since": {
			[]Job{entryOf("b", plan.StateCreated, later)}, applyOf(`{"planned":2,"failed":2}`, "", unread), false,
			[]string{"1 failed in the last apply: could not be prepared"}, 1,
		},
		"cannot be changed": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":1,"blocked":1}`, "", differs), false,
			[]string{"1 blocked in the last apply: differs in what cannot be changed in place"}, 1,
		},
		"does not run": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":1,"unhealthy":1}`, "", unhealthy), false,
			[]string{"1 not running after the last apply: Failed"}, 1,
		},
		"runs by now": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":1,"unhealthy":1}`, "", unhealthy), true, nil, 0,
		},
		"done": {
			[]Job{entryOf("a", plan.StateCreated, during)}, applyOf(`{"planned":1,"created":1}`, ""), false, nil, 0,
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := Facts{
				Jobs: test.jobs, Runs: []Run{test.run}, Now: later,
				Advice: Advice{NotTried: "Run apply again.", Codes: map[string]string{"E-JOB-FAILED": "Mend that.", "E-JOB-DIFFERS": "Allow it."}},
			}
			if test.asked {
				f.Asked = []Region{{Region: "r"}}
				f.Jobs[0].Asked, f.Jobs[0].Remote = true, &plan.RemoteJob{Status: "Running"}
			}
			r := Build(f)
			var got []string
			for _, g := range r.Failures {
				got = append(got, fmt.Sprintf("%d %s: %s", g.Jobs, g.Stand, g.Cause))
				if g.Next == "" || g.Names == nil {
					t.Errorf("%+v lacks its next step or names", g)
				}
			}
			if !reflect.DeepEqual(got, test.want) || r.attention() != test.attention {
				t.Errorf("got %q for %d, want %q for %d", got, r.attention(), test.want, test.attention)
			}
			var page, markdown strings.Builder
			if err := WriteHTML(&page, r); err != nil {
				t.Fatal(err)
			}
			if err := WriteMarkdown(&markdown, r, false); err != nil {
				t.Fatal(err)
			}
			for _, form := range []string{page.String(), markdown.String()} {
				if strings.Contains(form, "Nothing needs you") != (test.attention == 0) {
					t.Errorf("wrong verdict in\n%s", form)
				}
				for _, g := range r.Failures {
					wantIn(t, form, string(g.Stand), g.Words, g.Next)
				}
			}
		})
	}
}

// TestApplyOfChosenJobs: one that was told which jobs to take says nothing of the
// others, which stand as the last apply of all of them left them.
func TestApplyOfChosenJobs(t *testing.T) {
	unread := jsonform.Cause{Ending: "failed", Cause: "could not be prepared", Jobs: 2, Names: []string{"b", "c"}}
	again := jsonform.Cause{Ending: "failed", Cause: "the answer was no", Jobs: 1, Names: []string{"b"}}
	many := jsonform.Cause{Ending: "failed", Cause: "could not be prepared", Jobs: 20, Names: []string{"b", "c"}}
	during, later := began.Add(time.Second), began.Add(time.Hour)
	at := func(r Run, after time.Duration) Run {
		ended := r.FinishedAt.Add(after)
		r.StartedAt, r.FinishedAt = r.StartedAt.Add(after), &ended
		return r
	}
	changed := applyOf(`{"planned":9,"not_tried":9}`, "interrupted")
	changed.PlanDigest = "another"
	created := func(name string, at time.Time) Job { return entryOf(name, plan.StateCreated, at) }
	for name, test := range map[string]struct {
		jobs  []Job
		runs  []Run
		total int
		want  []string
	}{
		"another one": {
			[]Job{created("a", during), created("d", later)},
			[]Run{at(applyOf(`{"planned":1,"created":1}`, ""), time.Hour), applyOf(`{"planned":4,"created":1,"failed":2,"not_tried":1}`, "interrupted", unread), changed},
			4, []string{"2 failed in the last apply: could not be prepared"},
		},
		"one of them": {
			[]Job{created("a", during), created("b", later), created("d", during)},
			[]Run{at(applyOf(`{"planned":1,"created":1}`, ""), time.Hour), applyOf(`{"planned":4,"created":2,"failed":2}`, "", unread)},
			4, []string{"1 failed in the last apply: could not be prepared"},
		},
		"one of them, and it failed again": {
			[]Job{created("a", during), created("d", during)},
			[]Run{at(applyOf(`{"planned":1,"failed":1}`, "", again), time.Hour), applyOf(`{"planned":4,"created":2,"failed":2}`, "", unread)},
			4, []string{"1 failed in the last apply: could not be prepared", "1 failed in the last apply: the answer was no"},
		},
		"those that were not named": {
			[]Job{created("a", during), created("b", later), created("c", later)},
			[]Run{at(applyOf(`{"planned":2,"created":2}`, ""), time.Hour), applyOf(`{"planned":21,"created":1,"failed":20}`, "", many)},
			21, []string{"18 failed in the last apply: could not be prepared"},
		},
		"all of it again": {
			[]Job{created("a", during)},
			[]Run{at(applyOf(`{"planned":1,"kept":1}`, ""), time.Hour), applyOf(`{"planned":1,"failed":1}`, "", again)},
			1, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := Build(Facts{Jobs: test.jobs, Runs: test.runs, Now: later})
			var got []string
			for _, g := range r.Failures {
				got = append(got, fmt.Sprintf("%d %s: %s", g.Jobs, g.Stand, g.Cause))
			}
			if !reflect.DeepEqual(got, test.want) || r.Total != test.total {
				t.Errorf("got %q of %d, want %q of %d", got, r.Total, test.want, test.total)
			}
		})
	}
}
