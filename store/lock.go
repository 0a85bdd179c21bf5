package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/gofrs/flock"
)

// holderMaxBytes is more than a holder's record takes.
const holderMaxBytes = 4096

// Holder tells people who holds a lock. Nothing is decided by it.
type Holder struct {
	PID     int       `json:"pid"`
	Host    string    `json:"host"`
	User    string    `json:"user"`
	Command string    `json:"command"`
	Started time.Time `json:"started"`
}

// String is empty for the zero Holder, which stands for somebody unknown.
func (h Holder) String() string {
	if h.PID == 0 {
		return ""
	}
	text := fmt.Sprintf("pid %d", h.PID)
	if h.Host != "" {
		text += " on " + h.Host
	}
	if h.User != "" {
		text += " by " + h.User
	}
	if !h.Started.IsZero() {
		text += " since " + h.Started.UTC().Format(time.RFC3339)
	}
	if h.Command != "" {
		text += " (" + h.Command + ")"
	}
	return text
}

// LockedError says that a live run holds the lock.
type LockedError struct {
	Path   string // the ledger
	Holder Holder // zero when it could not be read
}

func (e *LockedError) Error() string {
	who := e.Holder.String()
	if who == "" {
		who = "another run"
	}
	return fmt.Sprintf("ledger %s: it is in use by %s; wait for it to end or stop it, "+
		"the lock is gone as soon as that process is", e.Path, who)
}

// Lock is the right to be the only run on a ledger. The kernel takes it back
// when the process dies, however it dies; children do not inherit it.
type Lock struct{ flock *flock.Flock }

// AcquireLock takes the lock of the ledger at path, which need not exist yet,
// without waiting. When a live run holds it the error is a *LockedError. The
// lock is on a file of its own beside the ledger, path + ".lock", that is never
// deleted. Take it before the ledger is opened.
func AcquireLock(path string, h Holder) (*Lock, error) {
	// Two names of one ledger have one lock.
	ledger := path
	if target, err := filepath.EvalSymlinks(path); err == nil {
		ledger = target
	}
	if err := os.MkdirAll(filepath.Dir(ledger), 0o700); err != nil {
		return nil, trouble(path, "lock", err)
	}
	name := ledger + ".lock"
	// Somebody may delete the file, against the rule, between our opening and
	// locking it; a lock on a file without a name keeps nobody out.
	for range 3 {
		lock := flock.New(name, flock.SetFlag(os.O_CREATE|os.O_RDWR|openNoFollow), flock.SetPermissions(0o600))
		locked, err := lock.TryLock()
		if err != nil {
			return nil, lockTrouble(path, name, err)
		}
		if !locked {
			return nil, &LockedError{Path: path, Holder: readHolder(name)}
		}
		mine, err := lock.Stat()
		if err == nil && !mine.Mode().IsRegular() {
			err = errors.New("not a regular file")
		}
		if err != nil {
			_ = lock.Close()
			return nil, lockTrouble(path, name, err)
		}
		if now, err := os.Lstat(name); err != nil || !os.SameFile(mine, now) {
			_ = lock.Close()
			continue
		}
		text, _ := json.Marshal(h)
		record(lock, string(text)+"\n")
		return &Lock{lock}, nil
	}
	return nil, lockTrouble(path, name, errors.New("it keeps being deleted"))
}

// Release gives the lock back. Releasing it twice, or a nil Lock, does nothing.
func (l *Lock) Release() error {
	if l == nil || !l.flock.Locked() {
		return nil
	}
	record(l.flock, "")
	return l.flock.Unlock()
}

func lockTrouble(path, name string, err error) error {
	if _, kind := classify(err); kind != nil {
		return trouble(path, "lock", err)
	}
	text := "its lock file " + name + " cannot be used"
	if info, statErr := os.Lstat(name); statErr == nil && !info.Mode().IsRegular() {
		text += "; it must be an ordinary file of this user, and no symbolic link"
	}
	return &Error{Kind: ErrPermission, Path: path, Err: err, Text: text}
}

// record replaces what the lock file says, by "" too. It is for people only, so
// it does not matter if it fails; but it must not touch any other file.
func record(lock *flock.Flock, text string) {
	file, err := os.OpenFile(lock.Path(), os.O_WRONLY|openNoFollow, 0)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	mine, err := lock.Stat()
	if err != nil {
		return
	}
	if now, err := file.Stat(); err != nil || !os.SameFile(mine, now) {
		return
	}
	_ = file.Chmod(0o600)
	_ = file.Truncate(0)
	_, _ = file.WriteString(text)
}

// readHolder returns the zero Holder for anything but a record of ours.
func readHolder(name string) Holder {
	file, err := os.OpenFile(name, os.O_RDONLY|openNoFollow, 0)
	if err != nil {
		return Holder{}
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, holderMaxBytes))
	if err != nil {
		return Holder{}
	}
	var h Holder
	if json.Unmarshal(text, &h) != nil {
		return Holder{}
	}
	return h
}

// LockHolder tells who took the lock of the ledger at path last and did not give
// it back; the zero Holder means nobody. It takes no lock, so that it is in
// nobody's way: whoever it names may have died.
func LockHolder(path string) Holder {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	return readHolder(path + ".lock")
}
