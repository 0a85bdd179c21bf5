package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

const (
	sqlRowsDefault    = 1000
	sqlTimeoutDefault = 10 * time.Second
	sqlCellShown      = 200 // characters of a value in a table
)

type ledgerSQLCommand struct {
	app     *app
	target  target
	output  outputFormat
	rows    int
	timeout time.Duration
}

func newLedgerSQLCommand(a *app) *cobra.Command {
	c := &ledgerSQLCommand{app: a}
	cmd := &cobra.Command{
		Use:   "sql QUERY",
		Short: "Ask the ledger a question in SQL; changes nothing",
		Long: `sql carries out one SELECT, WITH, VALUES or EXPLAIN on the ledger, strictly for
reading. The views jobs, attempts_log, history, run_log and prune_log keep their
columns (docs/ledger.md); the tables behind them may change.`,
		Example: `  apsctl ledger sql "SELECT state, count(*) FROM jobs GROUP BY state"
  apsctl ledger sql -o json "SELECT job, aps_job_id FROM jobs WHERE source = 'pc-1'"`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().IntVar(&c.rows, "rows", sqlRowsDefault, "most `rows` to show; 0 means all")
	cmd.Flags().DurationVar(&c.timeout, "timeout", sqlTimeoutDefault, "give up after this time")
	return cmd
}

func (c *ledgerSQLCommand) run(cmd *cobra.Command, query string) error {
	if c.rows < 0 || c.timeout <= 0 {
		return usagef(cmd, "--rows is 0 or more, and --timeout more than nothing")
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), c.timeout)
	defer cancel()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	answer, err := ledger.Query(ctx, query, c.rows)
	if err != nil {
		return err
	}
	if answer.More {
		fmt.Fprintf(c.app.stderr, "apsctl: only the first %s; --rows 0 shows all\n", plan.Count(c.rows, "row"))
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newSQLJSON(answer))
	}
	return writeTable(c.app.stdout, answer)
}

func writeTable(w io.Writer, answer store.Table) error {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	header := make(table.Row, len(answer.Columns))
	for i, name := range answer.Columns {
		header[i] = printable.Line(name)
	}
	t.AppendHeader(header)
	for _, values := range answer.Rows {
		row := make(table.Row, len(values))
		for i, value := range values {
			row[i] = cellText(value)
		}
		t.AppendRow(row)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", t.Render())
	_, err := io.WriteString(w, b.String())
	return err
}

func cellText(value any) string {
	switch v := value.(type) {
	case nil:
		return "NULL"
	case []byte:
		return fmt.Sprintf("x'%x'", v[:min(len(v), sqlCellShown/2)])
	}
	return printable.Clip(fmt.Sprint(value), sqlCellShown)
}

// sqlJSON is the answer to a query: rows of values, in the order of columns.
type sqlJSON struct {
	Columns []string `json:"columns"`
	Rows    [][]any  `json:"rows"`
	// More says that there are rows beyond these.
	More bool `json:"more"`
}

func newSQLJSON(answer store.Table) sqlJSON {
	out := sqlJSON{Columns: answer.Columns, Rows: make([][]any, 0, len(answer.Rows)), More: answer.More}
	for _, values := range answer.Rows {
		row := make([]any, len(values))
		for i, value := range values {
			row[i] = jsonValue(value)
		}
		out.Rows = append(out.Rows, row)
	}
	return out
}

// jsonValue turns what JSON has no form for into text: bytes into base64, and
// infinities into their names.
func jsonValue(value any) any {
	switch v := value.(type) {
	case []byte:
		return base64.StdEncoding.EncodeToString(v)
	case float64:
		if math.IsInf(v, 0) || math.IsNaN(v) {
			return fmt.Sprint(v)
		}
	case string:
		return strings.ToValidUTF8(v, string(utf8.RuneError))
	}
	return value
}
