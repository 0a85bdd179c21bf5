package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// bulletin is what a run has to tell other programs: it is filled in as the run
// goes on, and told when it is over.
type bulletin struct {
	record   plan.RunRecord // its ID is "" while the ledger does not have the run
	ledger   string         // path
	locked   bool           // the run had the lock
	report   *runner.Report // nil when nothing was carried out
	calls    []aps.CallCount
	delays   map[string]int64 // by job id, of the listings that were taken
	died     bool             // a run before did so, and nobody was told
	code     int
	failed   error // what ended it altogether, or nil
	finished time.Time
}

// runOutcome is the class of how a run ended, by its exit code: what a message is
// sent about is that it is another one than that of the run before.
type runOutcome string

// outcomeDied is that of a run whose process is gone without a word.
const outcomeDied runOutcome = "died"

var outcomeWords = map[int]struct {
	name  runOutcome
	words string
}{
	exitDone:        {"done", "everything is as the plan says"},
	exitFailure:     {"error", "the run failed"},
	exitFailed:      {"failed", "some jobs failed"},
	exitUnknown:     {"unknown", "outcomes are unknown, or something has to be settled first"},
	exitLimit:       {"refused", "a limit or a protection refused it"},
	exitLeft:        {"left", "stopped early, and work is left"},
	exitInvalid:     {"invalid", "the plan or the flags are invalid"},
	exitLocked:      {"locked", "another run is at work"},
	exitDenied:      {"denied", "credentials or a permission were refused"},
	exitLedger:      {"ledger", "there is trouble with the ledger"},
	exitInterrupted: {"interrupted", "it was interrupted"},
}

func outcomeOf(code int) runOutcome {
	if known, ok := outcomeWords[code]; ok {
		return known.name
	}
	return "error"
}

func (b *bulletin) outcome() runOutcome { return outcomeOf(b.code) }

// earlier is the run before, as far as it matters here.
type earlier struct {
	Run        string     `json:"run"`
	Outcome    runOutcome `json:"outcome"`
	ExitCode   *int       `json:"exit_code,omitempty"` // nil for one that died
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// commandWord is the command of a run without its arguments: runs of the same
// command are compared.
func commandWord(r plan.RunRecord) string {
	word, _, _ := strings.Cut(r.Command, " ")
	return word
}

// lookBack is how many runs before this one are looked at for one that is over:
// others may be under way while this one is turned away.
const lookBack = 20

// before returns the run of the same plan before this one, nil when there was
// none, and notes whether one died since told. A run without an end has died, unless
// it is the one that turned this one away.
func (b *bulletin) before(ctx context.Context, ledger *store.Ledger, told *told) (last *earlier, err error) {
	runs, err := ledger.RunsBefore(ctx, b.record.ID, b.record.Plan, commandWord(b.record), lookBack)
	if err != nil {
		return nil, err
	}
	news := told.since(runs)
	for i, r := range runs {
		over := !r.FinishedAt.IsZero()
		if !over && !b.locked {
			continue
		}
		b.died = b.died || !over && i < news
		if last == nil {
			last = newEarlier(r)
		}
	}
	return last, nil
}

func newEarlier(r store.Run) *earlier {
	e := &earlier{Run: r.ID, Outcome: outcomeDied, StartedAt: r.StartedAt.UTC()}
	if !r.FinishedAt.IsZero() {
		e.Outcome, e.ExitCode, e.FinishedAt = outcomeOf(r.ExitCode), &r.ExitCode, jsonform.Time(r.FinishedAt)
	}
	return e
}

// remember reads the run before from the ledger, and records this one where it
// ended before it could be: the next run compares with it. Nothing is made or
// changed of a ledger that is not there, or is not this plan's to write.
func (b *bulletin) remember(ctx context.Context, a *app, told *told) (*earlier, error) {
	reader, err := store.OpenReadOnly(ctx, b.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	last, err := b.before(ctx, reader, told)
	_ = reader.Close()
	if err != nil || b.record.ID != "" || b.code == exitLedger {
		return last, err
	}
	ledger, err := store.Open(ctx, b.ledger, store.Options{})
	if err != nil {
		return last, err
	}
	defer ledger.Close()
	record := b.record
	record.ID = newRunID()
	if err := ledger.BeginRun(ctx, record); err != nil {
		return last, err
	}
	b.record.ID = record.ID
	end := a.runEnd(b.code, struct{}{}, nil, b.failed)
	end.detail.Error = firstLine(end.detail.Error) // of a plan's mistakes, the first
	return last, end.record(ctx, ledger, record.ID)
}

// headline says in one line how the run ended.
func (b *bulletin) headline() string {
	if b.code == exitDone {
		return "done: " + outcomeWords[exitDone].words
	}
	words, ok := outcomeWords[b.code]
	if !ok {
		words = outcomeWords[exitFailure]
	}
	return fmt.Sprintf("%s (exit code %d): %s", words.name, b.code, words.words)
}

const (
	causesTold = 5 // of the causes of errors
	tellMax    = 300
)

// lines are the message about the run, for people: what is wrong, and where to
// look. Text from outside is encoded as for a terminal, without secrets.
func (b *bulletin) lines(a *app) []string {
	name := b.record.Plan
	if name == "" {
		name = "(not known)"
	}
	lines := []string{fmt.Sprintf("apsctl: plan %s is %s", printable.Clip(name, tellMax), b.headline())}
	add := func(format string, args ...any) {
		lines = append(lines, printable.Clip(a.redactor.Clean(fmt.Sprintf(format, args...)), tellMax))
	}
	if b.report != nil {
		var text strings.Builder
		writeCounts(&text, b.report.Counts(), *b.report)
		add("%s", strings.TrimSpace(text.String()))
		for i, cause := range causesOf(b.report.Results) {
			if i == causesTold {
				add("… and more causes; apsctl runs last shows them")
				break
			}
			add("%s %s, %s: %s: %s", plan.Count(cause.Jobs, "job"), strings.ReplaceAll(cause.Ending, "_", " "), cause.Cause, cause.Names[0], cause.Example)
		}
		if b.report.Stop != runner.StopNone {
			add("stopped early: %s: %s", b.report.Stop, b.report.StopDetail)
		}
	}
	if b.failed != nil && !errors.As(b.failed, new(*exitError)) {
		add("%s [%s]", firstLine(b.failed.Error()), codeOf(b.failed))
	}
	add("%s by %s@%s, from %s for %s", b.record.Command, b.record.User, b.record.Host,
		b.record.StartedAt.UTC().Format(time.RFC3339), b.took().Round(100*time.Millisecond))
	return lines
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func (b *bulletin) took() time.Duration { return b.finished.Sub(b.record.StartedAt) }

var planNameLine = regexp.MustCompile(`(?m)^name:[ \t]*["']?([^\s"'#]+)`)

// planNameIn finds the name that a plan file says although it cannot be read as a
// plan, "" where it cannot be told: a plan that is broken is news of that plan.
func planNameIn(args []string) string {
	if len(args) == 0 {
		args = []string{planDefault}
	}
	for _, path := range args {
		if name := nameInFile(path); name != "" {
			return name
		}
	}
	return ""
}

// nameInFile looks at the beginning of one regular file.
func nameInFile(path string) string {
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return ""
	}
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	head := make([]byte, 64<<10)
	n, _ := file.Read(head)
	if m := planNameLine.FindSubmatch(head[:n]); m != nil && plan.CheckPlanName(string(m[1])) == nil {
		return string(m[1])
	}
	return ""
}
