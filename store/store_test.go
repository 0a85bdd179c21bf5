package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// child names what the test binary does instead of testing, when it is run again
// as another process.
const child = "APSCTL_STORE_CHILD"

func TestMain(m *testing.M) {
	if task := os.Getenv(child); task != "" {
		os.Exit(children[task](os.Args[len(os.Args)-1]))
	}
	os.Exit(m.Run())
}

// children take the path of a ledger and return an exit code.
var children = map[string]func(path string) int{
	"hold":    holdLock,
	"intents": intendMany,
	"intend":  intendForever,
	"migrate": migrateForever,
	"sparse":  createSparse,
}

// spawn starts a child and returns it with its output; it is killed at the end.
func spawn(t *testing.T, task, path string) (*exec.Cmd, *bufio.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), child+"="+task)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return cmd, bufio.NewReader(out)
}

// waitLine waits until the child has printed want.
func waitLine(t *testing.T, out *bufio.Reader, want string) {
	t.Helper()
	if got, err := out.ReadString('\n'); strings.TrimSpace(got) != want {
		t.Fatalf("child: got %q, %v, want %q", got, err, want)
	}
}

// t0 is a time that the ledger can keep.
var t0 = time.Date(2026, 11, 23, 10, 11, 12, 345e6, time.UTC)

func newPath(t *testing.T) string { return filepath.Join(t.TempDir(), "ledger.db") }

// openStore opens a fresh ledger that is closed with the test.
func openStore(t *testing.T) *Ledger {
	t.Helper()
	return reopen(t, newPath(t))
}

func reopen(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := Open(t.Context(), path, Options{Create: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

func specOf(name string) plan.Spec {
	return plan.Spec{
		Name: name, Region: "cn-hangzhou",
		Source:      plan.SourceEndpoint{Instance: "pc-1", User: "reader"},
		Destination: plan.DestinationEndpoint{Instance: "am-1"},
		DBList:      `[{"DB":"ö"}]`,
	}
}

// intentOf is attempt number attempt of a job, after state from.
func intentOf(name string, from plan.State, attempt int) plan.Intent {
	spec := specOf(name)
	return plan.Intent{
		Plan: "p", Name: name, From: from, Attempt: attempt,
		Spec: spec, Digest: plan.HashSpec(spec), Labels: map[string]string{"team": "a"},
		Nonce: fmt.Sprintf("nonce-%s-%d", name, attempt), SignedAt: t0.Add(time.Second),
		ServerOffset: -1500 * time.Millisecond, Endpoint: "adb.cn-hangzhou.aliyuncs.com",
		Baseline: []string{"aps-old"}, RunID: "run-1", At: t0,
	}
}

// step is a transition of attempt with what its state requires.
func step(name string, from plan.State, attempt int, to plan.State) plan.Transition {
	t := plan.Transition{Plan: "p", Name: name, From: from, Attempt: attempt, To: to,
		RequestID: "req-" + name, Reason: "because", RunID: "run-1", At: t0.Add(time.Minute)}
	if from == plan.StateNone || from == plan.StateCreated && to == plan.StateCreated {
		t.Spec = specOf(name)
		t.Digest = plan.HashSpec(t.Spec)
	}
	switch to {
	case plan.StateCreated:
		t.JobID = "aps-" + name
	case plan.StateConflict, plan.StateDuplicate:
		t.Candidates = []string{"aps-x", "aps-y"}
	case plan.StateAbsent:
		t.Evidence = `{"scans":2}`
	case plan.StateRejected:
		t.Code = "Throttling"
	}
	return t
}

func mustIntend(t *testing.T, l *Ledger, in plan.Intent) {
	t.Helper()
	if err := l.Intend(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

func mustSettle(t *testing.T, l *Ledger, tr plan.Transition) {
	t.Helper()
	if err := l.Settle(t.Context(), tr); err != nil {
		t.Fatal(err)
	}
}

func entryOf(t *testing.T, l *Ledger, name string) plan.Entry {
	t.Helper()
	snap, err := l.Snapshot(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	return snap.Entries[name]
}

// exec runs SQL behind the ledger's back, on its own writer.
func (l *Ledger) exec(t *testing.T, query string, args ...any) error {
	t.Helper()
	_, err := l.writer.conn.ExecContext(context.Background(), query, args...)
	return err
}
