package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSavedPlanIsAppliedOnce(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("p.yaml", planOf(5))
	page := b.want(0, "plan", "--out", "p.saved", "p.yaml")
	wantIn(t, page.stderr, "apsctl apply --saved p.saved")
	b.write("p.yaml", planOf(9)) // what is applied was saved
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Created != 5 || cloud.creates() != 5 {
		t.Errorf("it did %+v with %d creates", a.Counts, cloud.creates())
	}
	again := b.want(exitLimit, "apply", "--yes", "--saved", "p.saved")
	wantIn(t, again.stderr, "p.saved is spent", a.Run, "[E-SAVED-SPENT]")
	b.want(0, "apply", "--yes", "p.yaml")
	wantIn(t, b.want(exitLimit, "apply", "--yes", "--saved", "p.saved").stderr, "[E-SAVED-SPENT]")
	if n := cloud.creates(); n != 9 {
		t.Errorf("%d creates, want 9", n)
	}
}

func TestSavedPlanIsStaleAfterAnyOtherApply(t *testing.T) {
	for name, c := range map[string]struct {
		before, after func(b *bench)
		says          string
	}{
		"that created": {nil, func(b *bench) { b.want(0, "apply", "--yes", "--target", "job-0003", "p.yaml") },
			"the ledger changed (2 steps, of job-0003); the plan was applied at"},
		"that had nothing to do": {func(b *bench) { b.want(0, "apply", "--yes", "p.yaml") }, func(b *bench) { b.want(0, "apply", "--yes", "p.yaml") },
			"since it was saved the plan was applied at"},
		"of another plan": {nil, func(b *bench) {
			b.write("q.yaml", strings.NewReplacer("name: bulk", "name: other", "job-", "other-", "amv-1", "amv-2").Replace(planOf(1)))
			b.want(0, "apply", "--yes", "q.yaml")
		}, "the ledger changed (2 steps, of other-0000);"},
		"by a person": {func(b *bench) { b.want(0, "apply", "--yes", "p.yaml") }, func(b *bench) {
			b.want(0, "ledger", "forget", "job-0001", "--plan", "bulk", "--reason", "test")
		}, "the ledger changed (1 step, of job-0001);"},
		"on another ledger": {func(b *bench) { b.want(0, "apply", "--yes", "p.yaml") }, func(b *bench) {
			if err := os.RemoveAll(filepath.Dir(b.ledgerPath())); err != nil {
				b.Fatal(err)
			}
			b.want(0, "apply", "--yes", "--adopt", "p.yaml")
		}, "it is about another ledger"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			cloud := b.emulator()
			b.write("p.yaml", planOf(5))
			if c.before != nil {
				c.before(b)
			}
			b.want(0, "plan", "--out", "p.saved", "p.yaml")
			c.after(b)
			sent := cloud.stats().Actions["CreateAPSJob"].Calls
			wantIn(t, b.want(exitLimit, "apply", "--yes", "--saved", "p.saved").stderr, "p.saved is stale: ", c.says, "nothing was sent", "[E-SAVED-STALE]")
			if now := cloud.creates(); now != sent {
				t.Errorf("%d creates were sent", now-sent)
			}
		})
	}
}

// TestSavedPlanSurvivesTriesThatSentNothing: what such a try records, here a rename,
// does not make it stale.
func TestSavedPlanSurvivesTriesThatSentNothing(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("p.yaml", planOf(3))
	b.want(0, "apply", "--yes", "p.yaml")
	b.write("p.yaml", strings.Replace(planOf(5), "job-0000", "renamed", 1)+"moved: {job-0000: renamed}\n")
	b.want(0, "plan", "--out", "p.saved", "p.yaml")
	wantIn(t, b.want(exitLimit, "apply", "--yes", "--max-create", "0", "--saved", "p.saved").stderr, "[E-LIMIT]", "1 job renamed in the ledger")
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Created != 2 || a.Counts.Kept != 3 {
		t.Errorf("it did %+v", a.Counts)
	}
}

func TestSavedPlanIsRefusedWhenTheServiceShowsSomethingElse(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("p.yaml", planOf(5))
	b.want(0, "plan", "--out", "p.saved", "p.yaml")
	cloud.make(specOf("job-0002"))
	sent := cloud.creates()
	wantIn(t, b.want(exitLimit, "apply", "--yes", "--saved", "p.saved").stderr,
		"1 job is not as it says any more (job-0002: create then, blocked now (a job of this name exists already", "[E-SAVED-STALE]")
	if n := cloud.creates(); n != sent {
		t.Errorf("%d creates were sent", n-sent)
	}
	// A plan that was held against the service says what there is.
	b.want(0, "plan", "--refresh", "changed", "--adopt", "--out", "p.saved", "p.yaml")
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Created != 4 || a.Counts.Adopted != 1 {
		t.Errorf("it did %+v", a.Counts)
	}
}

func TestSavedPlanHoldsItsOptions(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("p.yaml", planOf(6))
	b.want(0, "apply", "--yes", "p.yaml")
	b.write("p.yaml", strings.Replace(planOf(8), "  - name: job-0000\n    source: {instance: pc-000}\n", "", 1))
	b.write("chosen", "job-0000\njob-0006\n")
	b.want(0, "plan", "--allow", "delete", "--target-file", "chosen", "--out", "p.saved", "p.yaml")
	b.write("chosen", "job-0007\n")
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Deleted != 1 || a.Counts.Created != 1 || len(a.Jobs) != 2 {
		t.Errorf("it did %+v to %+v", a.Counts, a.Jobs)
	}
	for _, args := range [][]string{{"p.yaml"}, {"--adopt"}, {"--allow", "replace"}, {"--target", "x"}, {"--var", "a=b"}, {"--refresh", "all"}} {
		r := b.want(exitInvalid, append([]string{"apply", "--yes", "--saved", "p.saved"}, args...)...)
		wantIn(t, r.stderr, "--saved holds ")
	}
	wantIn(t, b.want(exitInvalid, "apply", "--yes", "--emulator", "--saved", "p.saved").stderr, "is not for the emulated service")
	wantIn(t, b.want(exitInvalid, "plan", "--refresh", "sample:5%", "--out", "p.saved", "p.yaml").stderr, "a sample is of other jobs each time")
}

// TestSavedPlanThatWasChangedIsRefused is row F10 of the fault matrix.
func TestSavedPlanThatWasChangedIsRefused(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.setenv("DB_PASSWORD", "correct-horse")
	b.write("p.yaml", strings.Replace(planOf(5), "destination: {instance: amv-1}", "destination: {instance: amv-1, password: {env: DB_PASSWORD}}", 1))
	b.want(0, "plan", "--out", "p.saved", "p.yaml")
	text, err := os.ReadFile(filepath.Join(b.dir, "p.saved"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), "correct-horse") || !strings.Contains(string(text), "DB_PASSWORD") {
		t.Errorf("a saved plan holds references to passwords and no password: %s", text)
	}
	for name, changed := range map[string]string{
		"edited":       strings.Replace(string(text), "pc-001", "pc-666", 1),
		"cut":          string(text[:len(text)/2]),
		"empty":        "",
		"another plan": planOf(3),
	} {
		b.write("changed", changed)
		if r := b.want(exitInvalid, "apply", "--yes", "--saved", "changed"); !strings.Contains(r.stderr, "[E-SAVED-FILE]") {
			t.Errorf("%s: %s", name, r)
		}
	}
	if n := cloud.creates(); n != 0 {
		t.Errorf("%d creates were sent", n)
	}
	b.want(0, "apply", "--yes", "--saved", "p.saved")
}

// TestSavedApplyThatIsKilledIsSpentAndResumed: the rest is for apply with the plan.
func TestSavedApplyThatIsKilledIsSpentAndResumed(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("p.yaml", planOf(60))
	b.want(0, "plan", "--out", "p.saved", "p.yaml")
	cloud.killedAfter(6, "apply", "--yes", "--parallel", "2", "--saved", "p.saved")
	wantIn(t, b.want(exitLimit, "apply", "--yes", "--saved", "p.saved").stderr, "apply with the plan files takes up what it left", "[E-SAVED-SPENT]")
	b.want(0, "apply", "--yes", "--settle", "2s", "--rate", "0", "p.yaml")
	if s := cloud.stats(); s.Jobs != 60 || s.Duplicates != 0 {
		t.Errorf("%d jobs exist, %d of them twice, want each of 60 once", s.Jobs, s.Duplicates)
	}
}

func TestSavingReplacesOnlySavedPlans(t *testing.T) {
	b := newBench(t)
	b.write("p.yaml", planOf(3))
	b.write("precious", "mine")
	wantIn(t, b.want(exitLimit, "plan", "--out", "precious", "p.yaml").stderr, "is no saved plan", "--force", "[E-FILE-EXISTS]")
	wantIn(t, b.want(exitLimit, "plan", "--out", "p.yaml", "p.yaml").stderr, "[E-FILE-EXISTS]")
	b.want(0, "plan", "--out", "precious", "--force", "p.yaml")
	b.want(0, "plan", "--out", "precious", "p.yaml")
	info, err := os.Stat(filepath.Join(b.dir, "precious"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.Symlink("precious", filepath.Join(b.dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, force := range []string{"--force=false", "--force"} {
		wantIn(t, b.want(exitLimit, "plan", "--out", "link", force, "p.yaml").stderr, "ordinary file")
	}
	wantIn(t, b.want(exitInvalid, "plan", "--force", "p.yaml").stderr, "--force is for --out")
	b.want(exitFailure, "plan", "--out", "missing/p.saved", "p.yaml")
	wantIn(t, b.want(exitInvalid, "plan", "--out", "-", "p.yaml").stderr, `--out is the name of a file, not "-"`, "-o json", "[E-USAGE]")
	if files := b.files("-"); len(files) > 0 {
		t.Errorf("there is a file %v", files)
	}
	b.want(0, "plan", "--out", "./-", "p.yaml") // who wants it can have it
	left, _ := filepath.Glob(filepath.Join(b.dir, ".apsctl-saved-*"))
	if len(left) > 0 {
		t.Errorf("drafts were left: %v", left)
	}
}

func TestSavedPlanNeedsNoPlanFile(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("sub/pw", "secret-text")
	b.write("sub/p.yaml", strings.Replace(planOf(2), "destination: {instance: amv-1}", "destination: {instance: amv-1, password: {file: pw}}", 1))
	b.want(0, "plan", "--out", "p.saved", "sub/p.yaml")
	if err := os.Remove(filepath.Join(b.dir, "sub", "p.yaml")); err != nil {
		t.Fatal(err)
	}
	a := b.applied(b.want(0, "apply", "--yes", "-o", "json", "--saved", "p.saved"))
	if a.Counts.Created != 2 || a.Plan != "bulk" {
		t.Errorf("it did %+v to %s", a.Counts, a.Plan)
	}
}
