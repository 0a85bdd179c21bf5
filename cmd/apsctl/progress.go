package main

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"
)

// progressForm is the value of --progress: how stderr shows a run on its way.
type progressForm string

const (
	progressAuto  progressForm = "auto"  // painted on a terminal, plain lines elsewhere
	progressPlain progressForm = "plain" // one line at intervals
	progressJSON  progressForm = "json"  // events, as in docs/events.md
	progressNone  progressForm = "none"
)

var progressForms = []string{string(progressAuto), string(progressPlain), string(progressJSON), string(progressNone)}

func (p *progressForm) addFlag(cmd *cobra.Command) {
	*p = progressAuto
	cmd.Flags().Var(p, "progress", "`form` of progress on stderr: auto (painted on a terminal, lines elsewhere), plain, json (docs/events.md) or none")
	_ = cmd.RegisterFlagCompletionFunc("progress", cobra.FixedCompletions(progressForms, cobra.ShellCompDirectiveNoFileComp))
}

func (p *progressForm) String() string { return string(*p) }
func (p *progressForm) Type() string   { return "form" }
func (p *progressForm) Set(text string) error {
	if !slices.Contains(progressForms, text) {
		return errors.New("want auto, plain, json or none")
	}
	*p = progressForm(text)
	return nil
}
