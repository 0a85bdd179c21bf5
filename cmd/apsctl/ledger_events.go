package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type ledgerEventsCommand struct {
	app    *app
	target target
	output outputFormat
	plan   string
	full   bool
}

func newLedgerEventsCommand(a *app) *cobra.Command {
	c := &ledgerEventsCommand{app: a}
	cmd := &cobra.Command{
		Use:   "events [NAME]",
		Short: "Show what happened, to one job or to all",
		Long: `events shows every step that the ledger recorded, oldest first: of one job, also
under the names that it had before and after it was forgotten, or of all jobs.`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, strings.Join(args, "")) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().StringVar(&c.plan, "plan", "", "only the plan of this `name`")
	cmd.Flags().BoolVar(&c.full, "full", false, "show every event, however many, with its evidence")
	return cmd
}

func (c *ledgerEventsCommand) run(cmd *cobra.Command, name string) error {
	ledger, err := store.OpenReadOnly(cmd.Context(), c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	events, err := c.events(cmd, ledger, name)
	if err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newEventsJSON(events))
	}
	return c.write(events)
}

// events finds the plan of a job by its events: its entry may be gone.
func (c *ledgerEventsCommand) events(cmd *cobra.Command, ledger *store.Ledger, name string) ([]store.Event, error) {
	planName := c.plan
	if name != "" && planName == "" {
		all, err := ledger.Events(cmd.Context(), "", "")
		if err != nil {
			return nil, err
		}
		var plans []string
		for _, e := range all {
			if e.Name == name && !slices.Contains(plans, e.Plan) {
				plans = append(plans, e.Plan)
			}
		}
		switch len(plans) {
		case 0:
			return nil, noSuchJob(ledger, "", name)
		case 1:
			planName = plans[0]
		default:
			return nil, severalPlans(cmd, name, plans)
		}
	}
	if name == "" {
		return ledger.Events(cmd.Context(), planName, "")
	}
	events, err := ledger.History(cmd.Context(), planName, name)
	if err == nil && len(events) == 0 {
		err = noSuchJob(ledger, planName, name)
	}
	return events, err
}

func (c *ledgerEventsCommand) write(events []store.Event) error {
	shown := events
	var b strings.Builder
	if more := len(events) - rowsShown; more > 0 && !c.full {
		shown = events[more:]
		fmt.Fprintf(&b, "%s before these; --full shows all\n", plan.Count(more, "more event"))
	}
	if len(events) == 0 {
		b.WriteString("Nothing has happened yet.\n")
		_, err := io.WriteString(c.app.stdout, b.String())
		return err
	}
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	header := table.Row{"serial", "at", "plan", "job", "attempt", "from", "to", "job id", "why"}
	if c.full {
		header = append(header, "evidence")
	}
	t.AppendHeader(header)
	for _, e := range shown {
		row := table.Row{e.Serial, shownAt(e.At), printable.Line(e.Plan), printable.Line(e.Name), e.Attempt,
			stateText(e.From), stateText(e.To), printable.Line(e.JobID), printable.Clip(e.Reason, 80)}
		if c.full {
			row = append(row, printable.Line(e.Evidence))
		}
		t.AppendRow(row)
	}
	fmt.Fprintln(&b, t.Render())
	_, err := io.WriteString(c.app.stdout, b.String())
	return err
}

// stateText shows the state of a job that the ledger does not have.
func stateText(s plan.State) string {
	if s == plan.StateNone {
		return "none"
	}
	return printable.Line(string(s))
}

type eventsJSON struct {
	Events []eventJSON `json:"events"`
}

// eventJSON is one step; from and to are "" for "not in the ledger".
type eventJSON struct {
	Serial    int64           `json:"serial"`
	At        time.Time       `json:"at"`
	Plan      string          `json:"plan"`
	Name      string          `json:"name"`
	Attempt   int             `json:"attempt"`
	From      plan.State      `json:"from"`
	To        plan.State      `json:"to"`
	JobID     string          `json:"aps_job_id"`
	RequestID string          `json:"request_id"`
	Code      string          `json:"code"`
	Reason    string          `json:"reason"`
	Run       string          `json:"run"`
	Evidence  json.RawMessage `json:"evidence,omitempty"`
}

func newEventsJSON(events []store.Event) eventsJSON {
	out := eventsJSON{Events: make([]eventJSON, 0, len(events))}
	for _, e := range events {
		out.Events = append(out.Events, eventJSON{
			Serial: e.Serial, At: e.At, Plan: e.Plan, Name: e.Name, Attempt: e.Attempt, From: e.From, To: e.To,
			JobID: e.JobID, RequestID: e.RequestID, Code: e.Code, Reason: e.Reason, Run: e.Run, Evidence: rawJSON(e.Evidence),
		})
	}
	return out
}
