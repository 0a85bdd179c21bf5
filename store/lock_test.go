package store

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var me = Holder{PID: 4242, Host: "build-1", User: "ann", Command: "apsctl apply", Started: t0}

// holdLock takes the lock, says so, starts a child of its own, and waits to be
// killed.
func holdLock(path string) int {
	if _, err := AcquireLock(path, me); err != nil {
		fmt.Println(err)
		return 1
	}
	if err := exec.Command("sleep", "5").Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("held")
	time.Sleep(time.Minute)
	return 0
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "ledger.db")
	lock, err := AcquireLock(path, me)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{path + ".lock": 0o600, filepath.Dir(path): 0o700 | os.ModeDir} {
		if info, err := os.Stat(name); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
	_, err = AcquireLock(path, Holder{PID: 1})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Holder != me || locked.Path != path {
		t.Fatalf("got %v", err)
	}
	if want := "pid 4242 on build-1 by ann since 2026-11-23T10:11:12Z (apsctl apply)"; !strings.Contains(err.Error(), want) {
		t.Errorf("got %q, want %q in it", err, want)
	}
	// Another name of the same ledger has the same lock.
	link := filepath.Join(t.TempDir(), "link")
	if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	if _, err := AcquireLock(link, Holder{}); !errors.As(err, new(*LockedError)) {
		t.Errorf("got %v, want *LockedError", err)
	}
	if err := errors.Join(lock.Release(), lock.Release(), (*Lock)(nil).Release()); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path + ".lock"); err != nil || info.Size() != 0 {
		t.Errorf("after the release: got %v, %v", info, err)
	}
	again, err := AcquireLock(path, me)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Release(); err != nil {
		t.Error(err)
	}
}

// The kernel gives the lock back, also when the holder left a child behind.
func TestLock_holder_killed(t *testing.T) {
	var longest time.Duration
	for range 20 {
		longest = max(longest, takeOver(t, newPath(t)))
	}
	t.Logf("the longest of 20 takeovers took %v", longest)
}

// takeOver kills the holder of a lock and gets it at the first try, which is how
// it is said that nobody has to wait. It returns how long that took.
func takeOver(t *testing.T, path string) time.Duration {
	cmd, out := spawn(t, "hold", path)
	waitLine(t, out, "held")
	if _, err := AcquireLock(path, Holder{}); !errors.As(err, new(*LockedError)) {
		t.Fatalf("got %v, want *LockedError", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = cmd.Process.Wait()
	start := time.Now()
	lock, err := AcquireLock(path, Holder{PID: 7})
	if err != nil {
		t.Fatal(err)
	}
	took := time.Since(start)
	if got := readHolder(path + ".lock").PID; got != 7 {
		t.Errorf("the record is still that of %d", got)
	}
	if err := lock.Release(); err != nil {
		t.Error(err)
	}
	return took
}

func TestLock_record_is_garbage(t *testing.T) {
	path := newPath(t)
	lock, err := AcquireLock(path, me)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = lock.Release() }()
	for _, text := range []string{"", "4242\n", "{", "\x00\xff", strings.Repeat("9", 1<<20), `{"pid":"x"}`, "[]"} {
		if err := os.WriteFile(path+".lock", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := AcquireLock(path, Holder{})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Holder != (Holder{}) || !strings.Contains(err.Error(), "another run") {
			t.Errorf("%.10q: got %v", text, err)
		}
	}
}

func TestLock_refused(t *testing.T) {
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := errors.Join(
		os.WriteFile(victim, []byte("keep me"), 0o644),
		os.Symlink(victim, filepath.Join(dir, "a.lock")),
		os.Mkdir(filepath.Join(dir, "b.lock"), 0o700),
		os.WriteFile(filepath.Join(dir, "file"), nil, 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "file/c"} {
		lock, err := AcquireLock(filepath.Join(dir, name), me)
		if err == nil {
			_ = lock.Release()
			t.Errorf("%s: got the lock", name)
		} else if errors.As(err, new(*LockedError)) {
			t.Errorf("%s: got %v", name, err)
		} else if named := strings.Contains(err.Error(), "no symbolic link"); named != (name != "file/c") {
			t.Errorf("%s: the reason is wrong: %v", name, err)
		}
	}
	if text, err := os.ReadFile(victim); err != nil || string(text) != "keep me" {
		t.Errorf("got %q, %v", text, err)
	}
}

// The lock file was deleted while it is held: a second run may then start, and
// the compare-and-swap stands behind it. The first one's release does no harm.
func TestLock_file_deleted(t *testing.T) {
	path := newPath(t)
	first, err := AcquireLock(path, me)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path + ".lock"); err != nil {
		t.Fatal(err)
	}
	second, err := AcquireLock(path, me)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Release(); err != nil {
		t.Error(err)
	}
	if got := readHolder(path + ".lock"); got != me {
		t.Errorf("the first wiped the second's record: %+v", got)
	}
	if err := second.Release(); err != nil {
		t.Error(err)
	}
}
