package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// importChoice says which of the listed jobs are meant.
type importChoice struct {
	all  bool
	name string
	file string

	ids map[string]bool // from file
}

func (c *importChoice) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&c.all, "all", false, "import every job that no plan knows")
	flags.StringVar(&c.name, "name", "", "import those whose names match this `glob`: * and ? stand for any text and any character")
	flags.StringVar(&c.file, "ids", "", "import those whose ids are in this `file`, one a line; # starts a comment")
}

// given counts the flags that choose.
func (c *importChoice) given(cmd *cobra.Command) int {
	n := 0
	for _, name := range []string{"all", "name", "ids"} {
		if cmd.Flags().Changed(name) {
			n++
		}
	}
	return n
}

// read checks the pattern and reads the ids.
func (c *importChoice) read(cmd *cobra.Command) error {
	if _, err := path.Match(c.name, ""); err != nil {
		return usage(cmd, fmt.Errorf("--name %q is no pattern: %w", c.name, err))
	}
	if c.file == "" {
		return nil
	}
	lines, err := readLines(c.file)
	if err != nil {
		return fmt.Errorf("--ids: %w", err)
	}
	c.ids = map[string]bool{}
	for _, id := range lines {
		c.ids[id] = true
	}
	return nil
}

// of returns the jobs that are meant.
func (c *importChoice) of(found []plan.Found) []plan.Found {
	var chosen []plan.Found
	for _, f := range found {
		fits, _ := path.Match(c.name, f.Job.Name)
		if c.all || c.ids[f.Job.ID] || c.ids == nil && fits {
			chosen = append(chosen, f)
		}
	}
	return chosen
}

// missing lists the ids that were asked for and are not listed.
func (c *importChoice) missing(found []plan.Found) []string {
	listed := map[string]bool{}
	for _, f := range found {
		listed[f.Job.ID] = true
	}
	var missing []string
	for id := range c.ids {
		if !listed[id] {
			missing = append(missing, id)
		}
	}
	slices.Sort(missing)
	return missing
}

// readEntries reads the entries of all plans without creating or changing
// anything. A ledger that does not exist yet has none.
func readEntries(ctx context.Context, path string) ([]plan.Entry, error) {
	ledger, err := store.OpenReadOnly(ctx, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer ledger.Close()
	return ledger.Entries(ctx, store.Filter{})
}
