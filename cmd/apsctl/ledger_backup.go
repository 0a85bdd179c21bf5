package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/store"
)

type ledgerBackupCommand struct {
	app    *app
	target target
	output outputFormat
}

func newLedgerBackupCommand(a *app) *cobra.Command {
	c := &ledgerBackupCommand{app: a}
	cmd := &cobra.Command{
		Use:   "backup FILE",
		Short: "Copy the ledger to a new file, also while a run is at work",
		Long: `backup writes a copy of the ledger as of one moment to FILE, readable by its owner
only, checks all of it, and has it on disk before it gets that name. A file that
exists is never replaced. Do not copy the ledger by other means while a run is at
work: what is in its -wal file would be missing.`,
		Example: "  apsctl ledger backup ledger-$(date +%F).db",
		Args:    cobra.ExactArgs(1),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.run(cmd, args[0]) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	return cmd
}

type backupJSON struct {
	Ledger jsonform.Ledger `json:"ledger"`
	File   string          `json:"file"`
}

func (c *ledgerBackupCommand) run(cmd *cobra.Command, to string) error {
	if to == "" {
		return usagef(cmd, "FILE is empty: name the file that the copy goes to")
	}
	ctx := cmd.Context()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer ledger.Close()
	meta, err := ledger.Backup(ctx, to)
	if errors.Is(err, store.ErrBackupExists) {
		return fmt.Errorf("%w; name another file", err)
	}
	if err != nil {
		return err
	}
	header := newLedgerJSON(ledger.Path(), meta)
	if c.output.json() {
		return writeJSON(c.app.stdout, backupJSON{header, to})
	}
	_, err = fmt.Fprintf(c.app.stdout, "%s\nCopied to %s, checked and sound.\n", ledgerLine(header), printable.Line(to))
	return err
}
