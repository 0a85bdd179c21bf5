package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type doctorCommand struct {
	app     *app
	files   planFiles
	target  target
	output  outputFormat
	regions []string
	secrets bool
	policy  string
	account string
	rate    float64
	probe   probeFlags

	commands   plan.Commands
	interrupts *interrupts

	// What was found on the way; nil and empty where it was not.
	diagnosis diagnosis
	plan      *plan.Plan
	entries   []plan.Entry
	meta      store.Meta
}

func newDoctorCommand(a *app) *cobra.Command {
	c := &doctorCommand{app: a, interrupts: newInterrupts(a.stderr)}
	cmd := &cobra.Command{
		Use:   "doctor [FILE...]",
		Short: "Look for what keeps apsctl from working, and print the RAM policy it needs",
		Long: `doctor looks at the plan, the ledger, the disk, the access key and, in each region
of plan and ledger, at the service: address, permissions, clock, quotas,
duplicates. It says of each whether it is well, what it means and what to do. It
changes nothing and makes no ledger; the service gets reads only. What only a
change would show, such as the permission to create, it cannot tell.

With --policy it prints the least policy that the plan needs, ready to paste into
RAM, and looks at nothing else.

With --probe it measures on a real account what the documentation leaves open: up
to three throw-away jobs, each written down before it is created, that are deleted
again whatever happens. If it is killed, --probe --clean deletes them.

` + planUsage + `
Where that is missing, too, doctor looks at what needs no plan.

It exits with 0 when there is no trouble, else with 13 (ledger), 12 (credentials or
permission), 10 (plan) or 1, the first of these that fits.`,
		Example: "  apsctl doctor migration.yaml\n  apsctl doctor --region cn-hangzhou -o json\n  apsctl doctor --policy migration.yaml > policy.json\n  apsctl doctor --policy=read migration.yaml\n  apsctl doctor --probe --region cn-hangzhou --source pc-bp1test --destination amv-bp1test --out measured.md",
		RunE:    c.run,
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	c.output.addFlag(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&c.regions, "region", nil, "look at this `region` as well; may be given again")
	flags.BoolVar(&c.secrets, "secrets", false, "also read every password that the plan refers to, and forget it; runs its commands and asks KMS")
	flags.StringVar(&c.policy, "policy", "", "print the RAM policy for the plan, in a `variant`: apply, or read for plan, drift, status and wait only")
	flags.Lookup("policy").NoOptDefVal = policyApply
	flags.StringVar(&c.account, "account", "", "account `id` in the policy (default that of the ledger, else *)")
	flags.Float64Var(&c.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	c.probe.addFlags(flags)
	return cmd
}

func (c *doctorCommand) run(cmd *cobra.Command, args []string) error {
	if c.probe.on {
		return c.runProbe(cmd, args)
	}
	for _, name := range probeFlagNames {
		if cmd.Flags().Changed(name) {
			return usagef(cmd, "--%s goes with --probe", name)
		}
	}
	if cmd.Flags().Changed("policy") {
		return c.printPolicy(cmd, args)
	}
	if c.account != "" {
		return usagef(cmd, "--account goes with --policy")
	}
	ctx := cmd.Context()
	c.diagnosis.clean = c.app.redactor.Clean
	c.commands = commandsOf(cmd)
	c.checkPlan(cmd, args)
	c.checkLedger(ctx)
	c.checkDisk()
	c.checkService(ctx)
	if c.output.json() {
		if err := writeJSON(c.app.stdout, c.diagnosis.json()); err != nil {
			return err
		}
	} else if err := c.diagnosis.write(c.app.stdout); err != nil {
		return err
	}
	if code := c.diagnosis.exitCode(); code != exitDone {
		return exitWith(code)
	}
	return nil
}

func (c *doctorCommand) checkPlan(cmd *cobra.Command, args []string) {
	const check = "plan"
	if len(args) == 0 {
		if _, err := os.Stat(planDefault); errors.Is(err, fs.ErrNotExist) {
			c.diagnosis.skip(check, "no FILE was given and there is no %s: only what needs no plan is looked at", planDefault)
			return
		}
	}
	wanted, err := c.files.load(c.app, cmd, args)
	var problems plan.Problems
	switch {
	case errors.As(err, &problems):
		c.diagnosis.trouble(check, codePlan, "%s, the first at %s: %s", plan.Count(len(problems), "mistake"), problems[0].Pos, problems[0].Message)
	case err != nil:
		c.diagnosis.failed(check, err)
	case wanted.Warned > 0:
		c.plan = wanted
		c.diagnosis.warn(check, "apsctl validate shows them", "plan %s, %s, with %s",
			wanted.Name, plan.Count(len(wanted.Jobs), "job"), plan.Count(wanted.Warned, "warning"))
	default:
		c.plan = wanted
		c.diagnosis.ok(check, "plan %s, %s", wanted.Name, plan.Count(len(wanted.Jobs), "job"))
	}
}

// regionsMeant are those of the plan, of the ledger and of the flag, sorted.
func (c *doctorCommand) regionsMeant() []string {
	regions := map[string]bool{}
	for _, region := range c.regions {
		regions[region] = true
	}
	if c.plan != nil {
		for _, job := range c.plan.Jobs {
			regions[job.Region] = true
		}
	}
	for _, entry := range c.entries {
		regions[entry.Region] = true
	}
	return slices.Sorted(maps.Keys(regions))
}

// checkSecrets reads each password once.
func (c *doctorCommand) checkSecrets(ctx context.Context, service *service) {
	const check = "passwords"
	if c.plan == nil {
		return
	}
	all := secretsOf(c.plan)
	switch {
	case len(all) == 0:
		c.diagnosis.ok(check, "the plan refers to none")
		return
	case !c.secrets:
		c.diagnosis.skip(check, "the plan refers to %s; --secrets reads each once", plan.Count(len(all), "password"))
		return
	}
	reader := secret.Reader{Redactor: c.app.redactor}
	if service != nil {
		reader.KMS = service.SecretValue
	}
	read := 0
	for _, s := range all {
		if _, err := reader.Read(ctx, s.ref); err != nil {
			c.diagnosis.trouble(check, codeSecret, "job %q: %s", s.job.Name, err)
			continue
		}
		read++
	}
	if read > 0 {
		c.diagnosis.ok(check, "%s can be read", plan.Count(read, "password"))
	}
}

// printPolicy needs the plan only, and looks into a ledger for the account.
func (c *doctorCommand) printPolicy(cmd *cobra.Command, args []string) error {
	if c.policy != policyApply && c.policy != policyRead {
		return usagef(cmd, "--policy is apply or read, written with =, not %q", c.policy)
	}
	wanted, err := c.files.load(c.app, cmd, args)
	if err != nil {
		return err
	}
	account, left := c.onRecord(cmd.Context(), wanted)
	policy := newPolicy(wanted, left, account, c.policy)
	for _, note := range policy.notes(account) {
		fmt.Fprintln(c.app.stderr, note)
	}
	return writeJSON(c.app.stdout, policy)
}

// onRecord are the account, of the flag, else of the ledger, else "*", and the
// jobs that the ledger has of the plan and the plan no longer wants. Without a
// ledger there are none.
func (c *doctorCommand) onRecord(ctx context.Context, wanted *plan.Plan) (account string, left []plan.Entry) {
	account = cmp.Or(c.account, "*")
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return account, nil
	}
	defer ledger.Close()
	if meta, err := ledger.Meta(ctx); err == nil {
		account = cmp.Or(c.account, meta.Account, "*")
	}
	entries, err := ledger.Entries(ctx, store.Filter{Plan: wanted.Name})
	if err != nil {
		return account, nil
	}
	names := map[string]bool{}
	for _, job := range wanted.Jobs {
		names[job.Name] = true
	}
	return account, slices.DeleteFunc(entries, func(e plan.Entry) bool { return names[e.Name] })
}
