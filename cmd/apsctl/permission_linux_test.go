package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// restrained sees to it that permissions count. To root they say nothing, so a test of
// root is run by nobody instead, in a process of its own; then restrained returns true
// and the caller has nothing left to do.
func restrained(t *testing.T) bool {
	t.Helper()
	if os.Getuid() != 0 {
		return false
	}
	t.Parallel()
	dir := openFolder(t)
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "apsctl.test")
	copyExecutable(t, binary)
	b := &bench{T: t, env: []string{"HOME=" + dir, "TMPDIR=" + dir, "PATH=" + os.Getenv("PATH"),
		"ALIBABA_CLOUD_ECS_METADATA_DISABLED=true"}}
	out, err := b.asAnyone(dir, binary, "-test.v", "-test.run=^"+t.Name()+"$").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("as nobody: %v\n%s", err, out)
	}
	return true
}

func TestFmtInAFolderThatMayNotBeWritten(t *testing.T) {
	if restrained(t) {
		return
	}
	b := newBench(t)
	b.write("folder/plan.yaml", untidyPlan)
	folder := filepath.Join(b.dir, "folder")
	if err := os.Chmod(folder, 0o555); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.Chmod(folder, 0o755) }()
	if r := b.want(exitFailure, "fmt", "folder/plan.yaml"); !strings.Contains(r.stderr, "its folder allows no new file") {
		t.Errorf("got %s", r)
	}
	b.content("folder/plan.yaml", untidyPlan)
}

// What is in the way is said: a file system that is mounted read-only has no wrong
// owner, and its lock file is an ordinary one.
func TestLedgerOnAReadOnlyFileSystem(t *testing.T) {
	if err := exec.Command("unshare", "-rm", "mount", "--bind", "/tmp", "/tmp").Run(); err != nil {
		t.Skip("nothing may be mounted here: ", err)
	}
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(1))
	b.want(0, "apply", "--yes")
	for _, locked := range []string{"rm .apsctl/ledger.db.lock;", ""} {
		for _, command := range []string{"apply --yes", "resolve", "ledger list"} {
			r := b.shell(exitLedger, locked+` unshare -rm sh -c 'mount --bind .apsctl .apsctl && mount -o remount,bind,ro .apsctl && exec "$0" `+command+`' "$0"`)
			if wantIn(t, r.stderr, "is mounted read-only", "E-LEDGER-PERMISSION"); strings.Contains(r.stderr, "symbolic link") || strings.Contains(r.stderr, "owner") {
				t.Errorf("%s: %s", command, r)
			}
			locked = ""
		}
		b.want(0, "apply", "--yes") // which makes the lock file again
	}
}

// A ledger that may only be read is read, and nothing is sent that it could not
// record. SQLite needs the folder even to read.
func TestLedgerThatMayNotBeWritten(t *testing.T) {
	if restrained(t) {
		return
	}
	b := newBench(t)
	cloud := b.emulator()
	b.write("bulk.yaml", planOf(1))
	b.want(0, "apply", "--yes", "bulk.yaml")
	b.write("bulk.yaml", planOf(2))
	folder := filepath.Dir(b.ledgerPath())
	mode := func(file, dir os.FileMode) {
		if err := errors.Join(os.Chmod(b.ledgerPath(), file), os.Chmod(folder, dir)); err != nil {
			t.Fatal(err)
		}
	}
	defer mode(0o600, 0o700)
	mode(0o400, 0o700)
	for _, args := range [][]string{{"plan", "bulk.yaml"}, {"status"}, {"ledger", "list"}, {"ledger", "verify"}} {
		b.want(0, args...)
	}
	wantIn(t, b.want(exitLedger, "apply", "--yes", "bulk.yaml").stderr, "may not write it")
	for _, suffix := range []string{"-wal", "-shm"} { // what the readers left
		_ = os.Remove(b.ledgerPath() + suffix)
	}
	mode(0o600, 0o500)
	for _, args := range [][]string{{"apply", "--yes", "bulk.yaml"}, {"resolve", "bulk.yaml"}, {"ledger", "list"}} {
		wantIn(t, b.want(exitLedger, args...).stderr, "may not write it", "its folder")
	}
	if n := cloud.creates(); n != 1 {
		t.Errorf("%d creates were sent", n)
	}
	mode(0o600, 0o700)
	b.want(0, "apply", "--yes", "bulk.yaml")
}
