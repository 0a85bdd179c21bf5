package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Changes that share a transaction fail one by one, and those that succeed are
// all there.
func TestWrite_group_commit(t *testing.T) {
	l := openStore(t)
	const jobs, rivals = 60, 3
	var won, lost, same atomic.Int64
	var wg sync.WaitGroup
	for i := range jobs {
		for rival := range rivals {
			wg.Go(func() {
				in := intentOf(fmt.Sprint(i), plan.StateNone, 1)
				in.Nonce = fmt.Sprintf("%d-%d", i, rival)
				switch err := l.Intend(t.Context(), in); {
				case errors.Is(err, plan.ErrMovedOn):
					lost.Add(1)
					return
				case err != nil:
					t.Error(err)
					return
				}
				won.Add(1)
				// What Intend promised is on disk before it returns.
				if _, found, err := l.AttemptByNonce(t.Context(), in.Nonce); err != nil || !found {
					t.Errorf("%s: got %v, %v", in.Nonce, found, err)
				}
				tr := step(in.Name, plan.StateIntent, 1, plan.StateCreated)
				tr.JobID = fmt.Sprint("aps-", i/2) // two of them get the same id
				if err := l.Settle(t.Context(), tr); errors.As(err, new(*SameIDError)) {
					same.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if won.Load() != jobs || lost.Load() != jobs*(rivals-1) || same.Load() != jobs/2 {
		t.Errorf("got %d, %d, %d; want %d, %d, %d", won.Load(), lost.Load(), same.Load(), jobs, jobs*(rivals-1), jobs/2)
	}
	summary, err := l.Summary(t.Context(), "p", 0)
	if err != nil || summary.States[plan.StateCreated] != jobs/2 || summary.States[plan.StateIntent] != jobs/2 {
		t.Errorf("got %v, %v", summary, err)
	}
	checkSerial(t, l, jobs+jobs/2)
}

// checkSerial checks that exactly want changes were committed, each once.
func checkSerial(t *testing.T, l *Ledger, want int) {
	t.Helper()
	events, err := l.Events(t.Context(), "", "")
	if err != nil || len(events) != want {
		t.Fatalf("got %d events, %v, want %d", len(events), err, want)
	}
	for i, e := range events {
		if e.Serial != int64(i+1) {
			t.Fatalf("event %d has serial %d", i, e.Serial)
		}
	}
	if m, err := l.Meta(t.Context()); err != nil || m.Serial != int64(want) {
		t.Errorf("got %+v, %v, want serial %d", m, err, want)
	}
	if err := l.Verify(t.Context()); err != nil {
		t.Error(err)
	}
}

// A batch does not let one item's failure touch its neighbours. Driven by hand,
// so that they surely share a transaction.
func TestWrite_items_fail_alone(t *testing.T) {
	l := openStore(t)
	mustIntend(t, l, intentOf("a", plan.StateNone, 1))
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	mustIntend(t, l, intentOf("b", plan.StateNone, 1))
	mustIntend(t, l, intentOf("c", plan.StateNone, 1))
	double := step("c", plan.StateIntent, 1, plan.StateCreated)
	double.JobID = "aps-a"
	settle := func(tr plan.Transition) *item {
		return &item{do: func(w *writer) error { return w.settle(tr) }}
	}
	batch := []*item{
		settle(double),
		settle(step("b", plan.StateIntent, 1, plan.StateUnknown)),
		settle(step("b", plan.StateIntent, 1, plan.StateCreated)), // moved on, within the batch
		settle(step("b", plan.StateUnknown, 1, plan.StateCreated)),
	}
	l.commit(batch)
	if !errors.As(batch[0].err, new(*SameIDError)) || batch[1].err != nil ||
		!errors.Is(batch[2].err, plan.ErrMovedOn) || batch[3].err != nil {
		t.Errorf("got %v, %v, %v, %v", batch[0].err, batch[1].err, batch[2].err, batch[3].err)
	}
	if b, c := entryOf(t, l, "b"), entryOf(t, l, "c"); b.State != plan.StateCreated || c.State != plan.StateIntent {
		t.Errorf("got %s, %s", b.State, c.State)
	}
	checkSerial(t, l, 6)
}

func TestLedger_two_on_one_file(t *testing.T) {
	path := newPath(t)
	ledgers := []*Ledger{reopen(t, path), reopen(t, path)}
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		for who, l := range ledgers {
			wg.Go(func() {
				in := intentOf(fmt.Sprint(i), plan.StateNone, 1)
				in.Nonce += fmt.Sprint("-", who)
				if err := l.Intend(t.Context(), in); err == nil {
					won.Add(1)
				} else if !errors.Is(err, plan.ErrMovedOn) {
					t.Error(err)
				}
			})
		}
	}
	wg.Wait()
	if won.Load() != 40 {
		t.Errorf("%d intents were promised, want 40", won.Load())
	}
	checkSerial(t, ledgers[0], 40)
}

// intendMany promises 60 jobs, prints how many it got, and ends.
func intendMany(path string) int {
	l, err := Open(context.Background(), path, Options{Create: true})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	won := 0
	for i := range 60 {
		in := intentOf(fmt.Sprint(i), plan.StateNone, 1)
		in.Nonce += fmt.Sprint("-", os.Getpid())
		switch err := l.Intend(context.Background(), in); {
		case err == nil:
			won++
		case !errors.Is(err, plan.ErrMovedOn):
			fmt.Println(err)
			return 1
		}
	}
	fmt.Println(won)
	if err := l.Close(); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// Four processes make the ledger and promise the same jobs, all at once.
func TestLedger_processes_at_once(t *testing.T) {
	path := newPath(t)
	total := 0
	var reads []func()
	for range 4 {
		_, out := spawn(t, "intents", path)
		reads = append(reads, func() {
			line, _ := out.ReadString('\n')
			var won int
			if _, err := fmt.Sscan(line, &won); err != nil {
				t.Errorf("child: %s", line)
			}
			total += won
		})
	}
	for _, read := range reads {
		read()
	}
	if total != 60 {
		t.Errorf("%d intents were promised, want 60", total)
	}
	checkSerial(t, reopen(t, path), 60)
	drafts, _ := os.ReadDir(strings.TrimSuffix(path, "/ledger.db"))
	for _, file := range drafts {
		if strings.Contains(file.Name(), ".new-") {
			t.Errorf("%s was left behind", file.Name())
		}
	}
}

// intendForever promises jobs and prints each once Intend has returned.
func intendForever(path string) int {
	l, err := Open(context.Background(), path, Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for i := 0; ; i++ {
		if err := l.Intend(context.Background(), intentOf(fmt.Sprint(i), plan.StateNone, 1)); err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Println(i)
	}
}

// What was acknowledged outlives the process that wrote it, and what was not is
// whole or absent.
func TestLedger_killed_while_writing(t *testing.T) {
	path := newPath(t)
	if err := reopen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	cmd, out := spawn(t, "intend", path)
	for i := range 50 {
		waitLine(t, out, fmt.Sprint(i))
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// A reader sees all of it before any writer has cleaned up.
	witness, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = witness.Close() }()
	for i := range 50 {
		if _, found, err := witness.AttemptByNonce(t.Context(), fmt.Sprintf("nonce-%d-1", i)); err != nil || !found {
			t.Fatalf("intent %d: got %v, %v", i, found, err)
		}
	}
	l := reopen(t, path)
	m, err := l.Meta(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	checkSerial(t, l, int(m.Serial))
}

// A seat is given on as soon as a verdict has its place: at no moment does the disk
// hold more open intents than there are seats.
func TestLedger_seats_given_on_when_queued(t *testing.T) {
	const seats, jobs = 6, 300
	path := newPath(t)
	l := reopen(t, path)
	witness, err := OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = witness.Close() }()
	free := make(chan struct{}, jobs+seats)
	for range seats {
		free <- struct{}{}
	}
	var work sync.WaitGroup
	for i := range jobs {
		<-free
		work.Go(func() {
			name := fmt.Sprint(i)
			if err := l.Intend(t.Context(), intentOf(name, plan.StateNone, 1)); err != nil {
				t.Error(err)
			}
			verdict := step(name, plan.StateIntent, 1, plan.StateCreated)
			verdict.Queued = func() { free <- struct{}{} }
			if err := l.Settle(t.Context(), verdict); err != nil {
				t.Error(err)
			}
		})
		summary, err := witness.Summary(t.Context(), "p", 0)
		if open := summary.States[plan.StateIntent]; err != nil || open > seats {
			t.Fatalf("%d intents are open on disk with %d seats (%v)", open, seats, err)
		}
	}
	work.Wait()
	checkSerial(t, l, 2*jobs)
}

// A bubble ends only when every goroutine in it has: a Ledger starts none that
// outlives Close, and the workers that wait in its queue do not stop the clock.
func TestLedger_in_a_bubble(t *testing.T) {
	path := newPath(t)
	synctest.Test(t, func(t *testing.T) {
		l, err := Open(t.Context(), path, Options{Create: true})
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				name := fmt.Sprint(i)
				if err := l.Intend(t.Context(), intentOf(name, plan.StateNone, 1)); err != nil {
					t.Error(err)
				}
				if err := l.Settle(t.Context(), step(name, plan.StateIntent, 1, plan.StateCreated)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		checkSerial(t, l, 40)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestLedger_closed(t *testing.T) {
	l := openStore(t)
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			err := l.Intend(t.Context(), intentOf(fmt.Sprint(i), plan.StateNone, 1))
			if err != nil && !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		})
	}
	wg.Go(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	wg.Wait()
	if err := l.Intend(t.Context(), intentOf("x", plan.StateNone, 1)); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want ErrClosed", err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
}

func BenchmarkLedger_intend_and_settle(b *testing.B) {
	l, err := Open(b.Context(), b.TempDir()+"/ledger.db", Options{Create: true})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var n atomic.Int64
	b.SetParallelism(16)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			name := fmt.Sprint(n.Add(1))
			if err := l.Intend(b.Context(), intentOf(name, plan.StateNone, 1)); err != nil {
				b.Fatal(err)
			}
			if err := l.Settle(b.Context(), step(name, plan.StateIntent, 1, plan.StateCreated)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// TestLedger_no_promise_behind_a_record_that_fails: its seat was given on, and would be
// taken twice.
func TestLedger_no_promise_behind_a_record_that_fails(t *testing.T) {
	l := openStore(t)
	for _, name := range []string{"a", "b"} {
		mustIntend(t, l, intentOf(name, plan.StateNone, 1))
	}
	mustSettle(t, l, step("a", plan.StateIntent, 1, plan.StateCreated))
	record := step("b", plan.StateIntent, 1, plan.StateCreated)
	record.JobID = entryOf(t, l, "a").JobID // the service gave it twice
	promised := make(chan error, 1)
	record.Queued = func() { // the record leads, and the promise is to go with it
		go func() { promised <- l.Intend(t.Context(), intentOf("c", plan.StateNone, 1)) }()
		for queued := 0; queued < 2; time.Sleep(time.Millisecond) {
			l.mu.Lock()
			queued = len(l.queue)
			l.mu.Unlock()
		}
	}
	if err := l.Settle(t.Context(), record); !errors.Is(err, plan.ErrTaken) {
		t.Errorf("got %v for an id that is taken", err)
	}
	for range 2 { // the one in the same transaction, and one that comes later
		if err := <-promised; !errors.Is(err, plan.ErrTaken) {
			t.Errorf("got %v for a promise behind it", err)
		}
		go func() { promised <- l.Intend(t.Context(), intentOf("d", plan.StateNone, 1)) }()
	}
	<-promised
	for _, name := range []string{"c", "d"} {
		if events, err := l.Events(t.Context(), "p", name); err != nil || len(events) != 0 {
			t.Errorf("%s: got %+v, %v", name, events, err)
		}
	}
}
