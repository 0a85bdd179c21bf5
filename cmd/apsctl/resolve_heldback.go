package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// heldBack returns the jobs of the plan that apply holds back, none without a plan. There
// is nothing to settle about them, and until then their outcome is as unknown to resolve
// as it is to apply.
func (c *resolveCommand) heldBack(ctx context.Context, ledger *store.Ledger, wanted *plan.Plan) ([]runner.HeldJob, error) {
	if wanted == nil {
		return nil, nil
	}
	held, err := runner.HeldBack(ctx, wanted, ledger, runner.SystemClock(), runner.Options{Settle: c.settings.settle})
	if errors.Is(err, store.ErrPermission) {
		c.app.warn(err.Error()) // apply fails by it, and what is open is settled all the same
		return nil, nil
	}
	return held, err
}

func writeHeldBack(b *strings.Builder, held []runner.HeldJob, full bool, resolve resolveLine) {
	if len(held) == 0 {
		return
	}
	fmt.Fprintf(b, "\nOf %s a create was sent lately, and what it made may not be listed yet:\n", plan.Count(len(held), "job"))
	shown := len(held)
	if !full {
		shown = min(shown, jobsShown)
	}
	for _, job := range held[:shown] {
		fmt.Fprintf(b, "  %s\n", printable.Line(heldText(job, resolve.commands)))
	}
	if more := len(held) - shown; more > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists all\n", plan.Count(more, "more job"))
	}
	var none, older bool
	for _, job := range held {
		none = none || job.Older == nil && job.Elsewhere == nil
		older = older || job.Older != nil
	}
	if none {
		b.WriteString("Where this ledger has no job, there is nothing to do but wait: an apply after that creates those of which no job is listed, of the name or for the same.\n")
	}
	if older {
		b.WriteString("Where this ledger is older than the create, there is nothing to do but wait: an apply after that tells which job there is.\n")
	}
}

func heldText(job runner.HeldJob, commands plan.Commands) string {
	name := job.Name
	switch {
	case job.Alike:
		name += ", for the same as " + job.Sent.Name
	case job.Sent.Name != name:
		name += ", which was " + job.Sent.Name + " before"
	}
	text := fmt.Sprintf("%s: sent %s by plan %s; it may be there and not listed until %s", name, shownAt(job.Sent.SignedAt), job.Sent.Plan, shownAt(job.Until))
	switch e := job.Elsewhere; {
	case job.Older != nil:
		text += fmt.Sprintf("; this ledger has job %s as created, from before", job.Older.JobID)
	case e == nil:
	case e.State == plan.StateCreated:
		text += fmt.Sprintf("; job %s %s", e.JobID, e.Owns(commands))
	default:
		text += fmt.Sprintf("; by this ledger it is job %s of plan %s, as %s: %s settles it", e.Name, e.Plan, e.State, commands.Resolve(e.Plan))
	}
	return text
}

type heldBackJSON struct {
	Name     string    `json:"name"`
	Region   string    `json:"region"`
	Plan     string    `json:"plan"` // that sent it
	SentName string    `json:"sent_name"`
	SentAt   time.Time `json:"sent_at"`
	Until    time.Time `json:"until"`
	// Entry is what the ledger has of it all the same, null for nothing.
	Entry *heldEntryJSON `json:"entry"`
}

type heldEntryJSON struct {
	Plan  string     `json:"plan"`
	Name  string     `json:"name"`
	State plan.State `json:"state"`
	JobID string     `json:"aps_job_id"`
}

func newHeldBackJSON(held []runner.HeldJob) []heldBackJSON {
	all := make([]heldBackJSON, 0, len(held))
	for _, job := range held {
		one := heldBackJSON{job.Name, job.Region, job.Sent.Plan, job.Sent.Name, job.Sent.SignedAt.UTC(), job.Until.UTC(), nil}
		if e := cmp.Or(job.Older, job.Elsewhere); e != nil {
			one.Entry = &heldEntryJSON{e.Plan, e.Name, e.State, e.JobID}
		}
		all = append(all, one)
	}
	return all
}
