package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/apsctl/apsctl/internal/notice"
)

const hookToken = "0f3c9a7e-5b1d-4c8e-9f00-canary123456"

// mailbox is a server on loopback that keeps what is posted to it.
type mailbox struct {
	*httptest.Server
	mu     sync.Mutex
	paths  []string
	bodies []string
	answer http.HandlerFunc // nil answers 200 ok
}

func newMailbox(t *testing.T) *mailbox {
	t.Helper()
	r := &mailbox{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		r.mu.Lock()
		r.paths = append(r.paths, request.Method+" "+strings.TrimPrefix(request.URL.RequestURI(), "/"+hookToken))
		r.bodies = append(r.bodies, string(body))
		answer := r.answer
		r.mu.Unlock()
		if answer != nil {
			answer(w, request)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *mailbox) address() string { return r.URL + "/" + hookToken }

// reply has the server answer otherwise from now on.
func (r *mailbox) reply(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// take returns what came since the last time.
func (r *mailbox) take() (paths, bodies []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	paths, bodies = r.paths, r.bodies
	r.paths, r.bodies = nil, nil
	return paths, bodies
}

// messageJSON is what scripts may rely on of a message in the form json.
type messageJSON struct {
	Plan, Run, Text string
	Outcome         notice.Outcome
	ExitCode        int `json:"exit_code"`
	Previous        *struct{ Outcome string }
}

// outcomes returns the outcomes of the messages since the last time, each with
// that of the run before.
func (r *mailbox) outcomes(t *testing.T) []string {
	t.Helper()
	var all []string
	_, bodies := r.take()
	for _, body := range bodies {
		var m messageJSON
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatalf("%v in %s", err, body)
		}
		before := "none"
		if m.Previous != nil {
			before = m.Previous.Outcome
		}
		all = append(all, before+">"+string(m.Outcome))
		if m.Plan != "bulk" || m.Text == "" || m.Run == "" || outcomeOf(m.ExitCode) != m.Outcome {
			t.Errorf("message is %s", body)
		}
	}
	return all
}

func TestHeartbeatTellsBeginningAndEnd(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	monitor := newMailbox(t)
	b.setenv(heartbeatVariable, monitor.address())
	b.write("plan.yaml", planOf(2))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	paths, bodies := monitor.take()
	if !slices.Equal(paths, []string{"POST /start", "POST "}) || !strings.Contains(bodies[1], "2 created") {
		t.Errorf("got %q, %q", paths, bodies)
	}
	b.write("plan.yaml", planOf(3))
	cloud.setFaults("[{operation: CreateAPSJob, kind: status, status: 400, code: InvalidParameter}]")
	b.want(exitFailed, "apply", "--yes", "plan.yaml")
	if paths, bodies := monitor.take(); !slices.Equal(paths, []string{"POST /start", "POST /3"}) || !strings.Contains(bodies[1], "InvalidParameter") {
		t.Errorf("got %q, %q", paths, bodies)
	}
	b.write("plan.yaml", "version: 1\nname: bulk\nnonsense: 1\n")
	b.want(exitInvalid, "apply", "--yes", "plan.yaml")
	if paths, _ := monitor.take(); !slices.Equal(paths, []string{"POST /10"}) {
		t.Errorf("an invalid plan: %q", paths)
	}
	b.write("plan.yaml", planOf(2))
	lock := b.holdLock()
	b.want(exitDone, "apply", "--yes", "--if-locked", "skip", "plan.yaml")
	if paths, _ := monitor.take(); len(paths) > 0 {
		t.Errorf("a skipped run told %q", paths)
	}
	b.want(exitLocked, "apply", "--yes", "plan.yaml")
	if paths, _ := monitor.take(); !slices.Equal(paths, []string{"POST /11"}) {
		t.Errorf("a run that was turned away: %q", paths)
	}
	_ = lock.Release()
	b.want(exitDone, "apply", "--yes", "--heartbeat", monitor.address()+"?rid=7", "plan.yaml")
	if paths, _ := monitor.take(); !slices.Equal(paths, []string{"POST /start?rid=7", "POST ?rid=7"}) {
		t.Errorf("got %q", paths)
	}
}

func TestNotificationIsSentAtChangesOfOutcomeOnly(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	people := newMailbox(t)
	b.setenv(notifyVariable, people.address())
	refuse := "[{operation: CreateAPSJob, kind: status, status: 400, code: InvalidParameter}]"
	steps := []struct {
		name   string
		jobs   int
		faults string
		key    string
		broken bool
		code   int
		want   []string
	}{
		{name: "the first run is done", jobs: 1, code: exitDone},
		{name: "still", jobs: 2, code: exitDone},
		{name: "a job is refused", jobs: 3, faults: refuse, code: exitFailed, want: []string{"done>failed"}},
		{name: "other counts", jobs: 5, faults: refuse, code: exitFailed},
		{name: "and works again", jobs: 5, code: exitDone, want: []string{"failed>done"}},
		{name: "no credentials", jobs: 6, key: "wrong", code: exitDenied, want: []string{"done>denied"}},
		{name: "still none", jobs: 6, key: "wrong", code: exitDenied},
		{name: "credentials again", jobs: 6, code: exitDone, want: []string{"denied>done"}},
		{name: "a broken plan", broken: true, code: exitInvalid, want: []string{"done>invalid"}},
		{name: "still broken", broken: true, code: exitInvalid},
		{name: "mended", jobs: 6, code: exitDone, want: []string{"invalid>done"}},
	}
	for _, step := range steps {
		b.write("plan.yaml", planOf(step.jobs))
		if step.broken {
			b.write("plan.yaml", "version: 1\nname: bulk\nnonsense: 1\n")
		}
		cloud.setFaults(step.faults)
		key := "emulator"
		if step.key != "" {
			key = step.key
		}
		b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", key)
		r := b.want(step.code, "apply", "--yes", "plan.yaml")
		if diff := cmp.Diff(step.want, people.outcomes(t)); diff != "" {
			t.Errorf("%s (-want +got):\n%s%s", step.name, diff, r)
		}
		if strings.Contains(r.stdout+r.stderr, hookToken) {
			t.Errorf("the address is shown: %s", r)
		}
	}
	// A run that was killed tells nothing; the next one tells of it.
	b.write("plan.yaml", planOf(7))
	b.killAtACreate(cloud, "apply", "--yes", "plan.yaml")
	b.want(exitUnknown, "apply", "--yes", "plan.yaml")
	if got := people.outcomes(t); !slices.Equal(got, []string{"died>unknown"}) {
		t.Errorf("after a kill: %q", got)
	}
	// An interrupted one tells that it was.
	cloud.setFaults("[{operation: DescribeApsJobs, kind: hang, when: before}]")
	calls := func() int { return cloud.stats().Actions["DescribeApsJobs"].Calls }
	p, before := b.start("apply", "--yes", "plan.yaml"), calls()
	b.eventually("a listing", func() bool { return calls() > before })
	_ = p.Process.Signal(syscall.SIGTERM)
	if r := p.result(); r.code != exitInterrupted {
		t.Fatalf("got %s", r)
	}
	if got := people.outcomes(t); !slices.Equal(got, []string{"unknown>interrupted"}) {
		t.Errorf("after an interrupt: %q", got)
	}
}

func TestHookThatFailsDecidesNothing(t *testing.T) {
	elsewhere := newMailbox(t)
	answers := map[string]struct {
		answer http.HandlerFunc
		want   string
		again  int // calls of the hook itself that are due
	}{
		"refused": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) }, "404", 1},
		"to another host": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.address(), http.StatusTemporaryRedirect)
		}, "not followed", 1},
		"a redirect that drops the message": {func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				http.Redirect(w, r, r.URL.Path, http.StatusFound)
			}
		}, "302", 1},
		"endless redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, "not followed", 1 + 3},
		"no answer":       {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "no answer within 5s", 1},
		"a broken answer": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", 1},
	}
	for name, test := range answers {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			people := newMailbox(t)
			people.reply(test.answer)
			b.write("plan.yaml", "version: 1\nname: bulk\nnonsense: 1\n")
			r := b.want(exitInvalid, "apply", "--yes", "--notify", people.address(), "plan.yaml")
			if !strings.Contains(r.stderr, test.want) || strings.Contains(r.stderr, hookToken) {
				t.Errorf("got %s", r)
			}
			if paths, _ := people.take(); len(paths) != test.again {
				t.Errorf("it was called as %q", paths)
			}
		})
	}
	t.Cleanup(func() {
		if paths, _ := elsewhere.take(); len(paths) > 0 {
			t.Errorf("a redirect to another host was followed: %q", paths)
		}
	})
}

func TestServiceThatRefusesUnderStatus200(t *testing.T) {
	b := newBench(t)
	people := newMailbox(t)
	b.write("plan.yaml", "version: 1\nname: bulk\nnonsense: 1\n")
	for form, answer := range map[string]string{"dingtalk": `{"errcode":310000,"errmsg":"keywords not in content"}`, "feishu": `{"code":19024,"msg":"Key Words Not Found"}`} {
		people.reply(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, answer) })
		r := b.want(exitInvalid, "apply", "--yes", "--notify-form", form, "--notify", people.address(), "plan.yaml")
		if !strings.Contains(r.stderr, "refused it") {
			t.Errorf("%s: got %s", form, r)
		}
	}
}

func TestRefusedRunOfAnotherAccountLeavesNoRecord(t *testing.T) {
	b := newBench(t)
	b.emulator("--key", "second:secondsecret:1234567890123456")
	people := newMailbox(t)
	b.setenv(notifyVariable, people.address())
	b.write("plan.yaml", planOf(1))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	before, err := os.ReadFile(filepath.Join(b.dir, ledgerDefault))
	if err != nil {
		t.Fatal(err)
	}
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "second")
	b.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "secondsecret")
	b.want(exitLedger, "apply", "--yes", "plan.yaml")
	if paths, _ := people.take(); len(paths) != 1 {
		t.Errorf("%d messages", len(paths))
	}
	after, err := os.ReadFile(filepath.Join(b.dir, ledgerDefault))
	if err != nil || string(before) != string(after) {
		t.Errorf("the ledger of another account was written to: %v", err)
	}
}

// killAtACreate kills a run whose create gets no answer.
func (b *bench) killAtACreate(cloud *cloud, args ...string) {
	b.Helper()
	b.killAfterCreates(cloud, 0, args...)
}

// killAfterCreates kills a run of which n creates were answered, at one that is not.
func (b *bench) killAfterCreates(cloud *cloud, n int, args ...string) {
	b.Helper()
	cloud.setFaults(fmt.Sprintf("[{operation: CreateAPSJob, kind: hang, when: before, skip: %d}]", n))
	p, before := b.start(args...), cloud.creates()
	b.eventually("a create without an answer", func() bool { return cloud.creates() > before+n })
	_ = p.Process.Kill()
	_ = p.result()
	cloud.setFaults("")
}
