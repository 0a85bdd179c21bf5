package store

import (
	"context"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Note records what the plan says now of jobs beside their specs, and their
// labels, by job name, and returns when that is on disk. Jobs that the ledger does
// not know are passed over. It changes no state and leaves no event.
func (l *Ledger) Note(ctx context.Context, planName string, notes map[string]plan.Note, at time.Time) error {
	if len(notes) == 0 {
		return nil
	}
	return l.write(ctx, fmt.Sprintf("note what plan %q says of its jobs", planName), func(w *writer) error {
		for name, note := range notes {
			if _, err := w.exec("UPDATE entries SET life = ?, labels = ?, updated_at_ms = ? WHERE plan = ? AND name = ?",
				note.Life.Kept(), toJSON(note.Labels), toMs(at), planName, name); err != nil {
				return err
			}
		}
		return nil
	})
}
