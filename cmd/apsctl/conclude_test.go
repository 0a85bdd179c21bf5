package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// full opens a device that takes nothing, as a disk that is full.
func (b *bench) full() *os.File {
	b.Helper()
	device, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		b.Skip("there is no /dev/full here")
	}
	b.Cleanup(func() { _ = device.Close() })
	return device
}

// lastRun is the latest run in the ledger.
func (b *bench) lastRun() runJSON {
	b.Helper()
	var one runJSON
	b.decode(b.want(exitDone, "runs", "last", "-o", "json"), &one)
	return one
}

// TestResultThatCannotBeWrittenIsOneOutcomeForAll: the process, the ledger and all
// that are told say the same, and it is told once.
func TestResultThatCannotBeWrittenIsOneOutcomeForAll(t *testing.T) {
	b := newBench(t)
	b.emulator()
	people, monitor := newMailbox(t), newMailbox(t)
	b.setenv(notifyVariable, people.address())
	b.setenv(heartbeatVariable, monitor.address())
	b.write("plan.yaml", planOf(2))
	apply := []string{"apply", "--yes", "-o", "json", "--metrics", "m.prom", "--events", "events.ndjson", "plan.yaml"}
	for turn, want := range [][]string{{"none>error"}, nil, nil} {
		r := b.startInto(b.full(), apply...).result()
		if r.code != exitFailure || !strings.Contains(r.stderr, string(codeOutput)) {
			t.Fatalf("turn %d: got %s", turn, r)
		}
		if got := people.outcomes(t); !slices.Equal(got, want) {
			t.Errorf("turn %d: messages %q, want %q", turn, got, want)
		}
		if paths, _ := monitor.take(); !slices.Equal(paths, []string{"POST /start", "POST /1"}) {
			t.Errorf("turn %d: the monitor got %q", turn, paths)
		}
		if run := b.lastRun(); *run.ExitCode != exitFailure || !strings.Contains(run.Error, "no space left") {
			t.Errorf("turn %d: the ledger has %+v", turn, run)
		}
		if _, values := b.readMetrics("m.prom"); values[`apsctl_last_run_exit_code`] != exitFailure {
			t.Errorf("turn %d: the metrics say %v", turn, values["apsctl_last_run_exit_code"])
		}
		events, _ := b.readEvents(b.eventFile())
		if last := events[len(events)-1]; last.Event != "run_end" || *last.ExitCode != exitFailure || last.Code != string(codeOutput) {
			t.Errorf("turn %d: the events end with %+v", turn, last)
		}
	}
	b.want(exitDone, apply...)
	if got := people.outcomes(t); !slices.Equal(got, []string{"error>done"}) {
		t.Errorf("the recovery: %q", got)
	}
}

// TestReaderThatGoesAwayHidesNoWorseOutcome: what is worse than a result that is
// lost is the exit code, for all commands that are on record.
func TestReaderThatGoesAwayHidesNoWorseOutcome(t *testing.T) {
	b := newBench(t)
	cloud := b.emulator()
	b.write("plan.yaml", planOf(1))
	cloud.setFaults("[{operation: CreateAPSJob, kind: drop, when: before}]")
	nobody := func(args ...string) result {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = reader.Close()
		defer writer.Close()
		return b.startInto(writer, args...).result()
	}
	for _, args := range [][]string{{"apply", "--yes", "-o", "json", "plan.yaml"}, {"resolve", "plan.yaml"}} {
		r := nobody(args...)
		if r.code != exitUnknown || !strings.Contains(r.stderr, string(codeOutput)) || *b.lastRun().ExitCode != exitUnknown {
			t.Errorf("%s: the ledger has %d, and got %s", args[0], *b.lastRun().ExitCode, r)
		}
	}
	cloud.setFaults("")
	b.want(exitDone, "apply", "--yes", "--settle", "1ms", "plan.yaml")
	for _, args := range [][]string{{"suspend", "--yes", "-o", "json", "job-0000"}, {"apply", "--yes", "-o", "json", "plan.yaml"}} {
		r := nobody(args...)
		if r.code != exitFailure || !strings.Contains(r.stderr, string(codeOutput)) || *b.lastRun().ExitCode != exitFailure {
			t.Errorf("%s: the ledger has %d, and got %s", args[0], *b.lastRun().ExitCode, r)
		}
	}
}

// TestWatchThatCannotBeWrittenEnds: nobody would be told, for ever.
func TestWatchThatCannotBeWrittenEnds(t *testing.T) {
	b := newBench(t)
	b.emulator()
	b.write("plan.yaml", planOf(1))
	b.want(exitDone, "apply", "--yes", "plan.yaml")
	if r := b.startInto(b.full(), "status", "--watch").result(); r.code != exitFailure || !strings.Contains(r.stderr, string(codeOutput)) {
		t.Errorf("got %s", r)
	}
}

// TestConcludeKeepsTheWorstOutcome: trouble with the ledger wins over everything,
// and nothing is kept back of the rest.
func TestConcludeKeepsTheWorstOutcome(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: os.Stdout.Name(), Err: syscall.ENOSPC}
	trouble := &store.Error{Kind: store.ErrFull, Path: "ledger.db", Text: "the disk is full", Err: syscall.ENOSPC}
	for name, test := range map[string]struct {
		printed, failed error
		code            int
		closed          bool // the ledger takes nothing more
		want            errorCode
		said            string
	}{
		"ledger before result":         {printed: full, failed: trouble, code: exitLedger, want: codeLedgerFull, said: string(codeOutput)},
		"both on one disk that filled": {printed: full, failed: trouble, code: exitLedger, closed: true, want: codeLedgerFull, said: string(codeOutput)},
		"the end is not recorded":      {printed: full, closed: true, want: codeLedgerTrouble, said: string(codeOutput)},
		"a refusal is not recorded":    {failed: &plan.LimitError{What: "too much"}, code: exitLimit, closed: true, want: codeLedgerTrouble, said: string(codeLimit)},
		"result before failed jobs":    {printed: full, code: exitFailed, want: codeOutput},
	} {
		t.Run(name, func(t *testing.T) {
			ctx := context.Background()
			ledger, err := store.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), store.Options{Create: true})
			if err != nil {
				t.Fatal(err)
			}
			defer ledger.Close()
			record := newRunRecord(&plan.Plan{Name: "bulk"})
			if err := ledger.BeginRun(ctx, record); err != nil {
				t.Fatal(err)
			}
			if test.closed {
				ledger.Close()
			}
			var stderr bytes.Buffer
			a := newApp(strings.NewReader(""), &bytes.Buffer{}, &stderr)
			got := a.conclude(ctx, ledger, record.ID, a.runEnd(test.code, struct{}{}, nil, test.failed), test.failed, func() error { return test.printed })
			if codeOf(got) != test.want || !strings.Contains(stderr.String(), test.said) || test.failed == error(trouble) && !errors.Is(got, trouble) {
				t.Errorf("got %v [%s], said %q", got, codeOf(got), stderr.String())
			}
			if test.said == "" && stderr.Len() > 0 {
				t.Errorf("said %q beside its error", stderr.String())
			}
			if test.closed {
				return
			}
			exit, _ := classify(got)
			if runs, err := ledger.Runs(ctx, 1); err != nil || runs[0].ExitCode != exit {
				t.Errorf("the ledger has %+v, %v; the process %d", runs, err, exit)
			}
		})
	}
}
