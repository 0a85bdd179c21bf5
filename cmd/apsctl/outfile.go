package main

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/apsctl/apsctl/internal/notice"
)

// Files beside the ledger: what putBy sets aside, and what emergency notes.
const (
	reserveSuffix   = ".reserve"
	emergencySuffix = ".emergency"
)

// ledgerSuffixes are those of the ledger itself and of the files beside it, which
// SQLite, the lock, what was sent and runs make.
var ledgerSuffixes = []string{
	"", "-wal", "-shm", "-journal", ".lock", ".sent", ".sent.new", reserveSuffix, emergencySuffix, notice.ToldSuffix,
}

func notOrdinary(path string) error { return errors.New(path + " is not an ordinary file") }

// ordinaryOrNew refuses to replace what is there and no ordinary file: a rename
// would put a file in place of a device or a link without a word.
func ordinaryOrNew(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return errors.New("it is a link, a folder or a device; name an ordinary file")
	}
	return nil
}

// inUse are files that a command reads and writes by itself, so that nobody can
// mean them to be written over.
type inUse struct {
	ledger string   // path
	plans  []string // files, as the command line has them
}

// refuse tells why nothing may be written to path, nil for nothing against it. A
// link is followed.
func (u inUse) refuse(path string) error {
	ledgers := []string{u.ledger}
	if target, err := filepath.EvalSymlinks(u.ledger); err == nil {
		ledgers = append(ledgers, target) // some are beside the ledger itself, whatever link names it
	}
	for _, ledger := range ledgers {
		for _, suffix := range ledgerSuffixes {
			if samePlace(path, ledger+suffix) {
				return errors.New("it belongs to the ledger; name another file")
			}
		}
	}
	if samePlace(path, filepath.Join(filepath.Dir(u.ledger), probeJournal)) {
		return errors.New("it is the journal of a probe; name another file")
	}
	for _, name := range []string{"cloud.journal", "cloud.journal.lock", "secrets.yaml"} {
		if samePlace(path, filepath.Join(emulatorFolder, name)) {
			return errors.New("it belongs to the emulated service; name another file")
		}
	}
	if slices.ContainsFunc(u.plans, func(read string) bool { return samePlace(path, read) }) {
		return errors.New("the plan is read from it; name another file")
	}
	head := headOf(path)
	switch name := strings.ToLower(path); {
	case bytes.HasPrefix(head, []byte("SQLite format 3\x00")):
		return errors.New("it is a database, perhaps another ledger; name another file")
	case startsAsSaved(path):
		return errors.New("it is a saved plan; name another file")
	case len(head) > 0 && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")):
		return errors.New("it is a YAML file, as plans are; name another file")
	}
	return nil
}

// refuseBut is refuse for a file that goes on: besides, it is new, empty, or begins
// as it does whenever this program has made it.
func (u inUse) refuseBut(path, beginning string) error {
	if err := u.refuse(path); err != nil {
		return err
	}
	if head := headOf(path); len(head) > 0 && !bytes.HasPrefix(head, []byte(beginning)) {
		return errors.New("it holds something else, and is left as it is; name another file")
	}
	return nil
}

// headOf is the beginning of an ordinary file, nothing of anything else: a pipe
// would be waited for.
func headOf(path string) []byte {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	head, _ := io.ReadAll(io.LimitReader(file, 64))
	return head
}

// samePlace reports whether two names are of one file, also of one that is still
// to be made.
func samePlace(one, other string) bool {
	a, errA := os.Stat(one)
	b, errB := os.Stat(other)
	if errA == nil && errB == nil {
		return os.SameFile(a, b)
	}
	return placeOf(one) == placeOf(other)
}

func placeOf(path string) string {
	folder := filepath.Dir(path)
	if real, err := filepath.EvalSymlinks(folder); err == nil {
		folder = real
	}
	path = filepath.Join(folder, filepath.Base(path))
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return path
}
