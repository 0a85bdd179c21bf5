package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// rowsShown is the number of rows that a table has unless everything is asked
// for.
const rowsShown = 100

func newLedgerCommand(a *app) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "ledger",
		Short: "Look into the ledger, back it up, correct it",
		Long: `ledger shows what the ledger holds, copies it, checks it and, where a person
knows better, corrects it. Those that only read can run beside an apply; forget,
mv and prune take the lock. None of them asks the service anything: that is what
apsctl resolve does. docs/ledger.md explains every state and the way out of it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(
		newLedgerListCommand(a), newLedgerShowCommand(a), newLedgerEventsCommand(a),
		newLedgerBackupCommand(a), newLedgerVerifyCommand(a),
		newLedgerForgetCommand(a), newLedgerMoveCommand(a), newLedgerPruneCommand(a), newLedgerSQLCommand(a),
	)
	return cmd
}

// lockedLedger is a ledger that this process alone changes.
type lockedLedger struct {
	*store.Ledger
	lock *store.Lock
}

// openLocked takes the lock and opens the ledger, which must exist: only apply
// makes one.
func (t *target) openLocked(ctx context.Context, command string) (*lockedLedger, error) {
	path := t.ledgerPath()
	// Before the lock, whose file would be left in a folder without a ledger.
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		_, err := store.OpenReadOnly(ctx, path)
		return nil, err
	}
	lock, err := t.acquireLock(ctx, newHolder(command))
	if err != nil {
		return nil, err
	}
	ledger, err := store.Open(ctx, path, store.Options{})
	if err != nil {
		_ = lock.Release()
		return nil, err
	}
	return &lockedLedger{ledger, lock}, nil
}

func (l *lockedLedger) close() {
	_ = l.Close()
	_ = l.lock.Release()
}

// newPerson says who is about to change the ledger by hand.
func newPerson(reason, runID string) store.Person {
	holder := newHolder("")
	who := holder.User
	if who == "" {
		who = "somebody"
	}
	if holder.Host != "" {
		who += "@" + holder.Host
	}
	return store.Person{Who: who, Reason: reason, RunID: runID, At: time.Now()}
}

// checkReason makes sure that a change by hand says why.
func checkReason(cmd *cobra.Command, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return usagef(cmd, `a change by hand stays on record: add --reason "why"`)
	}
	return nil
}

// entryNamed finds the one entry of that name, in one plan or, for "", in all.
func entryNamed(cmd *cobra.Command, ledger *store.Ledger, planName, name string) (plan.Entry, error) {
	entries, err := ledger.Entries(cmd.Context(), store.Filter{Plan: planName})
	if err != nil {
		return plan.Entry{}, err
	}
	found := slices.DeleteFunc(entries, func(e plan.Entry) bool { return e.Name != name })
	switch len(found) {
	case 0:
		return plan.Entry{}, noSuchJob(ledger, planName, name)
	case 1:
		return found[0], nil
	}
	plans := make([]string, len(found))
	for i, e := range found {
		plans[i] = e.Plan
	}
	return plan.Entry{}, severalPlans(cmd, name, plans)
}

func severalPlans(cmd *cobra.Command, name string, plans []string) error {
	return usagef(cmd, "job %q is in several plans (%s): add --plan", name, strings.Join(plans, ", "))
}

func noSuchJob(ledger *store.Ledger, planName, name string) error {
	where := ""
	if planName != "" {
		where = fmt.Sprintf(" of plan %q", planName)
	}
	return coded(codeNoEntry, fmt.Errorf("ledger %s: it knows no job %q%s; ledger list shows what it knows", ledger.Path(), name, where))
}

// checkPlan refuses a plan name that the ledger does not know, which is more
// likely a slip than a plan without jobs.
func checkPlan(ctx context.Context, ledger *store.Ledger, planName string) error {
	plans, err := ledger.Plans(ctx)
	if err != nil || planName == "" || slices.Contains(plans, planName) {
		return err
	}
	known := "no plan at all"
	if len(plans) > 0 {
		known = strings.Join(plans, ", ")
	}
	return coded(codeNoLedgerPlan, fmt.Errorf("ledger %s: it knows no plan %q; it knows %s", ledger.Path(), planName, known))
}

func newLedgerJSON(path string, m store.Meta) jsonform.Ledger {
	return jsonform.Ledger{Path: path, Lineage: m.Lineage, Serial: m.Serial, Schema: m.Schema, Service: m.Service, CreatedAt: m.CreatedAt}
}

// ledgerLine says which ledger an answer is from, in one line for a person.
func ledgerLine(l jsonform.Ledger) string {
	service := "no service yet"
	if l.Service != "" {
		service = l.Service
	}
	return fmt.Sprintf("Ledger %s: lineage %s, serial %d, schema %d, for %s.",
		printable.Line(l.Path), l.Lineage, l.Serial, l.Schema, printable.Line(service))
}

// shownAt formats a moment for a person; a zero one is "-".
func shownAt(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.Local().Format("2006-01-02 15:04:05 MST")
}
