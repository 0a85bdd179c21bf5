package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/store"
)

type ledgerVerifyCommand struct {
	app    *app
	target target
	output outputFormat
}

func newLedgerVerifyCommand(a *app) *cobra.Command {
	c := &ledgerVerifyCommand{app: a}
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check every page and rule of the ledger",
		Long: `verify reads the whole ledger and checks its pages, indexes and references, that
every attempt has its record and, while no run is at work, every rule of its
schema. It exits 0 when all is sound, and 13 with the first thing that is not.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd.Context()) },
	}
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	return cmd
}

type verifyJSON struct {
	Ledger jsonform.Ledger `json:"ledger"`
	Sound  bool            `json:"sound"`
	// Rules says whether the rules of the schema were checked too.
	Rules bool `json:"rules_checked"`
}

func (c *ledgerVerifyCommand) run(ctx context.Context) error {
	// First as a reader: what is not a ledger of this version is not touched.
	reader, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return err
	}
	defer reader.Close()
	rules, err := c.verify(ctx, reader)
	if err != nil {
		return err
	}
	meta, err := reader.Meta(ctx)
	if err != nil {
		return err
	}
	out := verifyJSON{newLedgerJSON(reader.Path(), meta), true, rules}
	if c.output.json() {
		return writeJSON(c.app.stdout, out)
	}
	text := "It is sound."
	if !rules {
		text = "It is sound, as far as can be checked while it is in use or may not be written."
	}
	_, err = fmt.Fprintf(c.app.stdout, "%s\n%s\n", ledgerLine(out.Ledger), text)
	return err
}

// verify checks all of it if no run is at work and the ledger may be written,
// and otherwise what a reader can check.
func (c *ledgerVerifyCommand) verify(ctx context.Context, reader *store.Ledger) (rules bool, err error) {
	ledger, err := c.target.openLocked(ctx, "ledger verify")
	var locked *store.LockedError
	switch {
	case errors.As(err, &locked), errors.Is(err, store.ErrPermission):
		return false, reader.Verify(ctx)
	case err != nil:
		return false, err
	}
	defer ledger.close()
	return true, ledger.Verify(ctx)
}
