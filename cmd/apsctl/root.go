package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/spf13/cobra"
)

const rootLong = `apsctl compares a YAML plan of AnalyticDB for MySQL sync jobs (APS) with a local
ledger and creates the missing jobs, each exactly once, whatever dies on the way.

Exit codes:
   0  done, or nothing to do          6  stopped by a budget or cap, work is left
   1  error                          10  plan or flags invalid
   2  changes (if asked for), drift  11  locked by a live run
   3  some jobs failed               12  credentials or permission refused
   4  outcomes unknown, or conflicts 13  ledger trouble
   5  refused by a limit            130  interrupted, drained cleanly`

const rootExample = `  apsctl init                 write a plan to start from, apsctl.yaml
  apsctl apply --emulator     try it on an emulated service; touches nothing real
  apsctl apply                create its jobs, after a preview and a yes`

// The groups of commands in the help of apsctl, which lists them as they are added.
const (
	helpPlan   = "plan"
	helpJobs   = "jobs"
	helpRecord = "record"
	helpMore   = "more"
)

func init() { cobra.EnableCommandSorting = false }

// run executes one command line and returns its exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := newApp(stdin, stdout, stderr)
	var profiles profiler
	root := newRoot(app)
	profiles.addFlag(root)
	defer profiles.stop()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(context.Background())
	if err != nil && strings.HasPrefix(err.Error(), "unknown command") {
		err = usagef(root, "%s", unknownCommand(err.Error()))
	}
	return app.explain(err)
}

// unknownCommand puts cobra's error, which lists what may have been meant in lines of
// its own, on one line.
func unknownCommand(text string) string {
	text, like, _ := strings.Cut(text, "\n\nDid you mean this?\n")
	if names := strings.Fields(like); len(names) > 0 {
		text += "; did you mean " + strings.Join(names, " or ") + "?"
	}
	return text
}

func newRoot(app *app) *cobra.Command {
	root := &cobra.Command{
		Use:           "apsctl",
		Short:         "Create AnalyticDB sync jobs from a plan, each exactly once",
		Long:          rootLong,
		Example:       rootExample,
		SilenceErrors: true,
		SilenceUsage:  true,
		// The default check of arguments also suggests commands of like names.
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return usage(cmd, err) })
	root.AddGroup(
		&cobra.Group{ID: helpPlan, Title: "A plan and its jobs:"}, &cobra.Group{ID: helpJobs, Title: "Jobs that exist:"},
		&cobra.Group{ID: helpRecord, Title: "What happened:"}, &cobra.Group{ID: helpMore, Title: "More:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, cmd := range commands {
			cmd.GroupID = group
		}
		root.AddCommand(commands...)
	}
	add(helpPlan, newInitCommand(app), newValidateCommand(app), newFmtCommand(app), newPlanCommand(app), newApplyCommand(app))
	add(helpJobs, newStatusCommand(app), newWaitCommand(app), newDriftCommand(app))
	add(helpJobs, newLifeCommands(app)...)
	add(helpJobs, newResolveCommand(app), newImportCommand(app))
	add(helpRecord, newRunsCommand(app), newReportCommand(app), newLedgerCommand(app))
	add(helpMore, newDoctorCommand(app), newExplainCommand(app), newEmulatorCommand(app), newSchemaCommand(app), newVersionCommand(app))
	root.SetHelpCommandGroupID(helpMore)
	root.SetCompletionCommandGroupID(helpMore)
	root.InitDefaultCompletionCmd()
	addCompletions(root)
	wrapArgs(root)
	groupFlags(root)
	return root
}

// wrapArgs makes a wrong number of arguments, anywhere, a usage error.
func wrapArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usage(cmd, err)
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		wrapArgs(child)
	}
}

// setColours switches colours on for a terminal only, and off for NO_COLOR
// (no-color.org) and dumb terminals.
func setColours(terminal bool) {
	if terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		text.EnableColors()
	} else {
		text.DisableColors()
	}
}

// usageError is a command line that cannot be carried out.
type usageError struct {
	err     error
	command string
}

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(cmd *cobra.Command, err error) error {
	var already *usageError
	if errors.As(err, &already) {
		return err
	}
	return &usageError{err, cmd.CommandPath()}
}

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return usage(cmd, fmt.Errorf(format, args...))
}
