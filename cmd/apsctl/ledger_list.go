package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type ledgerListCommand struct {
	app    *app
	target target
	output outputFormat
	states stateList
	full   bool
}

func newLedgerListCommand(a *app) *cobra.Command {
	c := &ledgerListCommand{app: a}
	cmd := &cobra.Command{
		Use:   "list [PLAN]",
		Short: "List the entries of one plan, by its name, or of all",
		Example: "  apsctl ledger list --state unknown --state conflict\n" +
			"  apsctl ledger list orders -o json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.run(cmd, strings.Join(args, ""))
		},
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().Var(&c.states, "state", "only entries in this `state`; may be repeated")
	cmd.Flags().BoolVar(&c.full, "full", false, "list every entry, however many")
	return cmd
}

// stateList is the value of a flag that names states.
type stateList []plan.State

func (s *stateList) String() string { return "" }
func (s *stateList) Type() string   { return "state" }
func (s *stateList) Set(name string) error {
	var known []string
	for _, state := range plan.States {
		if string(state) == name {
			*s = append(*s, state)
			return nil
		}
		known = append(known, string(state))
	}
	return fmt.Errorf("want one of %s, not %q", strings.Join(known, ", "), name)
}

func (c *ledgerListCommand) run(cmd *cobra.Command, planName string) error {
	ctx := cmd.Context()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	meta, err := ledger.Meta(ctx)
	if err != nil {
		return err
	}
	if err := checkPlan(ctx, ledger, planName); err != nil {
		return err
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: planName, States: c.states})
	if err != nil {
		return err
	}
	header := newLedgerJSON(ledger.Path(), meta)
	if !c.output.json() {
		return c.write(header, entries)
	}
	out := entriesJSON{Ledger: header, Entries: make([]entryJSON, 0, len(entries))}
	for _, e := range entries {
		out.Entries = append(out.Entries, newEntryJSON(e, ledgerResolveLine(cmd)))
	}
	return writeJSON(c.app.stdout, out)
}

func (c *ledgerListCommand) write(header jsonform.Ledger, entries []plan.Entry) error {
	shown := len(entries)
	if !c.full {
		shown = min(shown, rowsShown)
	}
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	t.AppendHeader(table.Row{"plan", "job", "state", "attempts", "job id", "updated", "why"})
	for _, e := range entries[:shown] {
		t.AppendRow(table.Row{printable.Line(e.Plan), printable.Line(e.Name), string(e.State), e.Attempt,
			printable.Line(e.JobID), shownAt(e.UpdatedAt), printable.Clip(e.Reason, 80)})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", ledgerLine(header))
	if len(entries) == 0 {
		b.WriteString("No entries.\n")
	} else {
		fmt.Fprintln(&b, t.Render())
	}
	if more := len(entries) - shown; more > 0 {
		fmt.Fprintf(&b, "… and %s; --full lists all\n", plan.Count(more, "more job"))
	}
	_, err := io.WriteString(c.app.stdout, b.String())
	return err
}

type entriesJSON struct {
	Ledger  jsonform.Ledger `json:"ledger"`
	Entries []entryJSON     `json:"entries"`
}

// entryJSON is one entry; attempts is how many creates were promised so far.
type entryJSON struct {
	Plan       string            `json:"plan"`
	Name       string            `json:"name"`
	State      plan.State        `json:"state"`
	Attempts   int               `json:"attempts"`
	Region     string            `json:"region"`
	JobID      string            `json:"aps_job_id"`
	Candidates []string          `json:"candidates,omitempty"`
	Baseline   []string          `json:"baseline,omitempty"`
	Reason     string            `json:"reason"`
	Code       string            `json:"code"`
	RequestID  string            `json:"request_id"`
	SentAt     *time.Time        `json:"sent_at,omitempty"`
	UpdatedAt  time.Time         `json:"updated_at"`
	Labels     map[string]string `json:"labels,omitempty"`
	Digest     string            `json:"digest"`
	Spec       plan.Spec         `json:"spec"`
	WayOut     string            `json:"way_out"`
	Pending    *pendingJSON      `json:"pending,omitempty"`
}

// pendingJSON is a change of the job that may still take effect.
type pendingJSON struct {
	Operation plan.Operation `json:"operation"`
	SentAt    time.Time      `json:"sent_at"`
	Confirmed bool           `json:"confirmed"` // the job was seen to be so since
}

func newEntryJSON(e plan.Entry, line resolveLine) entryJSON {
	var pending *pendingJSON
	if p := e.Pending; p.IsSet() {
		pending = &pendingJSON{p.Operation, p.SignedAt, p.Confirmed}
	}
	return entryJSON{
		Plan: e.Plan, Name: e.Name, State: e.State, Attempts: e.Attempt, Region: e.Region, JobID: e.JobID,
		Candidates: e.Candidates, Baseline: e.Baseline, Reason: e.Reason, Code: e.Code, RequestID: e.RequestID,
		SentAt: jsonform.Time(e.SignedAt), UpdatedAt: e.UpdatedAt, Labels: e.Labels, Digest: e.Digest, Spec: e.Spec,
		WayOut: wayOut(e, line), Pending: pending,
	}
}
