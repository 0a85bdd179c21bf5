package main

import (
	"bytes"
	"os"
	"path/filepath"
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
	ours := []string{ledgerDefault, ledgerDefault + ".lock", ledgerDefault + reserveSuffix, "folder/ledger.db", "foreign", "other.yml", "apsctl.yaml"}
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
