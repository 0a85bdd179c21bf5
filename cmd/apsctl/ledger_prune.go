package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type ledgerPruneCommand struct {
	app    *app
	target target
	output outputFormat
	age    age
	dry    bool
}

func newLedgerPruneCommand(a *app) *cobra.Command {
	c := &ledgerPruneCommand{app: a}
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Delete old events and records of runs, never entries",
		Long: `prune deletes events, and records of runs that nothing tells of any more, which
are older than AGE: 90d, 12w, 36h. It deletes no entry and no attempt, no event of
a job whose outcome is unknown, proven absent, in conflict, duplicate or lost, or
that a change is pending of, and of every other job all events but the last one.
It takes the lock, and leaves a record of what it deleted. The file does not get
smaller: new events use the room. A copy by ledger backup is smaller.`,
		Example: "  apsctl ledger prune --older-than 90d --dry-run\n  apsctl ledger backup ledger.db && apsctl ledger prune --older-than 90d",
		Args:    cobra.NoArgs,
		RunE:    c.run,
	}
	c.target.addLedgerFlags(cmd)
	c.target.addLockFlag(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().Var(&c.age, "older-than", "delete what is older than this `age`: 90d, 12w, 36h")
	cmd.Flags().BoolVar(&c.dry, "dry-run", false, "only say what would be deleted; takes no lock")
	return cmd
}

// age is a length of time that may also be given in days and weeks.
type age struct {
	time.Duration
	text string
}

func (a *age) String() string { return a.text }
func (a *age) Type() string   { return "age" }
func (a *age) Set(text string) error {
	d, err := parseAge(text)
	if err == nil && d <= 0 {
		err = fmt.Errorf("want more than nothing")
	}
	a.Duration, a.text = d, text
	return err
}

func parseAge(text string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, unit); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			if err != nil {
				return 0, fmt.Errorf("want a number before %q, as in 90d", unit)
			}
			return time.Duration(n) * length, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("want an age like 90d, 12w or 36h")
	}
	return d, nil
}

func (c *ledgerPruneCommand) run(cmd *cobra.Command, _ []string) error {
	if c.age.text == "" {
		return usagef(cmd, "say how old what goes must be: add --older-than 90d")
	}
	now := time.Now()
	pruned, err := c.prune(cmd.Context(), now.Add(-c.age.Duration), now)
	if err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, pruneJSON{
			DryRun: c.dry, OlderThan: pruned.Before.UTC(), Events: pruned.Events, Runs: pruned.Runs,
			KeptOpen: pruned.KeptOpen, KeptLatest: pruned.KeptLatest,
		})
	}
	return c.write(c.app.stdout, pruned)
}

func (c *ledgerPruneCommand) prune(ctx context.Context, before, now time.Time) (store.Pruned, error) {
	if c.dry {
		ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
		if err != nil {
			return store.Pruned{}, err
		}
		defer ledger.Close()
		return ledger.Prune(ctx, before, store.Person{}, true)
	}
	ledger, err := c.target.openLocked(ctx, "ledger prune")
	if err != nil {
		return store.Pruned{}, err
	}
	defer ledger.close()
	by := newPerson("", "")
	by.At = now
	return ledger.Prune(ctx, before, by, false)
}

func (c *ledgerPruneCommand) write(w io.Writer, p store.Pruned) error {
	verb := "Deleted"
	if c.dry {
		verb = "Would delete"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s and the records of %s from before %s. No entry, no attempt.\n",
		verb, plan.Count(p.Events, "event"), plan.Count(p.Runs, "run"), shownAt(p.Before))
	if p.KeptOpen > 0 {
		fmt.Fprintf(&b, "Kept %s as old, of jobs that are not settled; ledger list shows them.\n", plan.Count(p.KeptOpen, "event"))
	}
	if p.KeptLatest > 0 {
		fmt.Fprintf(&b, "Kept %s as old, the last of each job.\n", plan.Count(p.KeptLatest, "event"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// pruneJSON says what went, or with dry_run would go, and what stays though it is
// as old.
type pruneJSON struct {
	DryRun     bool      `json:"dry_run"`
	OlderThan  time.Time `json:"older_than"`
	Events     int       `json:"events"`
	Runs       int       `json:"runs"`
	KeptOpen   int       `json:"kept_open"`
	KeptLatest int       `json:"kept_latest"`
}
