package emulator

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const killStateEnv = "EMULATOR_TEST_STATE"

// TestKillChild is no test: it is the process that TestKill kills.
func TestKillChild(t *testing.T) {
	path := os.Getenv(killStateEnv)
	if path == "" {
		t.Skip("runs only as a child of TestKill")
	}
	server, err := Open(Options{State: path})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("http://%s\n", ln.Addr())
	t.Fatal(server.Serve(context.Background(), ln))
}

// Every job that was acknowledged is there after a kill, and one more at most
// for each request that was under way.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	acknowledged := map[string]bool{}
	const rounds, workers = 5, 4
	for round := range rounds {
		for id := range killOnce(t, path, workers, time.Duration(20+round*15)*time.Millisecond) {
			acknowledged[id] = true
		}
	}
	server, err := Open(Options{State: path})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for id := range acknowledged {
		if server.state.job(place{server.Account(), "cn-hangzhou"}, id) == nil {
			t.Errorf("the acknowledged job %s is lost", id)
		}
	}
	got := server.Stats().Jobs
	if len(acknowledged) == 0 || got < len(acknowledged) || got > len(acknowledged)+rounds*workers {
		t.Errorf("got %d jobs for %d acknowledged ones", got, len(acknowledged))
	}
}

// killOnce runs a child, creates jobs with it until it is killed, and returns
// the ids that were acknowledged.
func killOnce(t *testing.T, path string, workers int, after time.Duration) map[string]bool {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
	child.Env = append(os.Environ(), killStateEnv+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer child.Wait() // reports the kill, which is no news
	defer child.Process.Kill()
	url, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the child did not start: %v", err)
	}
	c := &testClient{t: t, url: strings.TrimSpace(url), id: "emulator", secret: "emulator", now: time.Now}
	time.AfterFunc(after, func() { child.Process.Kill() })
	var mu sync.Mutex
	ids := map[string]bool{}
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for {
				got, err := c.do("CreateAPSJob", createParams("job"))
				if err != nil {
					return
				}
				mu.Lock()
				ids[got.text("ApsJobId")] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	return ids
}
