package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

type ledgerShowCommand struct {
	app    *app
	target target
	output outputFormat
	plan   string
}

func newLedgerShowCommand(a *app) *cobra.Command {
	c := &ledgerShowCommand{app: a}
	cmd := &cobra.Command{
		Use:               "show NAME",
		Short:             "Show one entry with its attempts, and the way out of its state",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().StringVar(&c.plan, "plan", "", "the `name` of the job's plan, where several have such a job")
	return cmd
}

func (c *ledgerShowCommand) run(cmd *cobra.Command, name string) error {
	ledger, err := store.OpenReadOnly(cmd.Context(), c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	entry, err := entryNamed(cmd, ledger, c.plan, name)
	if err != nil {
		return err
	}
	attempts, err := ledger.Attempts(cmd.Context(), entry.Plan, entry.Name)
	if err != nil {
		return err
	}
	line := ledgerResolveLine(cmd)
	if c.output.json() {
		return writeJSON(c.app.stdout, newShowJSON(entry, attempts, line))
	}
	return writeEntry(c.app.stdout, entry, attempts, line)
}

// writeEntry writes all that the ledger holds about a job, for a person.
func writeEntry(w io.Writer, e plan.Entry, attempts []store.Attempt, resolve resolveLine) error {
	var b strings.Builder
	line := func(label, value string) {
		if value != "" && value != "-" {
			fmt.Fprintf(&b, "  %-12s %s\n", label, printable.Line(value))
		}
	}
	fmt.Fprintf(&b, "%s of plan %s: %s\n", printable.Line(e.Name), printable.Line(e.Plan), e.State)
	line("why", e.Reason)
	line("code", e.Code)
	line("way out", wayOut(e, resolve))
	line("job id", e.JobID)
	line("candidates", strings.Join(e.Candidates, ", "))
	if e.Spec.Name != e.Name {
		line("on service", e.Spec.Name)
	}
	line("region", e.Region)
	line("source", e.Spec.Source.Instance)
	line("destination", e.Spec.Destination.Instance)
	line("db_list", e.Spec.DBList)
	line("partitions", e.Spec.PartitionList)
	line("labels", labelsText(e.Labels))
	line("digest", e.Digest)
	line("sent", shownAt(e.SignedAt))
	line("updated", shownAt(e.UpdatedAt))
	line("pending", pendingText(e.Pending))
	for _, a := range attempts {
		fmt.Fprintf(&b, "attempt %d: %s, sent %s\n", a.Number, a.Outcome, shownAt(a.SignedAt))
		line("why", a.Reason)
		line("code", a.Code)
		line("request", a.RequestID)
		line("nonce", a.Nonce)
		line("run", a.Run)
		line("there before", strings.Join(a.Baseline, ", "))
		line("evidence", a.Evidence)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// pendingText says which change of the job may still take effect, "" for none.
func pendingText(p plan.Pending) string {
	switch {
	case !p.IsSet():
		return ""
	case p.Confirmed:
		return fmt.Sprintf("%s, sent %s; the job is as it says", p.Operation, shownAt(p.SignedAt))
	}
	return fmt.Sprintf("%s, sent %s; not confirmed", p.Operation, shownAt(p.SignedAt))
}

func labelsText(labels map[string]string) string {
	if len(labels) == 0 {
		return ""
	}
	text, err := json.Marshal(labels) // sorted
	if err != nil {
		return ""
	}
	return string(text)
}

type showJSON struct {
	Entry    entryJSON     `json:"entry"`
	Attempts []attemptJSON `json:"attempts"`
}

type attemptJSON struct {
	Attempt   int             `json:"attempt"`
	Outcome   plan.State      `json:"outcome"`
	SentAt    *time.Time      `json:"sent_at,omitempty"`
	UpdatedAt time.Time       `json:"updated_at"`
	Endpoint  string          `json:"endpoint"`
	Region    string          `json:"region"`
	Nonce     string          `json:"nonce"`
	Run       string          `json:"run"`
	RequestID string          `json:"request_id"`
	Code      string          `json:"code"`
	Reason    string          `json:"reason"`
	Baseline  []string        `json:"baseline,omitempty"`
	Digest    string          `json:"digest"`
	Evidence  json.RawMessage `json:"evidence,omitempty"`
}

func newShowJSON(e plan.Entry, attempts []store.Attempt, line resolveLine) showJSON {
	out := showJSON{Entry: newEntryJSON(e, line), Attempts: make([]attemptJSON, 0, len(attempts))}
	for _, a := range attempts {
		out.Attempts = append(out.Attempts, attemptJSON{
			Attempt: a.Number, Outcome: a.Outcome, SentAt: jsonform.Time(a.SignedAt), UpdatedAt: a.UpdatedAt,
			Endpoint: a.Endpoint, Region: a.Region, Nonce: a.Nonce, Run: a.Run, RequestID: a.RequestID,
			Code: a.Code, Reason: a.Reason, Baseline: a.Baseline, Digest: a.Digest, Evidence: rawJSON(a.Evidence),
		})
	}
	return out
}

// rawJSON is text as it is, if it is JSON, and nothing otherwise.
func rawJSON(text string) json.RawMessage {
	if !json.Valid([]byte(text)) {
		return nil
	}
	return json.RawMessage(text)
}
