package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/probe"
	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

const (
	probeWaitDefault = 2 * time.Minute
	// probeCleaning bounds the deletions, which nothing but a second signal ends.
	probeCleaning = 10 * time.Minute
)

// probeFlags are those of doctor --probe.
type probeFlags struct {
	on, clean, yes                      bool
	source, destination                 string
	sourceUser, destinationUser         string
	sourcePassword, destinationPassword string // names of variables
	dbList                              string
	wait                                time.Duration
	out                                 string
	settle                              settings // of which only settle is used
}

// probeFlagNames are those that mean nothing without --probe.
var probeFlagNames = []string{
	"clean", "yes", "source", "destination", "source-user", "source-password-env", "destination-user",
	"destination-password-env", "db-list", "wait", "out", "settle", "allow-short-settle",
}

func (p *probeFlags) addFlags(flags *pflag.FlagSet) {
	flags.BoolVar(&p.on, "probe", false, "measure on a real account what the documentation leaves open, with throw-away jobs; costs what jobs cost")
	flags.BoolVar(&p.clean, "clean", false, "with --probe: only delete what an earlier probe left")
	flags.BoolVarP(&p.yes, "yes", "y", false, "with --probe: do not ask; required where there is no terminal")
	flags.StringVar(&p.source, "source", "", "with --probe: PolarDB `instance` to read from")
	flags.StringVar(&p.destination, "destination", "", "with --probe: AnalyticDB `instance` to write to")
	flags.StringVar(&p.sourceUser, "source-user", "", "with --probe: user `name` at the source")
	flags.StringVar(&p.sourcePassword, "source-password-env", "", "with --probe: `variable` that has the source's password")
	flags.StringVar(&p.destinationUser, "destination-user", "", "with --probe: user `name` at the destination")
	flags.StringVar(&p.destinationPassword, "destination-password-env", "", "with --probe: `variable` that has the destination's password")
	flags.StringVar(&p.dbList, "db-list", `{"EntireInstance":true}`, "with --probe: what the throw-away jobs synchronise, as `JSON`; little is better")
	flags.DurationVar(&p.wait, "wait", probeWaitDefault, "with --probe: longest wait for one thing, such as a job to be listed or to run")
	flags.StringVar(&p.out, "out", "", "with --probe: also write the table to this new Markdown `file`")
	flags.DurationVar(&p.settle.settle, "settle", runner.SettleDefault, "with --probe: how long a create without an answer may still take effect")
	p.settle.addShortSettle(flags)
}

// probeJournal is the name of the file in which a probe notes its jobs.
const probeJournal = "probe.ndjson"

// journalPath is beside the ledger, so that the emulator has one of its own.
func (c *doctorCommand) journalPath() string {
	return filepath.Join(filepath.Dir(c.target.ledgerPath()), probeJournal)
}

func (c *doctorCommand) checkProbe(cmd *cobra.Command, args []string) error {
	p := &c.probe
	switch {
	case len(args) > 0 || c.secrets || cmd.Flags().Changed("policy"):
		return usagef(cmd, "--probe reads no plan: leave FILE, --secrets and --policy out")
	case p.wait <= 0 || p.settle.settle <= 0:
		return usagef(cmd, "--wait and --settle are more than nothing")
	case p.clean:
		return nil
	case len(c.regions) != 1 || p.source == "" || p.destination == "":
		return usagef(cmd, "--probe needs one --region, --source and --destination")
	case p.yes:
		return nil
	}
	return c.app.checkAsking(cmd, c.output)
}

func (c *doctorCommand) runProbe(cmd *cobra.Command, args []string) error {
	if err := c.checkProbe(cmd, args); err != nil {
		return err
	}
	if p := c.probe.out; p != "" {
		if _, err := os.Lstat(p); err == nil {
			return planFileError(p, fs.ErrExist) // before anything costs money
		}
	}
	ctx, stop := c.interrupts.listen(cmd.Context())
	defer stop()
	lock, err := store.AcquireLock(c.journalPath(), newHolder("doctor --probe"))
	if err != nil {
		return err
	}
	defer lock.Release()
	service, err := c.app.openService(c.target, c.rate)
	if err != nil {
		return err
	}
	defer service.close()
	if err := c.probe.settle.checkSettle(service.Service()); err != nil {
		return err
	}
	identity, err := service.CallerIdentity(ctx)
	if err != nil {
		return err
	}
	owner := probe.Owner{Account: identity.AccountID, Service: service.Service()}
	if c.probe.clean {
		return c.cleanProbe(ctx, cmd, service, owner)
	}
	owner.Region = c.regions[0]
	return c.measure(ctx, cmd, service, owner)
}

// measure asks, measures, and prints.
func (c *doctorCommand) measure(ctx context.Context, cmd *cobra.Command, service *service, owner probe.Owner) error {
	options, err := c.probeOptions(cmd)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(c.journalPath()); err == nil {
		return coded(codeProbeLeft, fmt.Errorf("an earlier probe may have left jobs; this deletes them: %s", c.cleanLine(cmd)))
	}
	fmt.Fprintf(c.app.stderr, probeWarning, probe.CreatesMax, probe.NamePrefix,
		printable.Line(c.probe.source), printable.Line(c.probe.destination), printable.Line(owner.Region), owner.Service, printable.Line(c.probe.dbList))
	if !c.probe.yes {
		if err := c.app.confirm(c.interrupts.draining); err != nil {
			return err
		}
	}
	journal, err := probe.CreateJournal(c.journalPath(), owner)
	if err != nil {
		return coded(codeProbeJournal, err)
	}
	reading, cancel := c.interrupts.untilDrain(ctx)
	defer cancel()
	cleaning, done := context.WithTimeout(ctx, probeCleaning)
	defer done()
	report, failed := probe.New(service, journal, options).Run(reading, cleaning)
	closed := journal.Close()
	if err := c.printProbe(report, owner); err != nil {
		return err
	}
	switch {
	case len(report.Left) > 0:
		if failed != nil && !errors.Is(failed, context.Canceled) {
			c.app.warn(failed.Error())
		}
		return c.left(cmd, report.Left)
	case errors.Is(failed, context.Canceled):
		c.app.warn("interrupted; what was made is deleted again")
		return exitWith(exitInterrupted)
	case failed != nil:
		return failed
	case closed != nil:
		return coded(codeProbeJournal, closed)
	}
	return nil
}

const probeWarning = `This creates up to %d throw-away jobs, named %s…, that synchronise from
%s to %s in %s at %s, and deletes them again.
They cost and load the source and destination like any job; each synchronises
%s.
`

func (c *doctorCommand) probeOptions(cmd *cobra.Command) (probe.Options, error) {
	p := c.probe
	objects, err := plan.CanonicalJSON(p.dbList)
	if err != nil {
		return probe.Options{}, usagef(cmd, "--db-list: %w", err)
	}
	o := probe.Options{
		Job: plan.Spec{
			Source: plan.SourceEndpoint{Instance: p.source, User: p.sourceUser}, DBList: objects, PartitionList: "{}",
			Destination: plan.DestinationEndpoint{Instance: p.destination, User: p.destinationUser}, TargetTableMode: "0",
		},
		Wait: p.wait, Settle: p.settle.settle,
		Note: func(text string) { c.app.warn("measuring: " + text) },
	}
	reader := secret.Reader{Redactor: c.app.redactor}
	for name, value := range map[string]*secret.Value{p.sourcePassword: &o.SourcePassword, p.destinationPassword: &o.DestinationPassword} {
		if name == "" {
			continue
		}
		if *value, err = reader.Read(cmd.Context(), secret.Ref{Env: name}); err != nil {
			return o, coded(codeSecret, err)
		}
	}
	return o, nil
}

// cleanProbe deletes what an earlier probe left.
func (c *doctorCommand) cleanProbe(ctx context.Context, cmd *cobra.Command, service *service, owner probe.Owner) error {
	journal, err := probe.OpenJournal(c.journalPath())
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(c.app.stderr, "apsctl: no probe left anything")
		return c.printCleaned(nil, nil)
	}
	if err != nil {
		return coded(codeProbeJournal, err)
	}
	if journal.Owner.Account != owner.Account || journal.Owner.Service != owner.Service {
		return errors.Join(coded(codeProbeForeign, fmt.Errorf("%s is of a probe of another account or service (%s); nothing was deleted",
			c.journalPath(), journal.Owner.Service)))
	}
	open := journal.Open()
	left := probe.New(service, journal, probe.Options{
		Wait: c.probe.wait, Settle: c.probe.settle.settle, Note: func(text string) { c.app.warn(text) },
	}).Clean(ctx)
	closed := journal.Close()
	if err := c.printCleaned(open, left); err != nil {
		return err
	}
	switch {
	case len(left) > 0:
		return c.left(cmd, left)
	case closed != nil:
		return coded(codeProbeJournal, closed)
	}
	return nil
}

type cleanedJSON struct {
	Looked int          `json:"looked_for"`
	Left   []probe.Left `json:"left"`
}

func (c *doctorCommand) printCleaned(open []probe.Try, left []probe.Left) error {
	if c.output.json() {
		return writeJSON(c.app.stdout, cleanedJSON{len(open), slices.Concat([]probe.Left{}, left)})
	}
	_, err := fmt.Fprintf(c.app.stdout, "%s looked for, %d left.\n", plan.Count(len(open), "throw-away job"), len(left))
	return err
}

// left names what is left and the command that deletes it.
func (c *doctorCommand) left(cmd *cobra.Command, left []probe.Left) error {
	for _, l := range left {
		id := l.ID
		if id == "" {
			id = "no id known"
		}
		text := fmt.Sprintf("left: %s (%s): %s", l.Name, id, l.Why)
		if !l.Until.IsZero() {
			text += "; it may still appear until " + l.Until.Local().Format("15:04:05 MST")
		}
		c.app.warn(text)
	}
	return coded(codeProbeLeft, fmt.Errorf("%s may be left; this deletes them: %s", plan.Count(len(left), "throw-away job"), c.cleanLine(cmd)))
}

// cleanLine is the command that deletes what is left, with this one's flags.
func (c *doctorCommand) cleanLine(cmd *cobra.Command) string {
	return "apsctl doctor --probe --clean" + givenFlags(cmd, serviceFlags)
}

func (c *doctorCommand) printProbe(report probe.Report, owner probe.Owner) error {
	page := c.app.redactor.Clean(probePage(report, owner))
	if c.probe.out != "" {
		if err := createDurably(c.probe.out, []byte(page)); err != nil {
			c.app.warn(fmt.Sprintf("%s could not be written, here is the table: %s", c.probe.out, err))
			c.probe.out = ""
		}
	}
	switch {
	case c.output.json():
		return writeJSON(c.app.stdout, probeJSON{report, owner.Region, owner.Service})
	case c.probe.out != "":
		_, err := fmt.Fprintf(c.app.stdout, "The table is in %s.\n", printable.Line(c.probe.out))
		return err
	}
	_, err := io.WriteString(c.app.stdout, page)
	return err
}

type probeJSON struct {
	probe.Report
	Region  string `json:"region"`
	Service string `json:"service"`
}

// probePage is the report as a page of Markdown.
func probePage(r probe.Report, owner probe.Owner) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the service does\n\nMeasured on %s in %s at %s with %s.\n\n| question | answer | how it was seen |\n| - | - | - |\n",
		r.MeasuredAt.UTC().Format("2006-01-02 15:04 MST"), printable.Markdown(owner.Region), printable.Markdown(owner.Service), plan.Count(r.Creates, "create request"))
	for _, a := range r.Answers {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", a.Words, printable.Markdown(a.Answer), printable.Markdown(a.Evidence))
	}
	return b.String()
}
