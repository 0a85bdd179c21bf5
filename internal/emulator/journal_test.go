package emulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func read(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sub", "folder", "state.jsonl")
	clock := newClock()
	opts := Options{State: path, Now: clock.now}
	c, server := open(t, opts)
	account := server.Account()
	gone, kept := c.create("gone"), c.create("kept", "SourceEndpointPassword", "canary-source", "DestinationEndpointPassword", "canary-destination", "SourceEndpointUserName", "canary-user")
	c.create("kept")
	c.ok("ModifyApsJob", with(byID(kept), "DbList", `{"x":1}`))
	c.ok("SuspendApsJob", byID(kept))
	c.ok("DeleteApsJob", byID(gone))
	before := c.list("CreateTimeStart", "2020-01-01T00:00Z")
	text := string(read(t, path))
	if strings.Contains(text, "canary") || strings.Contains(text, "secret") {
		t.Errorf("a secret is in the state:\n%s", text)
	}

	// Not closed: the process could have been killed here. Only the lock
	// stands in the way, which the kernel releases with the process.
	copied := filepath.Join(t.TempDir(), "state.jsonl")
	if err := os.WriteFile(copied, read(t, path), 0o644); err != nil {
		t.Fatal(err)
	}
	opts.State = copied
	for range 2 { // as left by the kill, and as compacted
		c, server = open(t, opts)
		if got := server.Account(); got != account {
			t.Errorf("got account %s, want %s", got, account)
		}
		after := c.list("CreateTimeStart", "2020-01-01T00:00Z")
		wantBody(t, "list", after.without(), before.without())
		if got := server.Stats(); got.Jobs != 2 || got.Duplicates != 1 || got.Creates != 0 {
			t.Errorf("got stats %+v", got)
		}
		detail := c.ok("DescribeApsJobDetail", byID(kept)).body["APSJobDetail"].(map[string]any)
		wantBody(t, "DbList", detail["DbList"].(map[string]any), map[string]any{"x": json.Number("1")})
		if lines := bytes.Count(read(t, copied), []byte("\n")); lines > 3+10+4 {
			t.Errorf("got %d lines, want the obsolete ones gone", lines)
		}
		server.Close()
	}
	for file, want := range map[string]os.FileMode{copied: 0o600, path: 0o600, path + ".lock": 0o600, filepath.Dir(path): 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: got mode %v, %v, want %v", file, info.Mode(), err, want)
		}
	}
}

func TestInUse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	_, server := open(t, Options{State: path})
	if _, err := Open(Options{State: path}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
	server.Close()
	open(t, Options{State: path})
}

// A kill can cut the last line anywhere. What was answered is still there.
func TestTornJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	c, server := open(t, Options{State: path})
	first := c.create("first")
	whole := read(t, path)
	c.nonce = "second"
	c.create("second")
	server.Close()
	text := read(t, path)
	for cut := len(whole); cut < len(text); cut++ {
		if err := os.WriteFile(path, text[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		server, err := Open(Options{State: path})
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if server.state.job(place{server.Account(), "cn-hangzhou"}, first) == nil || server.Stats().Jobs != 1 {
			t.Fatalf("cut at %d: the first job is lost", cut)
		}
		server.Close()
		if got := read(t, path); got[len(got)-1] != '\n' {
			t.Fatalf("cut at %d: the torn line is still there", cut)
		}
	}
}

func TestForeignFileIsLeftAlone(t *testing.T) {
	const head = `{"emulator":{"version":1,"account":"1234567890123456"}}` + "\n"
	for name, text := range map[string]string{
		"no newline":  "precious",
		"text":        "precious\n",
		"other JSON":  `{"a":1}` + "\n",
		"version":     strings.Replace(head, "1", "2", 1),
		"no head":     `{"gone":"x"}` + "\n",
		"two heads":   head + head,
		"bad middle":  head + "x\n" + `{"gone":"x"}` + "\n",
		"empty line":  head + "\n",
		"job, no id":  head + `{"job":{}}` + "\n",
		"bad account": strings.Replace(head, "123", "abc", 1),
	} {
		path := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{State: path}); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got %v, want an error that names the file", name, err)
		}
		if got := string(read(t, path)); got != text {
			t.Errorf("%s: the file was changed to %q", name, got)
		}
	}
	if _, err := Open(Options{State: t.TempDir()}); err == nil {
		t.Error("a folder was accepted as a state file")
	}
}

// A journal that cannot be written refuses, and memory stays as the file is.
func TestJournalFailure(t *testing.T) {
	c, server := open(t, Options{State: filepath.Join(t.TempDir(), "state"), ReplayAllowed: true})
	c.create("a")
	server.state.journal.file.Close()
	c.refused("CreateAPSJob", createParams("b"), 500, "InternalError")
	if got := server.Stats(); got.Jobs != 1 || got.Creates != 1 {
		t.Errorf("got stats %+v, want the failed create nowhere", got)
	}
}

func TestConcurrentCreates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	c, server := open(t, Options{State: path, ListOrder: OrderID})
	const workers, each = 8, 25
	var group sync.WaitGroup
	for w := range workers {
		group.Go(func() {
			for i := range each {
				if _, err := c.do("CreateAPSJob", createParams(fmt.Sprintf("job-%d-%d", w, i))); err != nil {
					t.Error(err)
				}
				if _, err := c.do("DescribeApsJobs", map[string]string{"PageNumber": "1", "PageSize": "30", "ApsJobName": "job-1"}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	check := func(server *Server) {
		t.Helper()
		if got := server.Stats(); got.Jobs != workers*each || got.Duplicates != 0 {
			t.Errorf("got stats %+v, want %d jobs", got, workers*each)
		}
	}
	check(server)
	server.Close()
	_, server = open(t, Options{State: path})
	check(server)
}
