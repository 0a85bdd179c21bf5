package notice

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/store"
)

// earlier is the run before, as far as it matters here. It is part of messages.
type earlier struct {
	Run        string     `json:"run"`
	Outcome    Outcome    `json:"outcome"`
	ExitCode   *int       `json:"exit_code,omitempty"` // nil for one that died
	StartedAt  time.Time  `json:"started_at"`
	FinishedAt *time.Time `json:"finished_at,omitempty"`
}

// lookBack is how many runs before this one are looked at for one that is over:
// others may be under way while this one is turned away.
const lookBack = 20

// before returns the run of the same plan before run, nil when there was none, and
// whether one died since told. A run without an end has died, unless it is the one
// that turned this one away. outcomeOf gives the outcome of an exit code.
func before(ctx context.Context, ledger *store.Ledger, run *Run, told *told, outcomeOf func(int) Outcome) (last *earlier, died bool, err error) {
	runs, err := ledger.RunsBefore(ctx, run.Record.ID, run.Record.Plan, run.CommandWord(), lookBack)
	if err != nil {
		return nil, false, err
	}
	news := told.since(runs)
	for i, r := range runs {
		over := !r.FinishedAt.IsZero()
		if !over && !run.Locked {
			continue
		}
		died = died || !over && i < news
		if last == nil {
			last = newEarlier(r, outcomeOf)
		}
	}
	return last, died, nil
}

func newEarlier(r store.Run, outcomeOf func(int) Outcome) *earlier {
	e := &earlier{Run: r.ID, Outcome: outcomeDied, StartedAt: r.StartedAt.UTC()}
	if !r.FinishedAt.IsZero() {
		e.Outcome, e.ExitCode, e.FinishedAt = outcomeOf(r.ExitCode), &r.ExitCode, jsonform.Time(r.FinishedAt)
	}
	return e
}
