package store

import (
	"context"
	"fmt"

	"github.com/apsctl/apsctl/plan"
)

// comparedBatch is how many jobs one transaction notes, so that a run beside it
// never waits long.
const comparedBatch = 500

const updateCompared = `UPDATE entries SET compared_at_ms = ?, differed = ?
	WHERE plan = ? AND aps_job_id = ? AND digest = ? AND (pending = '' OR pending_confirmed) AND state = 'created'`

// Compared notes that the details of a plan's jobs were held against its entries,
// and what came of it. It is no step of any job: it changes no state, leaves no
// event and no serial, and passes over entries that moved on since, so that it may
// be written beside a run, without the lock.
func (l *Ledger) Compared(ctx context.Context, planName string, comparisons []plan.Comparison) error {
	op := fmt.Sprintf("note which jobs of plan %q were compared", planName)
	for len(comparisons) > 0 {
		batch := comparisons[:min(len(comparisons), comparedBatch)]
		comparisons = comparisons[len(batch):]
		err := l.write(ctx, op, func(w *writer) error {
			for _, c := range batch {
				if _, err := w.exec(updateCompared, toMs(c.At), c.Differed, planName, c.JobID, c.Digest); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
