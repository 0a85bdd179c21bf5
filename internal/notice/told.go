package notice

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/logfile"
	"github.com/apsctl/apsctl/store"
)

// ToldSuffix is that of the file beside the ledger which keeps what people were told
// by a Notifier: one JSON object a line, of which the last one about a plan counts. It
// is appended to once a message was taken, so that a run that dies in between has the
// next one tell it again.
const ToldSuffix = ".told"

// told is what people were told last of a plan's runs.
type told struct {
	Plan    string    `json:"plan"`
	Command string    `json:"command"`
	Outcome Outcome   `json:"outcome"`
	Run     string    `json:"run"` // "" when the ledger could not record it
	At      time.Time `json:"at"`
}

// toldOf reads what people were told last of runs like run; nil for nothing. Lines
// that are no JSON are those that a crash or a full disk cut short.
func toldOf(run *Run) (last *told, err error) {
	text, err := os.ReadFile(run.Ledger + ToldSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	for line := range strings.Lines(string(text)) {
		var t told
		if json.Unmarshal([]byte(line), &t) == nil && t.Plan == run.Record.Plan && t.Command == run.CommandWord() {
			last = &t
		}
	}
	return last, err
}

// keepTold records that run was told. Nothing is made beside a ledger that is not
// there, or that belongs to somebody else.
func keepTold(run *Run) error {
	if _, err := os.Stat(run.Ledger); errors.Is(err, fs.ErrNotExist) || errors.As(run.Failed, new(*store.ForeignError)) {
		return nil
	}
	line, err := json.Marshal(told{run.Record.Plan, run.CommandWord(), run.Outcome, run.Record.ID, run.Finished.UTC()})
	if err != nil {
		return err
	}
	file, err := logfile.Open(run.Ledger + ToldSuffix)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	return errors.Join(err, file.Sync(), file.Close())
}

// since is how many of runs, newest first, began after the one that was told of: all
// others were over by then, or were told of with it. It is 0 where nobody was told
// anything.
func (t *told) since(runs []store.Run) int {
	if t == nil {
		return 0
	}
	known := func(r store.Run) bool { return r.ID == t.Run }
	switch {
	case t.Run == "":
		known = func(r store.Run) bool { return !r.StartedAt.After(t.At) }
	case !slices.ContainsFunc(runs, known):
		// It was pruned, which leaves runs before it that died, or it is further back than
		// runs go. Ids begin with the time. The order of the ledger, where it can be had,
		// is better: a clock that was put back would make a new death an old one.
		known = func(r store.Run) bool { return r.ID < t.Run }
	}
	if n := slices.IndexFunc(runs, known); n >= 0 {
		return n
	}
	return len(runs)
}
