package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Journal is a file that has every job a probe asked for, one JSON object a line,
// on disk before the request leaves. It is there as long as a job may be left, so
// that another process can clean up after one that was killed.
type Journal struct {
	path  string
	file  *os.File
	Owner Owner
	tries []*Try
}

// Owner is the account, service and region that the jobs are in.
type Owner struct {
	Account string `json:"account"`
	Service string `json:"service"`
	Region  string `json:"region"`
}

// Try is one create that was, or was about to be, sent.
type Try struct {
	Name     string    `json:"name"`
	Nonce    string    `json:"nonce"`
	SignedAt time.Time `json:"signed_at"`
	// Baseline are the ids that had the name before: none of them is this job.
	Baseline []string `json:"baseline,omitempty"`
	// ID is empty as long as it is not known.
	ID string `json:"id,omitempty"`
	// Listed says that a listing showed it once.
	Listed bool `json:"listed,omitempty"`
	// Over says that nothing of it is left, or ever was.
	Over bool `json:"over,omitempty"`
	// Refused says that an answer refused it without proving that it was not done.
	Refused bool `json:"refused,omitempty"`
}

// line is one object of the file: the owner first, then each state of a try.
type line struct {
	Owner *Owner `json:"owner,omitempty"`
	Try   *Try   `json:"try,omitempty"`
}

// CreateJournal makes the file of a new probe. The error is fs.ErrExist when an
// earlier probe may have left jobs.
func CreateJournal(path string, owner Owner) (*Journal, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, file: file, Owner: owner}
	if err := j.append(line{Owner: &owner}); err != nil {
		return nil, errors.Join(err, j.close(), os.Remove(path))
	}
	// A file whose name is lost with the power is no journal.
	if folder, err := os.Open(filepath.Dir(path)); err == nil {
		_ = folder.Sync()
		_ = folder.Close()
	}
	return j, nil
}

// OpenJournal reads the file of an earlier probe. The error is fs.ErrNotExist when
// there is none. A last line that was cut off counts as not written: its request
// was not sent.
func OpenJournal(path string) (*Journal, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path}
	lines := strings.Split(string(text), "\n")
	for i, one := range lines[:len(lines)-1] {
		var l line
		if err := json.Unmarshal([]byte(one), &l); err != nil {
			return nil, fmt.Errorf("line %d of %s cannot be read: %w", i+1, path, err)
		}
		switch {
		case l.Owner != nil:
			j.Owner = *l.Owner
		case l.Try != nil:
			j.take(*l.Try)
		}
	}
	if j.file, err = os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return nil, err
	}
	if cut := lines[len(lines)-1]; cut != "" {
		if err := j.file.Truncate(int64(len(text) - len(cut))); err != nil {
			return nil, errors.Join(err, j.close())
		}
	}
	return j, nil
}

func (j *Journal) take(t Try) {
	i := slices.IndexFunc(j.tries, func(known *Try) bool { return known.Nonce == t.Nonce })
	if i < 0 {
		j.tries = append(j.tries, &t)
		return
	}
	*j.tries[i] = t
}

// Put writes a state of a try and returns when it is on disk.
func (j *Journal) Put(t Try) error {
	j.take(t)
	return j.append(line{Try: &t})
}

// Open are the tries of which something may be left.
func (j *Journal) Open() []Try {
	var open []Try
	for _, t := range j.tries {
		if !t.Over {
			open = append(open, *t)
		}
	}
	return open
}

// Close removes the file when nothing is left.
func (j *Journal) Close() error {
	err := j.close()
	if len(j.Open()) == 0 {
		if gone := os.Remove(j.path); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}
	return err
}

func (j *Journal) close() error { return j.file.Close() }

func (j *Journal) append(l line) error {
	text, err := json.Marshal(l)
	if err == nil {
		_, err = j.file.Write(append(text, '\n'))
	}
	if err == nil {
		err = j.file.Sync()
	}
	return err
}
