package main

import (
	"encoding/json"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// TestMessageThatWasNotTakenIsSentByTheNextRun: until it is taken, and then once.
func TestMessageThatWasNotTakenIsSentByTheNextRun(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	people := newMailbox(t)
	refused := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }
	apply := func(code int) result {
		return b.want(code, "apply", "--yes", "--notify", people.address(), "plan.yaml")
	}
	told := func(step string, want ...string) {
		t.Helper()
		if got := people.outcomes(t); !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", step, got, want)
		}
	}
	b.write("plan.yaml", planOf(1))
	apply(exitDone)
	told("the first run is done")
	b.write("plan.yaml", planOf(2))
	cloud.setFaults("[{operation: CreateAPSJob, kind: status, status: 400, code: InvalidParameter}]")
	people.reply(refused)
	wantIn(t, apply(exitFailed).stderr, "not taken")
	told("refused", "done>failed")
	wantIn(t, apply(exitFailed).stderr, "not taken")
	told("refused again", "failed>failed")
	people.reply(nil)
	apply(exitFailed)
	told("taken", "failed>failed")
	b.want(exitFailed, "apply", "--yes", "plan.yaml") // by hand: nobody is told, nothing is forgotten
	apply(exitFailed)
	told("it was told")
	cloud.setFaults("")
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	apply(exitDone)
	told("well again, first by hand", "done>done")
	apply(exitDone)
	told("it was told that all is well")

	// A run that dies is told by the next one whose message is taken.
	b.write("plan.yaml", planOf(4))
	b.killAfterCreates(cloud, 1, "apply", "--yes", "--parallel", "1", "plan.yaml")
	people.reply(refused)
	b.want(exitDone, "apply", "--yes", "--settle", "1ms", "--notify", people.address(), "plan.yaml")
	told("after a kill, not taken", "died>done")
	people.reply(nil)
	apply(exitDone)
	told("after a kill, taken", "done>done")
	apply(exitDone)
	told("once")

	// The run that was told of is pruned, the one that died is kept for what it created.
	b.want(exitDone, "ledger", "prune", "--older-than", "1ms")
	wantIn(t, b.want(exitDone, "runs").stdout, "died")
	apply(exitDone)
	told("a death of long ago, after a prune")

	// A run that is killed after its end is on record and before its message is taken
	// leaves what was told as it was.
	b.write("plan.yaml", "version: 1\nname: bulk\nnonsense: 1\n")
	held := make(chan struct{})
	people.reply(func(_ http.ResponseWriter, r *http.Request) { close(held); <-r.Context().Done() })
	p := b.start("apply", "--yes", "--notify", people.address(), "plan.yaml")
	<-held
	_ = p.Process.Kill()
	_ = p.result()
	people.reply(nil)
	told("killed while it tells", "done>invalid")
	apply(exitInvalid)
	told("the next one tells", "invalid>invalid")
	apply(exitInvalid)
	told("and no more")
}

// TestRunsSinceTold: news are the runs above the one that was told of.
func TestRunsSinceTold(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	runsAt := func(minutes ...int) (runs []store.Run) {
		for _, m := range minutes {
			at := noon.Add(time.Duration(m) * time.Minute)
			runs = append(runs, store.Run{RunRecord: plan.RunRecord{ID: at.Format("20060102T150405Z") + "-ABCDEFGH", StartedAt: at}})
		}
		return runs
	}
	at := func(minute int) *told {
		return &told{Run: runsAt(minute)[0].ID, At: noon.Add(time.Duration(minute) * time.Minute)}
	}
	for name, test := range map[string]struct {
		told *told
		runs []store.Run
		want int
	}{
		"nobody was told":              {nil, runsAt(3, 2, 1), 0},
		"no run":                       {at(1), nil, 0},
		"the last one":                 {at(3), runsAt(3, 2, 1), 0},
		"the first one":                {at(1), runsAt(3, 2, 1), 2},
		"pruned":                       {at(2), runsAt(4, 3, 1), 2},
		"pruned, and all are older":    {at(5), runsAt(4, 3, 1), 0},
		"further back":                 {at(0), runsAt(3, 2, 1), 3},
		"the clock was put back":       {at(60), runsAt(3, 2, 60, 1), 2},
		"not on record":                {&told{At: noon.Add(2 * time.Minute)}, runsAt(3, 2, 1), 1},
		"not on record, and all newer": {&told{At: noon}, runsAt(3, 2, 1), 3},
	} {
		if got := test.told.since(test.runs); got != test.want {
			t.Errorf("%s: got %d, want %d", name, got, test.want)
		}
	}
}

func TestToldIsThatOfThePlanAndSkipsHalfALine(t *testing.T) {
	b := newBench(t)
	b.seed(seed{name: "a", state: plan.StateRejected})
	one := &bulletin{ledger: b.ledgerPath(), record: newRunRecord(&plan.Plan{Name: "one"}), code: exitFailed}
	two := &bulletin{ledger: b.ledgerPath(), record: newRunRecord(&plan.Plan{Name: "two"}), code: exitInvalid}
	for _, at := range []*bulletin{one, two} {
		if got, err := toldOf(at); got != nil || err != nil {
			t.Errorf("before: %v, %v", got, err)
		}
	}
	path := b.ledgerPath() + toldSuffix
	for _, at := range []*bulletin{one, two} {
		if err := keepTold(at); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, append(text, `{"plan":"one","com`...), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for at, want := range map[*bulletin]runOutcome{one: "failed", two: "invalid"} {
		if got, err := toldOf(at); err != nil || got == nil || got.Outcome != want {
			t.Errorf("%s: got %v, %v", at.record.Plan, got, err)
		}
	}
	nobody := &bulletin{ledger: b.ledgerPath() + "-none", record: one.record}
	if err := keepTold(nobody); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(nobody.ledger + toldSuffix); err == nil {
		t.Error("something is made beside a ledger that is not there")
	}
}

func TestRunThatDiedHasNoExitCodeInAMessage(t *testing.T) {
	a := newApp(strings.NewReader(""), nil, nil)
	for want, last := range map[bool]*earlier{false: {Outcome: outcomeDied}, true: {Outcome: "done", ExitCode: new(int)}} {
		text, err := json.Marshal(newBulletinJSON(a, hostileBulletin(), last, nil).Previous)
		if err != nil || strings.Contains(string(text), "exit_code") != want {
			t.Errorf("%v: %s", err, text)
		}
	}
}
