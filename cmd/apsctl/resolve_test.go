package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

const longAgo = 2 * time.Hour // beyond the default settle time

func (b *bench) resolved(r result) resolveJSON {
	b.Helper()
	var out resolveJSON
	b.decode(r, &out)
	return out
}

func TestResolveFindsTheJobsOfUnansweredCreates(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	ids := cloud.jobs(2)
	b.seed(seed{name: "job-0000", state: plan.StateUnknown}, seed{name: "job-0001", state: plan.StateIntent})
	b.write("apsctl.yaml", planOf(2))
	r := b.want(exitDone, "resolve")
	wantIn(t, r.stdout, "created, as "+ids["job-0000"], "created, as "+ids["job-0001"], "sent ", "found on the service",
		"the run ended before an answer was recorded", "2 settled, 0 unknown")
	if e := b.entry("job-0000"); e.State != plan.StateCreated || e.JobID != ids["job-0000"] {
		t.Errorf("the entry is %+v", e)
	}
	if n := cloud.creates(); n != 2 {
		t.Errorf("%d creates were sent", n)
	}
	wantIn(t, b.want(exitDone, "resolve").stdout, "Nothing to settle")
	wantIn(t, b.want(exitDone, "apply", "--yes").stdout, "Nothing to do")
}

func TestResolveSaysWhatIsKnownOfAnUnknownCreate(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown}, seed{name: "job-0001", state: plan.StateIntent})
	r := b.want(exitUnknown, "resolve")
	wantIn(t, r.stdout, "job-0000 of plan bulk: unknown", "sent ", "attempt 1", "request req-1", "seeded",
		"looked in cn-hangzhou: not listed so far", "settles at ", "there is nothing to do", "0 settled, 2 unknown")
	if found := regexp.MustCompile(`(?i)failed|retry`).FindString(r.stdout + r.stderr); found != "" {
		t.Errorf("it says %q: %s", found, r)
	}
	out := b.resolved(b.want(exitUnknown, "resolve", "-o", "json"))
	if len(out.Jobs) != 2 || out.Jobs[0].SettlesAt == nil || out.Jobs[0].SentAt == nil || out.Counts.Unknown != 2 ||
		out.ExitCode != exitUnknown || len(out.Looked) != 1 || out.Plan != "" {
		t.Errorf("got %+v", out)
	}
}

func TestResolveProvesAbsenceAndTheNextApplyCreates(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown, sent: longAgo})
	b.write("apsctl.yaml", planOf(1))
	wantIn(t, b.want(exitUnknown, "resolve", "--on-unknown", "hold").stdout, "proven absent; held for a person", "--absent job-0000")
	wantIn(t, b.want(exitDone, "resolve").stdout, "absent; the next apply creates it", "proven absent")
	if n := cloud.creates(); n != 0 {
		t.Errorf("resolve sent %d creates", n)
	}
	b.want(exitDone, "apply", "--yes")
	if s := cloud.stats(); s.Jobs != 1 || b.entry("job-0000").Attempt != 2 {
		t.Errorf("the service has %d jobs, and the entry is %+v", s.Jobs, b.entry("job-0000"))
	}
}

func TestResolveHeldIsReleasedByAPerson(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(seed{name: "job-0000", state: plan.StateUnknown, sent: longAgo})
	b.want(exitDone, "resolve", "--on-unknown", "hold", "--absent", "job-0000", "--reason", "looked in the console")
	if e := b.entry("job-0000"); e.State != plan.StateAbsent {
		t.Errorf("the entry is %+v", e)
	}
	event, proof := b.lastEvent("job-0000")
	if proof.Kind != "person" || proof.Reason != "looked in the console" || !strings.Contains(proof.Who, "@") || proof.Forced || event.Run == "" {
		t.Errorf("the event is %+v, %+v", event, proof)
	}
}

// The command that an apply prints for what it holds works as it is printed: it
// reads the settings of the plan file, and the flags are those of the apply.
func TestHeldIsReleasedByThePrintedCommand(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	const file = "the plan.yaml"
	b.write(file, "run: {settle: 200ms, on_unknown: hold}\n"+planOf(2))
	cloud.setFaults(`[{operation: CreateAPSJob, kind: status, when: before, count: 1}]`)
	apply := []string{"apply", "--yes", "--ledger", "other.db", file}
	for range 2 { // the run that sent it, and a later one
		r := b.want(exitUnknown, apply...)
		wantIn(t, r.stdout, "1 unknown", "(attempt 1): proven absent; held for a person")
		if strings.Contains(r.stdout, "There is nothing to do") {
			t.Errorf("there is something to do: %s", r)
		}
	}
	out := b.applied(b.want(exitUnknown, append(apply, "-o", "json")...))
	if held := slices.IndexFunc(out.Jobs, func(j resultJSON) bool { return j.Held }); held < 0 || out.Jobs[held].SettlesAt != nil {
		t.Errorf("got %+v", out.Jobs)
	}
	resolved := b.want(exitUnknown, "resolve", "--ledger", "other.db", file)
	wantIn(t, resolved.stdout, "unknown, and held; a person settles it", "0 settled, 0 unknown, 1 for a person.")
	printed := regexp.MustCompile(`apsctl resolve '.*`)
	// The ledger does not tell what is held from what is not, and says what goes for both.
	shown := b.want(exitDone, "ledger", "list", "--ledger", "other.db", "--state", "unknown", "-o", "json").stdout
	if wantIn(t, shown, "on_unknown: hold, a person lets it go", "--absent job-000"); strings.Contains(shown, "nothing to do") {
		t.Errorf("there is something to do: %s", shown)
	}
	line := printed.FindString(b.want(exitUnknown, apply...).stdout)
	if again := printed.FindString(resolved.stdout); line == "" || again != line {
		t.Fatalf("apply prints %q, and resolve %q", line, again)
	}
	b.shell(exitDone, strings.Replace(line, "WHY", "looked", 1))
	wantIn(t, b.shell(exitDone, strings.Replace(line, "WHY", "again", 1)).stdout, "is already absent; nothing was written")
	b.want(exitDone, apply...)
	if s := cloud.stats(); s.Jobs != 2 || s.Duplicates != 0 {
		t.Errorf("the service has %+v", s)
	}
}

// Every state that needs a person, and each way out of it.
func TestResolveEveryWayOut(t *testing.T) {
	for state, ways := range map[plan.State][]string{
		plan.StateConflict: {"adopt", "absent", "forget"}, plan.StateDuplicate: {"adopt", "absent", "forget"},
		plan.StateLost: {"adopt", "absent", "forget"}, plan.StateUnknown: {"adopt", "absent", "forget"},
		plan.StateIntent: {"adopt", "absent", "forget"}, plan.StateRejected: {"adopt", "forget"},
		plan.StateNotSent: {"adopt", "forget"}, plan.StateAbsent: {"adopt", "absent", "forget"}, plan.StateCreated: {"forget"},
	} {
		for _, way := range ways {
			t.Run(string(state)+"/"+way, func(t *testing.T) {
				b := newBench(t)
				cloud := b.emulator()
				const name = "job-0000"
				s := seed{name: name, state: state, sent: longAgo}
				if state == plan.StateCreated || state == plan.StateLost {
					s.jobID = "aps-gone"
				}
				if state == plan.StateConflict || state == plan.StateDuplicate {
					s.candidates = []string{"aps-gone"}
				}
				order, want := name, map[string]plan.State{"adopt": plan.StateCreated, "absent": plan.StateAbsent, "forget": plan.StateNone}[way]
				if way == "adopt" {
					s.jobID = ""
					order += "=" + cloud.jobs(1)[name]
					if state == plan.StateLost {
						s.jobID = "aps-gone"
					}
				}
				b.seed(s)
				if state.NeedsPerson() {
					r := b.want(exitUnknown, "resolve")
					wantIn(t, r.stdout, name+" of plan bulk: "+string(state)+"; a person settles it", "apsctl resolve --plan bulk")
				}
				// Held, or else the look would settle what is unresolved by itself.
				args := []string{"resolve", "--on-unknown", "hold", "--" + way, order, "--reason", "because"}
				if state.Unresolved() && way == "forget" {
					b.want(exitLimit, args...)
					args = append(args, "--force")
				}
				b.want(exitDone, args...)
				if e := b.entry(name); e.State != want || want == plan.StateCreated && order != name+"="+e.JobID {
					t.Errorf("the entry is %+v, want %q", e, want)
				}
				if state == plan.StateAbsent && way == "absent" {
					return // it is so already: nothing is written
				}
				if _, proof := b.lastEvent(name); !state.Unresolved() && proof.Reason != "because" {
					t.Errorf("the evidence is %+v", proof)
				}
				// Whatever the way out, the next apply leaves exactly one job.
				b.write("apsctl.yaml", planOf(1))
				b.want(exitDone, "apply", "--yes")
				if s := cloud.stats(); s.Jobs != 1 || s.Duplicates != 0 {
					t.Errorf("the service has %+v", s)
				}
			})
		}
	}
}

// A listing that hides what is known to exist proves nothing, however long ago
// the create was: then a person has to know.
func TestResolveSaysWhatIsMissingForAProof(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(
		seed{name: "job-0000", state: plan.StateUnknown, sent: longAgo},
		seed{name: "job-0001", state: plan.StateLost, jobID: "aps-1", sent: longAgo},
	)
	r := b.want(exitUnknown, "resolve")
	wantIn(t, r.stdout, "hides jobs that are known to exist", "could be settled since ", "--absent job-0000", "--forget job-0001")
	if strings.Contains(r.stdout, "nothing to do") {
		t.Errorf("there is something to do: %s", r)
	}
	b.want(exitUnknown, "resolve", "--absent", "job-0000", "--reason", "looked as the administrator")
	b.want(exitDone, "resolve", "--forget", "job-0001", "--reason", "deleted on purpose")
}

// inShanghai keeps two plans with one job name out of each other's way.
func inShanghai(s *plan.Spec) { s.Region = "cn-shanghai" }

func TestResolveWorksWithoutAPlanFile(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.seed(
		seed{plan: "one", name: "a", state: plan.StateUnknown, sent: longAgo},
		seed{plan: "two", name: "a", state: plan.StateConflict, candidates: []string{"aps-1"}, sent: longAgo, spec: inShanghai},
		seed{plan: "two", name: "b", state: plan.StateUnknown, sent: longAgo},
	)
	wantIn(t, b.want(exitFailure, "resolve", "--plan", "three").stderr, `no plan "three"`, "one, two")
	r := b.want(exitInvalid, "resolve", "--forget", "a", "--reason", "because")
	wantIn(t, r.stderr, "several plans (one, two)", "--plan")
	out := b.resolved(b.want(exitDone, "resolve", "--plan", "one", "-o", "json"))
	if len(out.Jobs) != 1 || out.Jobs[0].Plan != "one" || out.Plan != "one" {
		t.Errorf("got %+v", out)
	}
	out = b.resolved(b.want(exitUnknown, "resolve", "-o", "json"))
	if out.Counts.Person != 1 || len(out.Jobs) != 2 {
		t.Errorf("got %+v", out)
	}
}

func TestResolveMistakesAreToldBeforeAnythingHappens(t *testing.T) {
	b := newBench(t)
	for _, args := range [][]string{
		{"--adopt", "a", "--reason", "x"}, {"--adopt", "=b", "--reason", "x"}, {"--adopt", "a=", "--reason", "x"},
		{"--absent", "a"}, {"--forget", "a", "--reason", "  "}, {"--absent", "a", "--forget", "a", "--reason", "x"},
		{"--reason", "x"}, {"--force"}, {"--plan", "p", "file.yaml"}, {"--settle", "0s"}, {"--on-unknown", "maybe"}, {"a", "b"},
	} {
		b.want(exitInvalid, append([]string{"resolve"}, args...)...)
	}
	wantIn(t, b.want(exitLedger, "resolve").stderr, "does not exist")
	if left, _ := os.ReadDir(b.dir); len(left) != 0 {
		t.Errorf("it left %v", left)
	}
}

// Nothing open, nothing asked: no endpoint is needed.
func TestResolveAsksNothingWhenNothingIsOpen(t *testing.T) {
	b := newBench(t)
	b.setenv(endpointVariable, "http://127.0.0.1:1")
	b.seed(seed{name: "job-0000", state: plan.StateCreated, jobID: "aps-1"})
	wantIn(t, b.want(exitDone, "resolve").stdout, "Nothing to settle")
	b.want(exitDone, "resolve", "--forget", "job-0000", "--reason", "because")
	var out struct{ Rows [][]any }
	b.decode(b.want(exitDone, "ledger", "sql", "-o", "json", "SELECT command, exit_code FROM run_log"), &out)
	if got := fmt.Sprint(out.Rows); got != "[[resolve 0]]" {
		t.Errorf("the runs are %s", got)
	}
}

func TestResolveKeepsOffALiveRunAndAForeignLedger(t *testing.T) {
	b := newBench(t)
	b.emulator("--key", "other:othersecret:1234567890123456")
	b.seed(seed{name: "job-0000", state: plan.StateUnknown})
	lock, err := store.AcquireLock(b.ledgerPath(), store.Holder{PID: os.Getpid(), Command: "the test"})
	if err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"resolve"}, {"ledger", "forget", "job-0000", "--reason", "x"}, {"ledger", "mv", "job-0000", "b"},
	} {
		wantIn(t, b.want(exitLocked, args...).stderr, "the test")
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	b.want(exitUnknown, "resolve")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "other")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "othersecret")
	wantIn(t, b.want(exitLedger, "resolve").stderr, "belongs to account")
}

// A listing that cannot be completed proves nothing and settles nothing.
func TestResolveStopsWhenTheListingIsRefused(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "wrong")
	b.seed(seed{name: "job-0000", state: plan.StateUnknown, sent: longAgo})
	b.want(exitDenied, "resolve")
	if e := b.entry("job-0000"); e.State != plan.StateUnknown {
		t.Errorf("the entry is %+v", e)
	}
}

// An old backup knows less than the service: nothing is created twice.
func TestRestoredBackupCreatesNothingTwice(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("apsctl.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes")
	b.want(exitDone, "ledger", "backup", "old.db")
	b.write("apsctl.yaml", planOf(4))
	b.want(exitDone, "apply", "--yes")
	for _, suffix := range []string{"-wal", "-shm"} {
		_ = os.Remove(b.ledgerPath() + suffix)
	}
	if err := os.Rename(filepath.Join(b.dir, "old.db"), b.ledgerPath()); err != nil {
		t.Fatal(err)
	}
	b.want(exitUnknown, "apply", "--yes")
	b.want(exitDone, "apply", "--yes", "--adopt")
	if s := cloud.stats(); s.Jobs != 4 || s.Duplicates != 0 || cloud.creates() != 4 {
		t.Errorf("the service has %+v after %d creates", s, cloud.creates())
	}
}
