package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// show lists what no plan knows, and what loads the same, and changes nothing.
func (c *importCommand) show(ctx context.Context, entries []plan.Entry) error {
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		return err
	}
	defer service.close()
	if err := c.checkOwner(ctx, service); err != nil {
		return err
	}
	importer := runner.NewImporter(nil, service, runner.SystemClock(), runner.Options{Parallel: c.parallel, Commands: c.commands})
	found, err := importer.Look(ctx, c.regions, entries)
	if err != nil {
		return err
	}
	same, err := importer.Same(ctx, found)
	if err != nil {
		return err
	}
	var unplanned []plan.Found
	for _, f := range found {
		if f.Entry == nil {
			unplanned = append(unplanned, f)
		}
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newFoundJSON(c.regions, len(found), unplanned, same))
	}
	return c.printFound(len(found), unplanned, same)
}

// checkOwner refuses a ledger of another account: its jobs would all look unknown.
func (c *importCommand) checkOwner(ctx context.Context, service *service) error {
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer ledger.Close()
	return checkAccount(ctx, ledger, service)
}

func (c *importCommand) printFound(listed int, unplanned []plan.Found, same [][]plan.Found) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s in %s; ", plan.Count(listed, "job"), printable.Line(strings.Join(c.regions, ", ")))
	if len(unplanned) == 0 {
		b.WriteString("a plan has each of them.\n")
	} else {
		fmt.Fprintf(&b, "no plan has %d of them.\n", len(unplanned))
		b.WriteString("\n")
		c.foundTable(&b, unplanned, rowsShown)
	}
	for i, group := range same {
		if i == namesShown && !c.full {
			fmt.Fprintf(&b, "\n… and %s of jobs that load the same; --full lists all\n", plan.Count(len(same)-i, "more group"))
			break
		}
		fmt.Fprintf(&b, "\nThese %d jobs load the same objects from %s to %s:\n", len(group),
			printable.Line(group[0].Job.SourceInstance), printable.Line(group[0].Job.DestinationInstance))
		c.foundTable(&b, group, rowsShown)
	}
	_, err := io.WriteString(c.app.stdout, b.String())
	return err
}

// foundJSON is what import --list found.
type foundJSON struct {
	Regions   []string          `json:"regions"`
	Listed    int               `json:"listed"`
	Unplanned []importJobJSON   `json:"unplanned"`
	Same      [][]importJobJSON `json:"same"`
}

func newFoundJSON(regions []string, listed int, unplanned []plan.Found, same [][]plan.Found) foundJSON {
	out := foundJSON{regions, listed, foundJobsJSON(unplanned), make([][]importJobJSON, 0, len(same))}
	for _, group := range same {
		out.Same = append(out.Same, foundJobsJSON(group))
	}
	return out
}

func foundJobsJSON(found []plan.Found) []importJobJSON {
	all := make([]importJobJSON, 0, len(found))
	for _, f := range found {
		all = append(all, newImportJobJSON(f))
	}
	return all
}
