package notice

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"
)

// Heartbeat tells a monitor of cron jobs that a run began and how it ended, as
// healthchecks.io and its like take it: URL/start, then URL or URL/EXITCODE. A run
// that is killed sends no end, and the monitor misses it. It is for one run; a nil
// Heartbeat tells nothing.
type Heartbeat struct {
	Hook *Hook
	Warn func(line string)
	// begun is the call that tells of the beginning: it holds nothing up.
	begun    sync.WaitGroup
	startErr error
}

// Start has a goroutine tell that the run begins, and returns at once. That it was
// not taken is a warning of End.
func (h *Heartbeat) Start(ctx context.Context) {
	if h == nil {
		return
	}
	h.begun.Go(func() { h.startErr = h.tell(ctx, h.Hook.below("start"), "") })
}

// End tells how the run ended, after its start was told, if it was. That either was
// not taken is one warning.
func (h *Heartbeat) End(ctx context.Context, run *Run) {
	if h == nil {
		return
	}
	h.begun.Wait()
	to := h.Hook
	if run.Outcome != OutcomeDone {
		to = h.Hook.below(strconv.Itoa(run.ExitCode))
	}
	if err := cmp.Or(h.tell(ctx, to, strings.Join(run.lines(), "\n")+"\n"), h.startErr); err != nil {
		h.Warn("the heartbeat was not taken: " + err.Error())
	}
}

func (h *Heartbeat) tell(ctx context.Context, to *Hook, text string) error {
	_, err := to.post(ctx, "text/plain; charset=utf-8", []byte(text))
	return err
}
