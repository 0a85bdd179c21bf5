package main

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesThatAreNotToBeWritten: nobody can mean the ledger, a plan, a device or a
// link, and a name that slipped costs a warning or an error and no file.
func TestFilesThatAreNotToBeWritten(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(1))
	b.write("plan.txt", planOf(1))
	b.write("other.yml", "a: b\n")
	b.write("mine.json", "[1]\n")
	b.write("empty", "")
	b.want(exitDone, "apply", "--yes", "plan.txt")
	b.want(exitDone, "plan", "--out", "saved.json", "plan.txt")
	at := func(name string) string { return filepath.Join(b.dir, name) }
	for _, err := range []error{
		os.Symlink(".apsctl", at("folder")), os.Symlink("empty", at("link")), makePipe(at("pipe")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	foreign, err := os.ReadFile(b.ledgerPath())
	if err == nil {
		err = os.WriteFile(at("foreign"), foreign, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	b.write(".apsctl/"+probeJournal, "{}\n")
	b.write(ledgerDefault+".sent.new", "\n")
	ours := []string{ledgerDefault + ".sent", ledgerDefault + ".sent.new", ".apsctl/" + probeJournal, ledgerDefault, ledgerDefault + ".lock", ledgerDefault + reserveSuffix, "folder/ledger.db", "foreign", "other.yml", "apsctl.yaml"}
	for flag, names := range map[string][]string{
		"--metrics": append([]string{"plan.txt", "saved.json", "mine.json", "link", "pipe", "folder", "folder/ledger.db-wal"}, ours...),
		"--events":  append([]string{"plan.txt", "saved.json", "mine.json", "pipe", "folder", "folder/ledger.db-journal"}, ours...),
		"--html":    append([]string{"saved.json", "link", "pipe", "folder", "folder/ledger.db-shm"}, ours...),
		"--out":     append([]string{"plan.txt", "link", "pipe", "folder", "folder/ledger.db.emergency", "folder/ledger.db.told"}, ours...),
	} {
		for _, name := range names {
			info, before := b.whatIsAt(name)
			var r result
			switch flag {
			case "--html":
				r = b.want(exitFailure, "report", flag, name)
			case "--out":
				r = b.want(exitLimit, "plan", flag, name, "--force", "plan.txt")
			default:
				r = b.want(exitDone, "apply", "--yes", "-q", flag, name, "plan.txt")
			}
			if flag != "--events" || name != "folder" { // which is told by what it leads to
				wantIn(t, r.stderr, name)
			} else if r.stderr == "" {
				t.Error("nothing is said of a folder")
			}
			now, after := b.whatIsAt(name)
			if (info == nil) != (now == nil) || info != nil && info.Mode() != now.Mode() || !bytes.HasPrefix(after, before[:min(len(before), 16)]) || bytes.Contains(after, []byte("apsctl_build_info")) || bytes.Contains(after, []byte("run_end")) {
				t.Errorf("%s %s was written: %v", flag, name, now)
			}
		}
	}
	b.want(exitDone, "ledger", "verify")
	r := b.want(exitDone, "apply", "--yes", "-q", "--metrics", "empty", "--events", "new", "plan.txt")
	for range 2 { // and again to what it has made
		if r.stderr != "" {
			t.Errorf("got %s", r)
		}
		r = b.want(exitDone, "apply", "--yes", "-q", "--metrics", "empty", "--events", "new", "plan.txt")
	}
	if err := os.Link(b.ledgerPath(), at("hard")); err != nil {
		t.Fatal(err)
	}
	_, before := b.whatIsAt("hard")
	for _, flag := range []string{"--metrics", "--events"} {
		wantIn(t, b.want(exitLedger, "apply", "--yes", "-q", flag, "hard", "plan.txt").stderr, "E-LEDGER-NAMES", "hard links")
	}
	if _, after := b.whatIsAt("hard"); !bytes.Equal(before, after) {
		t.Error("another name of the ledger was written to")
	}
}

// What was sent is noted beside the ledger itself, whatever link it is named by.
func TestNotWrittenOverWhereALinkLeads(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(1))
	b.write("there/keep", "")
	if err := os.Symlink("there/ledger.db", filepath.Join(b.dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	b.want(exitDone, "apply", "--yes", "--ledger", "there/ledger.db")
	_, before := b.whatIsAt("there/ledger.db.sent")
	wantIn(t, b.want(exitFailure, "report", "--ledger", "link.db", "--html", "there/ledger.db.sent").stderr, "belongs to the ledger")
	if _, after := b.whatIsAt("there/ledger.db.sent"); len(before) == 0 || !bytes.Equal(before, after) {
		t.Errorf("of %q is left %q", before, after)
	}
}

// TestBesideTheLedgerNoLinkIsFollowed: what runs write there goes into files of
// their own, and they say so when they cannot.
func TestBesideTheLedgerNoLinkIsFollowed(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("apsctl.yaml", planOf(1))
	const precious = "what nobody has twice\n"
	reserve := filepath.Join(b.dir, ledgerDefault+reserveSuffix)
	for what, place := range map[string]func() error{
		"a link":            func() error { return os.Symlink("../precious", reserve) },
		"a link to nothing": func() error { return os.Symlink("../new", reserve) },
		"a folder":          func() error { return os.Mkdir(reserve, 0o700) },
		"a pipe":            func() error { return makePipe(reserve) },
	} {
		b.write("precious", precious)
		b.write(".apsctl/keep", "")
		if err := place(); err != nil {
			t.Fatal(err)
		}
		r := b.want(exitDone, "apply", "--yes")
		if wantIn(t, r.stderr, "no disk space could be put by for an emergency", reserveSuffix+" is not an ordinary file"); strings.Contains(r.stderr, "full") {
			t.Errorf("%s: the disk is not full: %s", what, r)
		}
		if giveBack(reserve) == nil {
			t.Errorf("%s is taken for space", what)
		}
		if appendDurably(reserve, []byte("x\n")) == nil {
			t.Errorf("%s is appended to", what)
		}
		b.content("precious", precious)
		if info, _ := b.whatIsAt("new"); info != nil {
			t.Errorf("%s made %v", what, info)
		}
		if err := os.Remove(reserve); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(filepath.Join(b.dir, "precious"), reserve); err != nil {
		t.Fatal(err)
	}
	if r := b.want(exitDone, "apply", "--yes"); r.stderr != "" {
		t.Errorf("got %s", r)
	}
	b.content("precious", precious)
	if info, _ := b.whatIsAt(ledgerDefault + reserveSuffix); info == nil || info.Size() != reserveBytes {
		t.Errorf("put by is %v", info)
	}
	if err := giveBack(reserve); err != nil {
		t.Error(err)
	}
}

func TestWhyThereIsNoReserve(t *testing.T) {
	full := whyNoReserve(&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC})
	if other := whyNoReserve(&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}); !strings.Contains(full, "full") || strings.Contains(other, "full") {
		t.Errorf("got %q and %q", full, other)
	}
}

// whatIsAt is what is at a name, nothing for nothing; the content of a file.
func (b *bench) whatIsAt(name string) (os.FileInfo, []byte) {
	b.Helper()
	info, err := os.Lstat(filepath.Join(b.dir, name))
	if err != nil {
		return nil, nil
	}
	if !info.Mode().IsRegular() {
		return info, nil
	}
	content, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.Fatal(err)
	}
	return info, content
}
