package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// heldBackJob is a job of the plan that apply holds back: it was sent lately, and the
// ledger, which may have been lost, has no job of it. There is nothing to settle about
// it, and until then its outcome is as unknown to resolve as it is to apply.
type heldBackJob struct {
	plan.Sent
	until time.Time
}

// heldBack returns those of the plan, by name: none without a plan.
func (c *resolveCommand) heldBack(ctx context.Context, ledger *store.Ledger, wanted *plan.Plan) ([]heldBackJob, error) {
	if wanted == nil {
		return nil, nil
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: wanted.Name})
	if err != nil {
		return nil, err
	}
	regions := map[string]string{}
	for _, job := range wanted.Jobs {
		regions[job.Name] = job.Region
	}
	for _, entry := range entries {
		if !entry.State.HasNoJob() {
			delete(regions, entry.Name)
		}
	}
	now := time.Now()
	sent, err := ledger.Sent(ctx, wanted.Name, func(s plan.Sent) bool {
		region, ok := regions[s.Name]
		return ok && region == s.Region && runner.SentLately(s, wanted.Name, c.settings.settle, now)
	})
	if err != nil {
		c.app.warn(err.Error()) // apply fails by it, and what is open is settled all the same
		return nil, nil
	}
	last := map[string]heldBackJob{}
	for _, s := range sent {
		if until := runner.HeldUntil(s, wanted.Name, c.settings.settle); until.After(last[s.Name].until) {
			last[s.Name] = heldBackJob{s, until}
		}
	}
	var held []heldBackJob
	for _, job := range last {
		held = append(held, job)
	}
	slices.SortFunc(held, func(x, y heldBackJob) int { return cmp.Compare(x.Name, y.Name) })
	return held, nil
}

func writeHeldBack(b *strings.Builder, held []heldBackJob, full bool) {
	if len(held) == 0 {
		return
	}
	fmt.Fprintf(b, "\nOf %s a create was sent lately that this ledger does not account for:\n", plan.Count(len(held), "job"))
	shown := len(held)
	if !full {
		shown = min(shown, jobsShown)
	}
	for _, job := range held[:shown] {
		fmt.Fprintf(b, "  %s: sent %s by plan %s; it may be there and not listed until %s\n",
			printable.Line(job.Name), shownAt(job.SignedAt), printable.Line(job.Plan), shownAt(job.until))
	}
	if more := len(held) - shown; more > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists all\n", plan.Count(more, "more job"))
	}
	b.WriteString("There is nothing to do about them but wait: an apply after that creates those of which no job of the name is listed.\n")
}

type heldBackJSON struct {
	Name   string    `json:"name"`
	Region string    `json:"region"`
	Plan   string    `json:"plan"` // that sent it
	SentAt time.Time `json:"sent_at"`
	Until  time.Time `json:"until"`
}

func newHeldBackJSON(held []heldBackJob) []heldBackJSON {
	all := make([]heldBackJSON, 0, len(held))
	for _, job := range held {
		all = append(all, heldBackJSON{job.Name, job.Region, job.Plan, job.SignedAt.UTC(), job.until.UTC()})
	}
	return all
}
