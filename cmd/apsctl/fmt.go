package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

type fmtCommand struct {
	app   *app
	check bool
}

func newFmtCommand(a *app) *cobra.Command {
	c := &fmtCommand{app: a}
	cmd := &cobra.Command{
		Use:   "fmt [FILE...]",
		Short: "Lay out plan files in the usual way",
		Long: `fmt rewrites plan files in the one layout that plan files have, and prints the
names of those that it changed. Only blanks and empty lines change: comments,
quotes and the order of keys stay. There is nothing to configure.

FILE is a plan file, a folder of them or a pattern; without any, it is apsctl.yaml
in the current folder. Files that these include are not touched unless named.
- reads standard input and writes the result to standard output. A file is
replaced whole or not at all, and only after its new text was found to say the
same as the old.

Exit codes:
   0  done; with --check: all files are formatted
   1  with --check: some are not, and are listed; else a file could not be written
  10  a file is not YAML`,
		Example: "  apsctl fmt --check plans/",
		RunE:    func(_ *cobra.Command, args []string) error { return c.run(args) },
	}
	cmd.Flags().BoolVar(&c.check, "check", false, "write nothing; list the files that would change and exit with 1 if there are any")
	return cmd
}

// run goes on after a path or a file in trouble, so that one run tells about all of
// them.
func (c *fmtCommand) run(paths []string) error {
	if len(paths) == 0 {
		paths = []string{planDefault}
	}
	files, err := plan.Files(paths, c.app.stdin)
	code := c.app.explain(err)
	for _, file := range files {
		changed, err := c.format(file)
		switch {
		case err != nil:
			code = max(code, c.app.explain(err))
		case changed && c.check:
			code = max(code, exitFailure)
		}
	}
	if code != exitDone {
		return exitWith(code)
	}
	return nil
}

// format formats one file, and returns whether that makes a difference.
func (c *fmtCommand) format(path string) (changed bool, err error) {
	old, err := plan.ReadFile(path, c.app.stdin)
	if err != nil {
		return false, err
	}
	name := path
	if path == plan.StdinPath {
		name = plan.StdinName
	}
	formatted, err := plan.Format(name, old)
	if err != nil {
		return false, err
	}
	changed = string(formatted) != string(old)
	switch {
	case path == plan.StdinPath && !c.check:
		_, err = c.app.stdout.Write(formatted)
		return changed, err
	case changed && !c.check:
		err = replaceFile(path, old, formatted)
	}
	if changed && err == nil {
		_, err = fmt.Fprintln(c.app.stdout, printable.Line(name))
	}
	return changed, err
}
