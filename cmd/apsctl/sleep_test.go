package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/emulator"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// pastFresh is more than the minute for which a signed date may be sent.
const pastFresh = 62 * time.Second

// TestStoppedBetweenIntentAndSend stops the real program with SIGSTOP between
// the commit of an intent and its request, for longer than the request may be
// sent: it does not leave, the ledger says so, and a new attempt does, in the same run.
func TestStoppedBetweenIntentAndSend(t *testing.T) {
	t.Parallel()
	binary := crashBinary(t)
	c := newKillBench(t, binary, emulator.Options{})
	defer c.close()
	cmd := exec.Command(c.binary, c.args()...)
	wait := c.begin(cmd, fmt.Sprintf("%s=%s:3:stop", crashpoint.Variable, crashpoint.IntentCommitted))
	defer func() { _ = cmd.Process.Kill() }()
	for deadline := time.Now().Add(time.Minute); !stopped(cmd.Process.Pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not stop")
		}
	}
	time.Sleep(pastFresh)
	if err := cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if r := wait(); r.code != 0 {
		t.Fatal(r)
	}
	if s := c.server.Stats(); s.Creates != c.jobs || s.Duplicates != 0 {
		t.Errorf("%d jobs were created for %d, %d duplicates", s.Creates, c.jobs, s.Duplicates)
	}
	if c.heldBack() == 0 {
		t.Error("no request was held back")
	}
}

// stopped reports whether the kernel has a process as stopped.
func stopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return err == nil && bytes.HasPrefix(rest, []byte("T"))
}

// heldBack counts the attempts whose request was never sent.
func (c *killBench) heldBack() int {
	c.Helper()
	ledger, err := store.OpenReadOnly(c.Context(), c.ledger)
	if err != nil {
		c.Fatal(err)
	}
	defer ledger.Close()
	n := 0
	for i := range c.jobs {
		attempts, err := ledger.Attempts(c.Context(), "kill", fmt.Sprintf("job-%d", i))
		if err != nil {
			c.Fatal(err)
		}
		for _, a := range attempts {
			if a.Outcome == plan.StateNotSent {
				n++
			}
		}
	}
	return n
}
