package runner_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/store"
)

// script is one history to play.
type script struct {
	seed    uint64
	kinds   []kind // nil: drawn from the seed
	without []int  // places of faults that are left out; all else stays as it is
}

// command shows the history again.
func (s script) command() string {
	text := fmt.Sprintf("go test ./runner -run 'TestSimulation$' -v -sim.seed=%d", s.seed)
	if s.kinds != nil {
		text += " -sim.faults=" + joinKinds(s.kinds)
	}
	if s.without != nil {
		text += " -sim.without=" + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.without)), ","), "[]")
	}
	return text
}

// shortest leaves out every fault without which a history goes wrong in the same
// way, one after the other.
func (g *playground) shortest(t *testing.T, s script, v *verdict) (script, *verdict) {
	for place := range v.places {
		shorter := s
		shorter.without = append(slices.Clone(s.without), place)
		if less := g.play(t, shorter); len(less.wrong) > 0 && less.wrong[0].invariant == v.wrong[0].invariant {
			s, v = shorter, less
		}
	}
	return s, v
}

func joinKinds(kinds []kind) string {
	var parts []string
	for _, k := range kinds {
		parts = append(parts, string(k))
	}
	return strings.Join(parts, ",")
}

// playground plays histories. The ledgers are in memory where the system has a
// place for that: what is simulated is not the disk.
type playground struct {
	dir   string
	empty []byte // a new ledger
}

func newPlayground(t *testing.T) *playground {
	t.Helper()
	g := &playground{dir: memoryDir(t)}
	path := filepath.Join(g.dir, "empty.db")
	ledger, err := store.Open(t.Context(), path, store.Options{Create: true})
	if err == nil {
		err = ledger.Close()
	}
	if err == nil {
		g.empty, err = os.ReadFile(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func memoryDir(t *testing.T) string {
	t.Helper()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		if dir, err := os.MkdirTemp("/dev/shm", "apsctl-simulation-"); err == nil {
			t.Cleanup(func() { _ = os.RemoveAll(dir) })
			return dir
		}
	}
	return t.TempDir()
}

func (g *playground) play(t *testing.T, s script) *verdict {
	dir, err := os.MkdirTemp(g.dir, "history-")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "ledger.db")
	if err := os.WriteFile(path, g.empty, 0o600); err != nil {
		t.Fatal(err)
	}
	endless := time.AfterFunc(historyMax, func() { panic("a history comes to no end; replay: " + s.command()) })
	defer endless.Stop()
	var v *verdict
	synctest.Test(t, func(*testing.T) { v = newHistory(s, path).play() })
	return v
}

// tally adds verdicts up.
type tally struct {
	histories, creates, virtual atomic.Int64
	began                       time.Time
	said                        atomic.Int64 // how many progressEvery since then have had their line
}

func (s *tally) add(v *verdict) (histories int64) {
	s.creates.Add(int64(v.creates))
	s.virtual.Add(int64(v.virtual))
	return s.histories.Add(1)
}

// due reports whether it is time to say how far the run is.
func (s *tally) due() bool {
	now, last := int64(time.Since(s.began)/progressEvery), s.said.Load()
	return now > last && s.said.CompareAndSwap(last, now)
}

func (s *tally) String() string {
	took := time.Since(s.began)
	return fmt.Sprintf("%d histories, %d creates, in %s: %.0f histories a second, simulated : real time %.0f : 1",
		s.histories.Load(), s.creates.Load(), took.Round(time.Millisecond),
		float64(s.histories.Load())/took.Seconds(), float64(s.virtual.Load())/float64(took))
}

// A long run says every so often how far it is (with -v it is seen at once). A
// history that takes longer than historyMax, most take some milliseconds, comes to
// no end, for virtual time stands still while something is busy.
const (
	progressEvery = 15 * time.Second
	historyMax    = 3 * time.Minute
)

// all plays n scripts on all processors and hands each verdict to judge, which
// several goroutines call; one that returns false ends the rest.
func (g *playground) all(t *testing.T, n int, at func(int) script, judge func(script, *verdict) bool) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(400)) // a history is short, and most of it garbage
	sum := tally{began: time.Now()}
	var next atomic.Int64
	var stop atomic.Bool
	t.Run("histories", func(t *testing.T) {
		for i := range runtime.GOMAXPROCS(0) {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				for !stop.Load() {
					i := int(next.Add(1)) - 1
					if i >= n {
						return
					}
					s := at(i)
					v := g.play(t, s)
					if done := sum.add(v); sum.due() {
						t.Logf("%d to do; %s", n-int(done), &sum)
					}
					if !judge(s, v) {
						stop.Store(true)
					}
				}
			})
		}
	})
	t.Log(&sum)
}

// failures reports histories that went wrong, the first few in full.
type failures struct {
	t     *testing.T
	g     *playground
	mu    sync.Mutex
	shown int
}

const failuresShown = 3

func (f *failures) judge(s script, v *verdict) bool {
	if len(v.wrong) == 0 {
		return true
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown++
	f.t.Errorf("seed %d (%s): %s\nreplay: %s", s.seed, joinKinds(v.kinds), v.wrong[0], s.command())
	s, v = f.g.shortest(f.t, s, v)
	f.t.Logf("shortest replay (%s): %s\n%s", joinKinds(v.kinds), s.command(), strings.Join(v.lines, "\n"))
	return f.shown < failuresShown
}
