package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// The service of these tests lists a job when the test says so (showAll): until then,
// only the file of what was sent knows of a job that the ledger has lost. Neither the
// lag nor the settle time passes on its own, however slow the machine is.
const (
	sentLag    = "1h"
	sentSettle = "1h"
)

// showAll has every job listed from now on.
func (c *cloud) showAll() {
	c.Helper()
	response, err := http.Post(c.address+"/_emulator/jobs", "", nil)
	if err != nil {
		c.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		c.Fatal(response.Status)
	}
}

// sentRun are the arguments of an apply with that settle time.
func sentRun(args ...string) []string {
	return append([]string{"apply", "--yes", "--settle", sentSettle, "--rate", "0", "--parallel", "4"}, args...)
}

// heldBack applies at once after the ledger was lost, and wants n jobs to be told of
// that may be there.
func (c *cloud) heldBack(n int, args ...string) {
	c.Helper()
	r := c.want(exitUnknown, sentRun(args...)...)
	wantIn(c.T, r.stdout, "a create of it, which this ledger does not know of any more, was sent at", "run again after that",
		"There is nothing to do but wait: an apply after that creates those of which no job is listed, of the name or for the same.")
	if strings.Contains(r.stdout, "only what is proven absent") && !strings.Contains(r.stdout, "no answer says what became of it") {
		c.Errorf("nothing will be proven of what is held back: %s", r)
	}
	if n > 0 {
		wantIn(c.T, r.stdout, fmt.Sprintf("%d unknown", n))
	}
	if s := c.stats(); s.Duplicates != 0 {
		c.Errorf("the service has %d duplicates after %s", s.Duplicates, r)
	}
}

// settled applies once the settle time is over, which it makes short, when all n jobs
// are listed: each is there once.
func (c *cloud) settled(n int, args ...string) {
	c.Helper()
	c.showAll()
	time.Sleep(2 * time.Second) // the last create was sent longer ago than the settle time
	c.want(exitDone, sentRun(append(args, "--adopt", "--settle", "1s")...)...)
	c.checkCloud(n)
}

// killedAfter kills a run that has no answer to any create after the first n. The next
// ones are made and hang, so that the run stays where it is until the kill comes.
func (c *cloud) killedAfter(n int, args ...string) {
	c.Helper()
	c.setFaults(fmt.Sprintf("[{operation: CreateAPSJob, kind: hang, when: after, skip: %d, hold: 1h}]", n))
	p := c.start(args...)
	c.eventually("the creates before the kill", func() bool { return c.creates() > n })
	_ = p.Process.Kill()
	_ = p.Wait()
	c.setFaults("")
}

func (b *bench) removeLedger(suffixes ...string) {
	b.Helper()
	for _, suffix := range suffixes {
		if err := os.Remove(b.ledgerPath() + suffix); err != nil && !os.IsNotExist(err) {
			b.Fatal(err)
		}
	}
}

func TestLedgerDeletedWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(400))
	cloud.killedAfter(200, sentRun("bulk.yaml")...)
	b.removeLedger("", "-wal", "-shm")
	before := cloud.creates()
	cloud.heldBack(0, "bulk.yaml")
	if n := cloud.creates() - before; n == 0 || n >= 200 {
		t.Errorf("%d creates were sent at once, for those that were not sent before", n)
	}
	cloud.settled(400, "bulk.yaml")
}

// What is held back is told by the report, and a saved plan that has it can be applied
// later.
func TestHeldBackIsTold(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(2)+"run: {settle: "+sentSettle+"}\n")
	b.want(exitDone, "apply", "--yes", "bulk.yaml")
	b.removeLedger("", "-wal", "-shm")
	cloud.heldBack(2, "bulk.yaml")
	wantIn(t, b.want(exitDone, "report").stdout, "unknown after the last apply")
	resolved := b.want(exitUnknown, "resolve", "bulk.yaml")
	if wantIn(t, resolved.stdout, "Of 2 jobs a create was sent lately", "by plan bulk; it may be there and not listed until"); strings.Contains(resolved.stdout, "Nothing to settle") {
		t.Errorf("apply says otherwise: %s", resolved)
	}
	if out := b.resolved(b.want(exitUnknown, "resolve", "-o", "json", "bulk.yaml")); out.Counts.HeldBack != 2 || len(out.HeldBack) != 2 || out.ExitCode != exitUnknown {
		t.Errorf("got %+v", out)
	}
	b.want(exitDone, "plan", "--adopt", "--out", "p.saved", "bulk.yaml")
	wantIn(t, b.want(exitLimit, "apply", "--yes", "--saved", "p.saved").stderr, "apply the same file again")
	cloud.settled(2, "bulk.yaml")
	wantIn(t, b.want(exitDone, "resolve", "bulk.yaml").stdout, "Nothing to settle")
}

// putBack puts a copy in the place of the ledger, and leaves what is beside it.
func (b *bench) putBack(copied string) {
	b.Helper()
	b.removeLedger("-wal", "-shm")
	if err := os.Rename(filepath.Join(b.dir, copied), b.ledgerPath()); err != nil {
		b.Fatal(err)
	}
}

// heldAlike resolves and applies, which have to agree that the one job is held back, and
// returns what resolve tells.
func (c *cloud) heldAlike(file string) result {
	c.Helper()
	settle := []string{"--settle", sentSettle, file}
	r := c.want(exitUnknown, append([]string{"resolve"}, settle...)...)
	wantIn(c.T, r.stdout, "Of 1 job a create was sent lately", "it may be there and not listed until")
	out := c.resolved(c.want(exitUnknown, append([]string{"resolve", "-o", "json"}, settle...)...))
	if len(out.HeldBack) != 1 || out.Counts.HeldBack != 1 {
		c.Errorf("got %+v", out)
	}
	wantIn(c.T, c.want(exitUnknown, sentRun(file)...).stdout, "1 unknown")
	return r
}

// The backup has the job that was deleted and made again since.
func TestResolveTellsWhatAnOlderLedgerHoldsBack(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(2))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.want(exitDone, "ledger", "backup", "old.db")
	cloud.showAll() // the first jobs are listed, and one can be seen to go
	b.want(exitDone, "delete", "--yes", "--settle", "1s", "job-0001")
	b.want(exitDone, sentRun("bulk.yaml")...)
	id := b.entry("job-0001").JobID
	b.putBack("old.db")
	old := b.entry("job-0001").JobID
	r := cloud.heldAlike("bulk.yaml")
	wantIn(t, r.stdout, "this ledger has job "+old+" as created, from before", "an apply after that tells which job there is")
	if old == id || strings.Contains(r.stdout, "an apply after that creates") {
		t.Errorf("it creates nothing: %s", r)
	}
}

func TestResolveTellsWhatIsHeldBackUnderItsNameBefore(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(1))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.removeLedger("", "-wal", "-shm")
	b.write("bulk.yaml", strings.Replace(planOf(1), "job-0000", "renamed", 1)+"moved: {job-0000: renamed}\n")
	b.want(exitUnknown, sentRun("bulk.yaml")...) // it makes a ledger
	wantIn(t, cloud.heldAlike("bulk.yaml").stdout, "renamed, which was job-0000 before: sent", "an apply after that creates")
}

// What another plan has by this ledger is no riddle.
func TestResolveTellsWhichPlanHasWhatIsHeldBack(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(1))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.write("renamed.yaml", strings.Replace(planOf(1), "name: bulk", "name: renamed", 1))
	r := cloud.heldAlike("renamed.yaml")
	wantIn(t, r.stdout, "is job job-0000 of plan bulk by this ledger: rename one of the two", "--plan bulk")
	if strings.Contains(r.stdout, "nothing to do") {
		t.Errorf("waiting does not help: %s", r)
	}
	out := b.resolved(b.want(exitUnknown, "resolve", "-o", "json", "--settle", sentSettle, "renamed.yaml"))
	if e := out.HeldBack[0].Entry; e == nil || e.Plan != "bulk" || e.State != plan.StateCreated || e.JobID == "" {
		t.Errorf("got %+v", e)
	}
}

func TestLogOfTheLedgerDeletedWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(200))
	cloud.killedAfter(100, sentRun("bulk.yaml")...)
	b.removeLedger("-wal", "-shm")
	cloud.heldBack(0, "bulk.yaml")
	cloud.settled(200, "bulk.yaml")
}

func TestOldBackupPutBackWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(2))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.want(exitDone, "ledger", "backup", "old.db")
	b.write("bulk.yaml", planOf(20))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.putBack("old.db")
	b.write("bulk.yaml", planOf(25))
	cloud.heldBack(18, "bulk.yaml")
	if n := cloud.creates(); n != 25 {
		t.Errorf("%d creates were sent", n)
	}
	cloud.settled(25, "bulk.yaml")
}

func TestForgottenOrRenamedWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", strings.Replace(planOf(3), "pc-000", "pc-100", 1))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.want(exitDone, "ledger", "forget", "job-0000", "--reason", "a test")
	b.want(exitDone, "ledger", "mv", "job-0001", "another")
	cloud.heldBack(1, "bulk.yaml") // the other one is blocked: the ledger has it
	cloud.showAll()
	// What is listed by now is blocked like any other job of the name.
	r := b.want(exitUnknown, sentRun("bulk.yaml")...)
	wantIn(t, r.stdout, "--adopt", "job-0001", "another")
	cloud.checkCloud(3)
}

// The job got another name where neither the ledger nor the plan says so any more.
func TestForgottenJobOfAnotherNameWhileTheListLags(t *testing.T) {
	t.Parallel()
	for name, loseSight := range map[string]func(b *bench){
		"forgotten": func(b *bench) { b.want(exitDone, "ledger", "forget", "job-0000", "--reason", "a test") },
		"renamed, and the ledger lost": func(b *bench) {
			b.want(exitDone, "ledger", "mv", "job-0000", "renamed")
			b.removeLedger("", "-wal", "-shm")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			cloud := b.emulator("--list-lag", sentLag)
			b.write("bulk.yaml", planOf(1))
			b.want(exitDone, sentRun("bulk.yaml")...)
			loseSight(b)
			b.write("bulk.yaml", strings.Replace(planOf(1), "job-0000", "renamed", 1))
			wantIn(t, b.want(exitUnknown, sentRun("bulk.yaml")...).stdout, "1 unknown", "under the name job-0000")
			r := b.want(exitUnknown, "resolve", "--settle", sentSettle, "bulk.yaml")
			wantIn(t, r.stdout, "renamed, for the same as job-0000: sent", "of the name or for the same")
			cloud.showAll()
			b.want(exitDone, sentRun("--adopt", "bulk.yaml")...)
			cloud.checkCloud(1)
		})
	}
}

// What never came to be is created once the settle time is over, without a word of a
// person.
func TestWhatIsHeldBackIsCreatedInTheEnd(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(1))
	cloud.setFaults("[{operation: CreateAPSJob, kind: hang, when: before}]")
	p := b.start("apply", "--yes", "bulk.yaml")
	b.eventually("a create", func() bool { return cloud.creates() > 0 })
	_ = p.Process.Kill()
	_ = p.Wait()
	cloud.setFaults("")
	b.removeLedger("", "-wal", "-shm")
	first := b.apsctl("apply", "--yes", "-o", "json", "--settle", "40s", "bulk.yaml")
	a := b.applied(first)
	if first.code != exitUnknown || len(a.Jobs) != 1 || a.Jobs[0].SettlesAt == nil || !strings.Contains(a.Jobs[0].Error, "was sent at") {
		t.Fatalf("got %s", first)
	}
	time.Sleep(2 * time.Second)
	b.want(exitDone, "apply", "--yes", "--settle", "1s", "bulk.yaml")
	cloud.checkCloud(1)
}

// The plan is given another name, with the ledger whole: what it created under the old
// one is not listed yet.
func TestPlanRenamedWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(3))
	b.want(exitDone, sentRun("bulk.yaml")...)
	b.write("renamed.yaml", strings.Replace(planOf(3), "name: bulk", "name: renamed", 1))
	wantIn(t, b.want(exitUnknown, sentRun("renamed.yaml")...).stdout, "3 unknown", "for plan bulk")
	cloud.showAll()
	wantIn(t, b.want(exitUnknown, sentRun("renamed.yaml")...).stdout, "is job job-0000 of plan bulk by this ledger")
	cloud.checkCloud(3)
}

// A job that is not listed yet is not deleted, since it could not be seen to go; nor is
// one taken for gone.
func TestDeleteWhileTheListLags(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator("--list-lag", sentLag)
	b.write("bulk.yaml", planOf(1))
	b.want(exitDone, sentRun("bulk.yaml")...)
	cloud.showAll() // the first job is listed, and shows that the listing hides nothing
	b.write("bulk.yaml", planOf(2))
	b.want(exitDone, sentRun("bulk.yaml")...)
	wantIn(t, b.want(exitUnknown, "delete", "--yes", "--settle", sentSettle, "job-0001").stdout, "the service does not list it yet")
	b.want(exitLeft, "wait", "job-0001", "--for", "gone", "--timeout", "3s")
	cloud.checkCloud(2)
	cloud.showAll()
	b.want(exitDone, "delete", "--yes", "--settle", sentSettle, "job-0001")
	cloud.checkCloud(1)
}
