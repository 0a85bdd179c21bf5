package store

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sentPath is beside the ledger itself, whatever link it was named by.
func sentPath(ledger string) string {
	if target, err := filepath.EvalSymlinks(ledger); err == nil {
		ledger = target
	}
	return ledger + sentSuffix
}

// openSent opens the file to read and append, and makes it where there is none. It
// follows no link, waits for no reader of a pipe, and takes only an ordinary file.
func openSent(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND|openNoFollow|openNoWait, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New(path + " is not an ordinary file")
	case isSQLite(file):
		err = errors.New(path + " is a ledger, or another database of SQLite")
	case info.Mode().Perm()&0o077 != 0:
		err = file.Chmod(0o600)
	}
	if err != nil {
		_ = file.Close()
		return nil, err
	}
	return file, nil
}

// isSQLite reports whether a file is a database: a ledger may well be named as the notes of
// another one are, and what is appended to it damages it.
func isSQLite(file *os.File) bool {
	head := make([]byte, len(sqliteBeginning))
	n, err := file.ReadAt(head, 0)
	return err == nil && n == len(head) && string(head) == sqliteBeginning
}

// eachSent hands the lines of a file to do, in order, until it returns false. What
// is no line of ours is passed over.
func eachSent(file *os.File, do func(text []byte, line sentLine) bool) error {
	return eachSentOf(file, sentReadMax, do)
}

// eachSentOf is eachSent for the last bytes of the file.
func eachSentOf(file *os.File, most int64, do func(text []byte, line sentLine) bool) error {
	size, err := file.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = file.Seek(max(0, size-most), io.SeekStart)
	}
	if err != nil {
		return err
	}
	in := bufio.NewReaderSize(io.LimitReader(file, most), sentLineMax)
	for {
		text, err := in.ReadSlice('\n')
		end := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			// The rest of it comes as a line of its own, and is none of ours either.
			continue
		case err != nil && !end:
			return err
		}
		// An editor may have put its mark at the start, or left out the end of the last line.
		text = bytes.TrimPrefix(text, byteOrderMark)
		var line sentLine
		if json.Unmarshal(text, &line) == nil && line.Name != "" && !do(text, line) || end {
			return nil
		}
	}
}

var byteOrderMark = []byte("\ufeff")

// pruneSent takes lines out of the file that are older than keep and than twice the
// settle time of the run that wrote them, once the first one is: twice, for clocks that
// differ. They are held against the last lines of the file as well as against now: a clock
// that is ahead, by which nothing may be created, must not empty it. So a file to which
// nothing is added stays as it is. That it fails costs room and nothing else.
func pruneSent(ledger string, now time.Time, keep time.Duration) {
	path := sentPath(ledger)
	if _, err := os.Lstat(path); err != nil {
		return
	}
	file, err := openSent(path)
	if err != nil {
		return // whoever promises something says so
	}
	defer func() { _ = file.Close() }()
	last, err := lastSent(file)
	if err != nil {
		return
	}
	if last.Before(now) {
		now = last
	}
	over := func(line sentLine) bool {
		s := line.sent()
		return s.SignedAt.Before(now.Add(-max(keep, 2*s.Settle)))
	}
	old := false
	if eachSent(file, func(_ []byte, first sentLine) bool {
		old = over(first)
		return false
	}) != nil || !old {
		return
	}
	_ = rewriteSent(path, file, over)
}

// lastSent is the latest date at the end of the file. All of the last lines count, for one
// that was written again bears the date of long ago.
func lastSent(file *os.File) (last time.Time, err error) {
	err = eachSentOf(file, 8*sentLineMax, func(_ []byte, line sentLine) bool {
		if at := line.sent().SignedAt; at.After(last) {
			last = at
		}
		return true
	})
	return last, err
}

// rewriteSent puts a file without the lines that are over in the place of path.
func rewriteSent(path string, file *os.File, over func(sentLine) bool) error {
	draft := path + ".new" // one name: a process that is killed here leaves one at most
	if err := os.Remove(draft); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	to, err := os.OpenFile(draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(to)
	err = eachSent(file, func(text []byte, line sentLine) bool {
		if over(line) {
			return true
		}
		_, err := out.Write(append(bytes.Trim(text, "\n"), '\n'))
		return err == nil // Flush says it again
	})
	if err = errors.Join(err, out.Flush(), to.Sync(), to.Close()); err == nil {
		err = os.Rename(draft, path)
	}
	if err != nil {
		_ = os.Remove(draft)
		return fmt.Errorf("rewrite %s: %w", path, err)
	}
	return nil
}
