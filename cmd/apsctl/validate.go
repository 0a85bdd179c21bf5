package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

type validateCommand struct {
	app     *app
	files   planFiles
	output  outputFormat
	secrets bool
}

func newValidateCommand(a *app) *cobra.Command {
	c := &validateCommand{app: a}
	cmd := &cobra.Command{
		Use:   "validate [FILE...]",
		Short: "Check a plan, offline",
		Long: `validate reads a plan and reports every mistake at once, each with its line and
column. It reads no ledger, asks no service and, unless --secrets is given, reads
no password.

` + planUsage,
		Example: `  apsctl validate migration.yaml
  generate-plan | apsctl validate -
  apsctl validate -o json plans/ | jq -r '.problems[] | "\(.file):\(.line): \(.message)"'

  # annotations on GitHub
  apsctl validate -o json plans/ | jq -r '.problems[] |
    "::\(.severity) file=\(.file),line=\(.line),col=\(.column)::\(.message | gsub("%"; "%25"))"'

  # a code quality report on GitLab
  apsctl validate -o json plans/ | jq '[.problems[] | {
    description: .message, check_name: "apsctl", fingerprint: "\(.file):\(.line):\(.column):\(.message)",
    severity: (if .severity == "error" then "blocker" else "minor" end),
    location: {path: .file, lines: {begin: .line}}}]' > gl-code-quality-report.json`,
		RunE: c.run,
	}
	c.files.addFlags(cmd)
	c.output.addFlag(cmd)
	cmd.Flags().BoolVar(&c.secrets, "secrets", false, "also read every password that the plan refers to, and forget it; runs its commands")
	return cmd
}

func (c *validateCommand) run(cmd *cobra.Command, args []string) error {
	c.files.everyWarning, c.files.manyWarnings = c.output.json(), !c.output.json()
	wanted, err := c.files.load(c.app, cmd, args)
	if err == nil && c.secrets {
		err = c.readSecrets(cmd, wanted)
	}
	var problems plan.Problems
	switch {
	case c.output.json() && errors.As(err, &problems):
		if err := writeJSON(c.app.stdout, newProblemsJSON(problems)); err != nil {
			return err
		}
		return exitWith(exitInvalid)
	case err != nil:
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, newValidJSON(wanted))
	}
	_, err = fmt.Fprintf(c.app.stdout, "%s is valid: plan %s, %s.\n",
		printable.Line(wanted.File), printable.Line(wanted.Name), plan.Count(len(wanted.Jobs), "job"))
	return err
}

// readSecrets reads every secret once, and reports all that cannot be read.
func (c *validateCommand) readSecrets(cmd *cobra.Command, wanted *plan.Plan) error {
	reader := secret.Reader{Redactor: c.app.redactor}
	inKMS := 0
	var failed plan.Problems
	for _, s := range secretsOf(wanted) {
		if s.ref.KMS != nil {
			inKMS++
			continue
		}
		if _, err := reader.Read(cmd.Context(), s.ref); err != nil {
			failed = append(failed, plan.Problem{Pos: s.job.Pos, Message: printable.Line(fmt.Sprintf("job %q, %s: %s", s.job.Name, s.key, err))})
		}
	}
	if inKMS > 0 {
		fmt.Fprintf(c.app.stderr, "%s kept by KMS: not read, since validate asks no service.\n", plan.Count(inKMS, "password"))
	}
	if len(failed) > 0 {
		return failed
	}
	return nil
}

// jobSecret is a reference to a password, and the first job that has it.
type jobSecret struct {
	job *plan.Job
	key string // source.password or destination.password
	ref secret.Ref
}

// secretsOf are the references of a plan, each once: jobs share most of them.
func secretsOf(wanted *plan.Plan) []jobSecret {
	var all []jobSecret
	seen := map[string]bool{}
	for i := range wanted.Jobs {
		job := &wanted.Jobs[i]
		for end, ref := range []*secret.Ref{job.SourcePassword, job.DestinationPassword} {
			if ref == nil {
				continue
			}
			one := ref.InRegion(job.Region)
			key := fmt.Sprintf("%q", []any{one.Env, one.File, one.Command, one.Dir})
			if one.KMS != nil {
				key = fmt.Sprintf("%q", *one.KMS)
			}
			if !seen[key] {
				seen[key] = true
				all = append(all, jobSecret{job, [...]string{"source.password", "destination.password"}[end], one})
			}
		}
	}
	return all
}
