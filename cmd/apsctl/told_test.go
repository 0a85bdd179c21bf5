package main

import (
	"net/http"
	"slices"
	"testing"
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
