//go:build crashpoints

package crashpoint

import (
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// soon is how long after its moment Soon strikes.
const soon = 20 * time.Millisecond

var (
	chosen, nth, fate = parse(os.Getenv(Variable))
	reached           atomic.Int64
)

func parse(text string) (p Point, n int64, fate syscall.Signal) {
	text, stops := strings.CutSuffix(text, ":stop")
	if fate = syscall.SIGKILL; stops {
		fate = syscall.SIGSTOP
	}
	name, count, _ := strings.Cut(text, ":")
	n, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		n = 1
	}
	return Point(name), n, fate
}

// due reports whether p is the chosen point, reached for the n-th time.
func due(p Point) bool { return p == chosen && reached.Add(1) == nth }

// die ends the process as the kernel does it: nothing runs any more. A process
// that is only stopped goes on from here, once it is told to.
func die() {
	_ = syscall.Kill(os.Getpid(), fate)
	if fate == syscall.SIGKILL {
		select {}
	}
	time.Sleep(soon) // the stop reaches this thread a moment after the others
}

// At kills the process, or stops it, if p is due.
func At(p Point) {
	if due(p) {
		die()
	}
}

// Soon kills the process a moment later if p is due.
func Soon(p Point) {
	if due(p) {
		time.AfterFunc(soon, die)
	}
}

// Fails reports whether what comes at p is to fail.
func Fails(p Point) bool { return due(p) }

// Torn returns a body that kills the process once half of it was read, if p is
// due.
func Torn(p Point, body io.ReadCloser) io.ReadCloser {
	if body == nil || !due(p) {
		return body
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return body
	}
	return &torn{rest: content[:len(content)/2]}
}

type torn struct{ rest []byte }

func (t *torn) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		time.Sleep(soon) // let the first half leave
		die()
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

func (t *torn) Close() error { return nil }
