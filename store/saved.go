package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// SpentError says that a saved plan was carried out before, or begun to be.
type SpentError struct {
	Run string // that did
	At  time.Time
}

func (e *SpentError) Error() string {
	return fmt.Sprintf("it was applied at %s, by run %s, and a saved plan is applied once", e.At.UTC().Format(time.RFC3339), e.Run)
}

// Spend records that a saved plan is about to be carried out by a run, and returns
// when that is on disk. The error is a *SpentError when one did before.
func (l *Ledger) Spend(ctx context.Context, id, runID string, at time.Time) error {
	if id == "" || runID == "" || at.IsZero() {
		return errors.New("spend the saved plan: its id, the run and the time must be set")
	}
	if err := l.Spent(ctx, id); err != nil {
		return err
	}
	return l.write(ctx, "spend the saved plan", func(w *writer) error {
		changed, err := w.exec("INSERT OR IGNORE INTO saved_plans (id, run, at_ms) VALUES (?, ?, ?)", id, runID, toMs(at))
		if err == nil && changed == 0 {
			err = errors.New("another run does it now")
		}
		return err
	})
}

// Spent returns a *SpentError when the saved plan was carried out, or begun to be.
func (l *Ledger) Spent(ctx context.Context, id string) error {
	spent := &SpentError{}
	var at sql.NullInt64
	err := l.read.QueryRowContext(ctx, "SELECT run, at_ms FROM saved_plans WHERE id = ?", id).Scan(&spent.Run, &at)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return trouble(l.path, "look for the saved plan", err)
	}
	spent.At = fromMs(at)
	return spent
}

// Mark tells where the ledger stands, for a plan that is saved. Read it before the
// entries: what happens in between then counts as having happened since.
func (l *Ledger) Mark(ctx context.Context) (plan.SavedLedger, error) {
	m, err := l.Meta(ctx)
	if err != nil {
		return plan.SavedLedger{}, err
	}
	mark := plan.SavedLedger{Lineage: m.Lineage, Serial: m.Serial}
	err = l.read.QueryRowContext(ctx, "SELECT coalesce(max(seq), 0) FROM runs").Scan(&mark.Run)
	return mark, trouble(l.path, "read its runs", err)
}

// Since is what happened after a mark.
type Since struct {
	// Steps are how many changes of entries there were, and Jobs the first few names
	// of those that they were about, sorted.
	Steps int
	Jobs  []string
	More  bool // there are more of them
	// Run is the latest apply of the plan, "" for none.
	Run   string
	RunAt time.Time
	// Older says that the ledger is from before the mark.
	Older bool
}

// sinceNamed is how many jobs Since names.
const sinceNamed = 5

// Since tells what happened after a mark but by runs of command: changes of any
// entry, and an apply of the plan whether it changed anything or not.
func (l *Ledger) Since(ctx context.Context, mark plan.SavedLedger, planName, command string) (Since, error) {
	var s Since
	m, err := l.Meta(ctx)
	if err != nil {
		return s, err
	}
	s.Older = m.Serial < mark.Serial
	// By the serial and not by the events, which may have been pruned.
	s.Steps = int(m.Serial - mark.Serial)
	const own = "run_id IN (SELECT id FROM runs WHERE command = ?)"
	var ours int
	err = l.read.QueryRowContext(ctx, "SELECT count(*) FROM events WHERE serial > ? AND "+own, mark.Serial, command).Scan(&ours)
	s.Steps -= ours
	if err == nil {
		err = each(ctx, l.read, "SELECT DISTINCT name FROM events WHERE serial > ? AND NOT "+own+" ORDER BY name LIMIT ?",
			[]any{mark.Serial, command, sinceNamed + 1}, func(rows *sql.Rows) error {
				var name string
				err := rows.Scan(&name)
				s.Jobs = append(s.Jobs, name)
				return err
			})
	}
	if len(s.Jobs) > sinceNamed {
		s.Jobs, s.More = s.Jobs[:sinceNamed], true
	}
	if err == nil {
		var at sql.NullInt64
		err = l.read.QueryRowContext(ctx, `SELECT id, started_at_ms FROM runs WHERE seq > ? AND plan = ? AND command <> ?
			AND (command = 'apply' OR command LIKE 'apply %') ORDER BY seq DESC LIMIT 1`, mark.Run, planName, command).Scan(&s.Run, &at)
		if errors.Is(err, sql.ErrNoRows) {
			err = nil
		}
		s.RunAt = fromMs(at)
	}
	return s, trouble(l.path, "read what happened since the plan was saved", err)
}
