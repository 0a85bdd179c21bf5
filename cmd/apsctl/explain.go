package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

type explainCommand struct {
	app    *app
	output outputFormat
}

func newExplainCommand(a *app) *cobra.Command {
	c := &explainCommand{app: a}
	cmd := &cobra.Command{
		Use:   "explain [CODE...]",
		Short: "Say what an error code means and what to do",
		Long: `explain prints what an error code such as E-LEDGER-FOREIGN means, what leads to
it and what to do next. A number stands for all codes with that exit code.
Without CODE it lists them all.`,
		Example: "  apsctl explain E-LEDGER-FOREIGN\n  apsctl explain 13",
		RunE:    c.run,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			codes := make([]string, len(errorTable))
			for i, entry := range errorTable {
				codes[i] = string(entry.Code) + "\t" + entry.What
			}
			return codes, cobra.ShellCompDirectiveNoFileComp
		},
	}
	c.output.addFlag(cmd)
	return cmd
}

func (c *explainCommand) run(cmd *cobra.Command, args []string) error {
	entries := errorTable
	if len(args) > 0 {
		entries = nil
	}
	for _, arg := range args {
		found := entriesFor(arg)
		switch {
		case len(found) > 0:
		case arg == strconv.Itoa(exitChanges):
			return usagef(cmd, "exit code %s is no error: there are changes, or there is drift", arg)
		default:
			return usagef(cmd, "there is no error code %q; apsctl explain lists them", arg)
		}
		entries = append(entries, found...)
	}
	switch {
	case c.output.json():
		return writeJSON(c.app.stdout, explainJSON{entries})
	case len(args) == 0:
		return writeCodes(c.app.stdout, entries)
	}
	return writeEntries(c.app.stdout, entries)
}

// entriesFor returns the entries of a code, in brackets or not, or of all codes
// with an exit code.
func entriesFor(arg string) []errorEntry {
	arg = strings.Trim(arg, "[]")
	exit, notNumber := strconv.Atoi(arg)
	return slices.DeleteFunc(slices.Clone(errorTable), func(entry errorEntry) bool {
		return !strings.EqualFold(arg, string(entry.Code)) && (notNumber != nil || entry.Exit != exit)
	})
}

func writeCodes(w io.Writer, entries []errorEntry) error {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	t.AppendHeader(table.Row{"code", "exit", "meaning"})
	for _, entry := range entries {
		t.AppendRow(table.Row{entry.Code, entry.Exit, entry.What})
	}
	_, err := fmt.Fprintln(w, t.Render())
	return err
}

func writeEntries(w io.Writer, entries []errorEntry) error {
	var b strings.Builder
	for i, entry := range entries {
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s (exit code %d): %s\n  Why:  %s\n  Next: %s\n", entry.Code, entry.Exit, entry.What, entry.Cause, entry.Next)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

type explainJSON struct {
	Errors []errorEntry `json:"errors"`
}
