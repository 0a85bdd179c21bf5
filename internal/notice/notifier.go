package notice

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/apsctl/apsctl/store"
)

// Notifier tells people that runs of a plan end otherwise than before. All its fields
// are to be set. It is not safe for concurrent use.
type Notifier struct {
	Hook *Hook
	Form Form
	Warn func(line string)
	// OutcomeOf gives the outcome of an exit code, for the runs before.
	OutcomeOf func(exitCode int) Outcome
	// PutOnRecord has the ledger, which is there, know of the run now told, which ended
	// before it could be recorded: the next run compares with it. It returns the id that
	// the ledger has it by, also beside an error, and "" where the ledger does not have it.
	PutOnRecord func(ctx context.Context) (id string, err error)
}

// Tell sends a message if the run ended otherwise than people were told last, or one
// died since. Where that is not known it is sent: once too often is better than
// never. A message that was not taken was not told, and is a warning. Where run has
// no ID, Tell gives it that of PutOnRecord.
func (n *Notifier) Tell(ctx context.Context, run *Run) {
	told, err := toldOf(run)
	last, died, lastErr := n.remember(ctx, run, told)
	if err = cmp.Or(err, lastErr); err != nil && told == nil {
		n.Warn("how the run before ended is not known, so a notification is sent: " + err.Error())
	} else if !isNews(run, last, told, died) {
		return
	}
	lines := run.lines()
	if last != nil {
		lines[0] += fmt.Sprintf("; the run before: %s", last.Outcome)
	}
	if told != nil && (last == nil || last.Outcome != told.Outcome) {
		lines[0] += fmt.Sprintf("; told last: %s", told.Outcome)
	}
	body, err := n.Form.encode(run, last, lines)
	if err == nil {
		err = n.send(ctx, body)
	}
	if err != nil {
		n.Warn("the notification was not taken, and the next run sends one: " + err.Error())
		return
	}
	if err := keepTold(run); err != nil {
		n.Warn("it could not be kept that the notification was taken, so that it may be sent again: " + err.Error())
	}
}

// remember reads the run before from the ledger, and has this one put on record where
// it ended before it could be. Nothing is made or changed of a ledger that is not
// there, or is not this plan's to write.
func (n *Notifier) remember(ctx context.Context, run *Run, told *told) (last *earlier, died bool, err error) {
	ledger, err := store.OpenReadOnly(ctx, run.Ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	last, died, err = before(ctx, ledger, run, told, n.OutcomeOf)
	_ = ledger.Close()
	if err != nil || run.Record.ID != "" || run.Outcome == OutcomeLedger {
		return last, died, err
	}
	run.Record.ID, err = n.PutOnRecord(ctx)
	return last, died, err
}

// isNews compares with what was told, or where nothing was, with the run before: a
// first run that is done is no news.
func isNews(run *Run, last *earlier, told *told, died bool) bool {
	if told != nil {
		return run.Outcome != told.Outcome || died
	}
	return run.Outcome != OutcomeDone || last != nil && last.Outcome != run.Outcome
}

func (n *Notifier) send(ctx context.Context, body []byte) error {
	answer, err := n.Hook.post(ctx, "application/json; charset=utf-8", body)
	if err != nil {
		return err
	}
	if refusal := n.Form.refusal(answer); refusal != "" {
		return fmt.Errorf("%s refused it: %s", n.Hook.url.Host, refusal)
	}
	return nil
}
