package main

import (
	"cmp"
	"context"
	"strconv"
	"strings"
	"sync"
)

// heartbeat tells a monitor of cron jobs that a run began and how it ended, as
// healthchecks.io and its like take it: URL/start, then URL or URL/EXITCODE. A run
// that is killed sends no end, and the monitor misses it.
type heartbeat struct {
	hook *hook
	warn func(string)
	// begun is the call that tells of the beginning: it holds nothing up.
	begun    sync.WaitGroup
	startErr error
}

// start tells that the run begins. A nil heartbeat tells nothing.
func (h *heartbeat) start(ctx context.Context) {
	if h == nil {
		return
	}
	h.begun.Go(func() { h.startErr = h.tell(ctx, h.hook.below("start"), "") })
}

// end tells how the run ended, after its start was told.
func (h *heartbeat) end(ctx context.Context, b *bulletin, lines []string) {
	if h == nil {
		return
	}
	h.begun.Wait()
	to := h.hook
	if b.code != exitDone {
		to = h.hook.below(strconv.Itoa(b.code))
	}
	if err := cmp.Or(h.tell(ctx, to, strings.Join(lines, "\n")+"\n"), h.startErr); err != nil {
		h.warn("the heartbeat was not taken: " + err.Error())
	}
}

func (h *heartbeat) tell(ctx context.Context, to *hook, text string) error {
	_, err := to.post(ctx, "text/plain; charset=utf-8", []byte(text))
	return err
}
