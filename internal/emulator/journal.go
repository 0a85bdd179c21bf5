package emulator

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/gofrs/flock"
)

// ErrInUse is returned by [Open] when another emulator holds the state file.
var ErrInUse = errors.New("state file is in use by another emulator")

const journalVersion = 1

// line is one line of the journal; exactly one field is set. The first line
// of a file is always a Head. A Job replaces any earlier one of its id.
type line struct {
	Head  *headLine  `json:"emulator,omitempty"`
	Job   *job       `json:"job,omitempty"`
	Gone  string     `json:"gone,omitempty"`
	Nonce *nonceLine `json:"nonce,omitempty"`
}

type headLine struct {
	Version int    `json:"version"`
	Account string `json:"account"`
}

type nonceLine struct {
	Key     string `json:"key"`
	Nonce   string `json:"nonce"`
	UntilMs int64  `json:"until_ms"`
}

// journal appends lines to the state file. Every line goes to the kernel in
// one write before append returns, so it survives the death of the process at
// any instant. It is not synced: a power cut may lose the last seconds.
type journal struct {
	path string
	lock *flock.Flock
	file *os.File
	size int64
	err  error // set when the file can no longer be trusted
}

// openJournal locks path and reads it into s. A last line that was cut by a
// kill is dropped: its request was never answered. What later lines made
// obsolete is dropped too, by writing the file anew.
func openJournal(path string, s *state, now time.Time) (*journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of the state file: %w", err)
	}
	// The lock is a file of its own because the state file is replaced.
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	held, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock state file: %w", err)
	}
	if !held {
		lock.Close()
		return nil, fmt.Errorf("%s: %w", path, ErrInUse)
	}
	j := &journal{path: path, lock: lock}
	if err := j.load(s, now); err != nil {
		lock.Close()
		return nil, err
	}
	return j, nil
}

func (j *journal) load(s *state, now time.Time) error {
	lines, torn, err := j.read(s)
	if err != nil {
		return err
	}
	s.nonces.sweep(now)
	kept := 1 + len(s.jobs) + len(s.nonces.until)
	if lines != kept || torn {
		if err := j.rewrite(s); err != nil {
			return fmt.Errorf("write state file anew: %w", err)
		}
	}
	j.file, err = os.OpenFile(j.path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return fmt.Errorf("open state file: %w", err)
	}
	if j.size, err = j.file.Seek(0, io.SeekEnd); err == nil {
		err = j.file.Chmod(0o600)
	}
	if err != nil {
		j.file.Close()
		return fmt.Errorf("open state file: %w", err)
	}
	return nil
}

// read replays the file into s. It counts whole lines and tells whether the
// last one is torn. A file that is missing or empty has no lines.
func (j *journal) read(s *state) (lines int, torn bool, err error) {
	file, err := os.Open(j.path)
	if errors.Is(err, os.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("open state file: %w", err)
	}
	defer file.Close()
	reader := bufio.NewReaderSize(file, 1<<20)
	for {
		text, err := reader.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			torn = len(text) > 0
			break
		}
		if err != nil {
			return 0, false, fmt.Errorf("read state file: %w", err)
		}
		lines++
		var entry line
		if err := json.Unmarshal(text, &entry); err != nil || !s.replay(entry, lines) {
			return 0, false, fmt.Errorf("%s, line %d, is not a line of an emulator's state: give another path, or move the file away", j.path, lines)
		}
	}
	if torn && lines == 0 {
		// A state file of ours has its first line from birth.
		return 0, false, fmt.Errorf("%s is not an emulator's state: give another path, or move the file away", j.path)
	}
	return lines, torn, nil
}

// replay applies a line, or reports false if it makes no sense at its place.
func (s *state) replay(entry line, number int) bool {
	if (entry.Head != nil) != (number == 1) {
		return false
	}
	switch {
	case entry.Head != nil:
		s.account = entry.Head.Account
		return entry.Head.Version == journalVersion && digits(s.account, 20)
	case entry.Job != nil:
		s.jobs[entry.Job.ID] = entry.Job
		return entry.Job.ID != ""
	case entry.Gone != "":
		delete(s.jobs, entry.Gone)
		return true
	case entry.Nonce != nil:
		s.nonces.until[nonceID{entry.Nonce.Key, entry.Nonce.Nonce}] = entry.Nonce.UntilMs
		return true
	}
	return false
}

// rewrite replaces the file by one that holds only what is alive. The rename
// is atomic: a kill leaves the old file or the new one.
func (j *journal) rewrite(s *state) error {
	if s.account == "" {
		s.account = newAccount()
	}
	// A fixed name: the lock is held, and a kill leaves one such file at most.
	file, err := os.OpenFile(j.path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails after the rename, as it should
	defer file.Close()
	out := bufio.NewWriterSize(file, 1<<20)
	encode := json.NewEncoder(out)
	encode.SetEscapeHTML(false)
	err = encode.Encode(line{Head: &headLine{Version: journalVersion, Account: s.account}})
	for _, job := range inOrder(s.jobs) {
		err = errors.Join(err, encode.Encode(line{Job: job}))
	}
	for id, until := range s.nonces.until {
		err = errors.Join(err, encode.Encode(line{Nonce: &nonceLine{id.key, id.nonce, until}}))
	}
	if err = errors.Join(err, out.Flush(), file.Sync()); err != nil {
		return err
	}
	return os.Rename(file.Name(), j.path)
}

// append writes one line. If it fails the line is not in the file, or the
// journal refuses all that follows.
func (j *journal) append(entry line) error {
	if j.err != nil {
		return j.err
	}
	text, err := json.Marshal(entry)
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if _, err := j.file.Write(text); err != nil {
		// Half a line with more lines after it would make the file unreadable.
		if cut := j.file.Truncate(j.size); cut != nil {
			j.err = fmt.Errorf("state file is damaged: %w", cut)
		}
		return err
	}
	j.size += int64(len(text))
	return nil
}

func (j *journal) close() error {
	if j.err == nil {
		j.err = errors.New("state file is closed")
	}
	return errors.Join(j.file.Close(), j.lock.Close())
}

func inOrder(jobs map[string]*job) []*job {
	list := make([]*job, 0, len(jobs))
	for _, j := range jobs {
		list = append(list, j)
	}
	slices.SortFunc(list, func(a, b *job) int { return cmp.Compare(a.Seq, b.Seq) })
	return list
}
