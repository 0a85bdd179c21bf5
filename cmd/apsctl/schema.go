package main

import (
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
)

func newSchemaCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of plan files, for editors",
		Long: `schema prints the JSON Schema of plan files. With it, editors complete and explain
keys and mark mistakes while they are made. Plans that init wrote name the
schema's address in their first line already. Where editors have no network, or
to keep to this very version, keep a copy beside the plan and name that:

  # yaml-language-server: $schema=apsctl.schema.json

validate finds more than a schema can.`,
		Example: "  apsctl schema > apsctl.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(plan.Schema)
			return err
		},
	}
}
