package main

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestMemoryIsKeptPrivate runs the real program, as another user where the test
// is root, since root may read everything: no core dump, and a process of the
// same user can read neither environment nor memory.
func TestMemoryIsKeptPrivate(t *testing.T) {
	b := newBench(t)
	dir := openFolder(t)
	binary := filepath.Join(dir, "apsctl")
	copyExecutable(t, binary)
	b.setenv("DB_PASSWORD", canary)
	// The core limit is raised as far as it goes, so that its end is seen.
	cmd := b.asAnyone(dir, "sh", "-c", `ulimit -c unlimited 2>/dev/null; exec "$0" emulator --listen 127.0.0.1:0`, binary)
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if line, err := bufio.NewReader(stdout).ReadString('\n'); err != nil || !strings.Contains(line, "http://") {
		t.Fatalf("the emulator did not start: %q, %v", line, err)
	}
	proc := "/proc/" + strconv.Itoa(cmd.Process.Pid)
	limits, err := os.ReadFile(proc + "/limits")
	if err != nil || !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("got %v, %s", err, limits)
	}
	for _, name := range []string{"environ", "mem", "maps"} {
		if info, err := os.Stat(proc + "/" + name); err != nil || info.Sys().(*syscall.Stat_t).Uid != 0 {
			t.Errorf("%s belongs to the user of the process: %v, %v", name, info, err)
		}
	}
	// A plain process of the same user shows that this can be read at all.
	plain := b.asAnyone(dir, "sleep", "60")
	if err := plain.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = plain.Process.Kill(); _ = plain.Wait() }()
	if out, err := b.asAnyone(dir, "cat", "/proc/"+strconv.Itoa(plain.Process.Pid)+"/environ").Output(); err != nil || !strings.Contains(string(out), canary) {
		t.Skipf("processes cannot read each other here: %v", err)
	}
	if out, err := b.asAnyone(dir, "cat", proc+"/environ").CombinedOutput(); err == nil || strings.Contains(string(out), canary) {
		t.Errorf("its environment can be read: %v", err)
	}
}

// openFolder is a folder that every user may read.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "apsctl-memory-")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// copyExecutable copies this test program, which acts as apsctl.
func copyExecutable(t *testing.T, to string) {
	t.Helper()
	from, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	// A process that another test forks meanwhile would have the file open for writing
	// until it is another program, and nobody can run a file that is being written.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o755); err != nil { // whatever the umask is
		t.Fatal(err)
	}
}

// asAnyone is a command with the bench's environment that root runs as nobody.
func (b *bench) asAnyone(dir, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(b.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, b.env
	if os.Getuid() == 0 {
		const nobody = 65534
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	}
	return cmd
}
