package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/human"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/internal/report"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

type reportCommand struct {
	app     *app
	target  target
	form    reportForm
	html    string // FILE, short for -o html --out FILE
	out     string
	refresh bool
	full    bool
	rate    float64
	settle  time.Duration
	since   age
}

// reportForm is the value of -o of report.
type reportForm struct{ name string }

var reportForms = []string{"markdown", "html", "csv", "json"}

func (f *reportForm) String() string { return f.name }
func (f *reportForm) Type() string   { return "form" }
func (f *reportForm) Set(name string) error {
	if !slices.Contains(reportForms, name) {
		return fmt.Errorf("want %s, not %q", strings.Join(reportForms, ", "), name)
	}
	f.name = name
	return nil
}

func newReportCommand(a *app) *cobra.Command {
	c := &reportCommand{app: a, form: reportForm{"markdown"}}
	cmd := &cobra.Command{
		Use:   "report [PLAN...]",
		Short: "Report on a migration: one page, or Markdown, CSV or JSON",
		Long: `report says what the migration is and how far it is: jobs by how they stand and by
source, the creates over time with what was throttled, failures with the service's
words and what to do, unknown outcomes and when they settle, and every job. PLAN is
a plan's name in the ledger, not its file; without any it is about all.

--html FILE writes one page that needs no network and can be read without its
script. A file is replaced whole or not at all, is readable by its owner only, and
no link is followed. With --refresh status, progress and delay come from one
complete listing of each region; otherwise everything is from the ledger, and the
report says which. It changes nothing and can run beside an apply.`,
		Example:           "  apsctl report --html migration.html --refresh\n  apsctl report orders-migration >> \"$GITHUB_STEP_SUMMARY\"\n  apsctl report -o csv --out jobs.csv",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              c.run,
	}
	c.target.addLedgerFlags(cmd)
	c.target.addServiceFlags(cmd)
	flags := cmd.Flags()
	flags.StringVar(&c.html, "html", "", "write the page to `FILE`: short for -o html --out FILE")
	flags.VarP(&c.form, "output", "o", "`form` of the report: markdown, html, csv or json")
	flags.StringVar(&c.out, "out", "", "write to `FILE` rather than to stdout")
	flags.BoolVar(&c.refresh, "refresh", false, "ask the service for status, progress and delay")
	flags.BoolVar(&c.full, "full", false, "list every job in Markdown too; the other forms always do")
	flags.Float64Var(&c.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&c.settle, "settle", runner.SettleDefault, "the settle time that apply works with, to tell when unknown outcomes settle")
	flags.Var(&c.since, "since", "leave creates that are older than this `age` out of the timeline: 30d, 12h")
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(reportForms, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

func (c *reportCommand) run(cmd *cobra.Command, plans []string) error {
	if cmd.Flags().Changed("html") {
		if c.out != "" || cmd.Flags().Changed("output") {
			return usagef(cmd, "--html FILE is short for -o html --out FILE: give one of them")
		}
		if c.html == "" {
			return usagef(cmd, "--html needs the name of a file")
		}
		c.form.name, c.out = "html", c.html
	}
	r, err := c.collect(cmd, plans)
	if err != nil {
		return err
	}
	if c.out == "" || c.out == "-" {
		w := bufio.NewWriter(c.app.stdout)
		if err := c.write(w, r); err != nil {
			return err
		}
		return w.Flush()
	}
	err = writeReportFile(c.out, inUse{ledger: c.target.ledgerPath()}, func(file *os.File) error {
		w := bufio.NewWriter(file)
		if err := c.write(w, r); err != nil {
			return err
		}
		return w.Flush()
	})
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(c.app.stderr, "%s is written: %s of %s on the service.\n", printable.Line(c.out), human.Number(r.Exist()), human.Jobs(r.Total))
	return nil
}

// collect reads the ledger, and the service if it is to be asked.
func (c *reportCommand) collect(cmd *cobra.Command, plans []string) (report.Report, error) {
	ctx := cmd.Context()
	ledger, err := store.OpenReadOnly(ctx, c.target.ledgerPath())
	if err != nil {
		return report.Report{}, err
	}
	defer ledger.Close()
	for _, name := range plans {
		if err := checkPlan(ctx, ledger, name); err != nil {
			return report.Report{}, err
		}
	}
	meta, err := ledger.Meta(ctx)
	if err != nil {
		return report.Report{}, err
	}
	f := report.Facts{
		Now: time.Now(), Version: version(), Ledger: newLedgerJSON(ledger.Path(), meta),
		Plans: plans, Settle: c.settle, Advice: reportAdvice(),
	}
	jobs, err := c.read(ctx, ledger, &f)
	if err != nil {
		return report.Report{}, err
	}
	if c.refresh && len(jobs) > 0 {
		if f.Asked, err = c.ask(ctx, ledger, jobs); err != nil {
			return report.Report{}, err
		}
	}
	f.Jobs = reportJobs(jobs, ledgerResolveLine(cmd))
	return report.Build(f), nil
}

// ask adds to jobs what the service says, as status does, and returns what was
// listed when.
func (c *reportCommand) ask(ctx context.Context, ledger *store.Ledger, jobs []jobStatus) ([]report.Region, error) {
	status := statusCommand{app: c.app, target: c.target, rate: c.rate}
	regions := &listedRegions{open: func(ctx context.Context) (*service, error) { return status.openService(ctx, ledger) }}
	defer regions.close()
	if err := status.ask(ctx, regions, jobs); err != nil {
		return nil, err
	}
	var asked []report.Region
	for _, region := range slices.Sorted(maps.Keys(regions.listings)) {
		listing := regions.listings[region]
		at := listing.ServerEnd
		if at.IsZero() {
			at = time.Now()
		}
		asked = append(asked, report.Region{Region: region, At: at.UTC(), Jobs: len(listing.Jobs)})
	}
	return asked, nil
}

// read takes the jobs, attempts and runs of the chosen plans from the ledger.
func (c *reportCommand) read(ctx context.Context, ledger *store.Ledger, f *report.Facts) ([]jobStatus, error) {
	chosen := func(planName string) bool { return len(f.Plans) == 0 || slices.Contains(f.Plans, planName) }
	entries, err := ledger.Entries(ctx, store.Filter{})
	if err != nil {
		return nil, err
	}
	var jobs []jobStatus
	for _, e := range entries {
		if chosen(e.Plan) {
			jobs = append(jobs, jobStatus{Entry: e})
		}
	}
	attempts, err := ledger.AllAttempts(ctx)
	if err != nil {
		return nil, err
	}
	oldest := time.Time{}
	if c.since.text != "" {
		oldest = f.Now.Add(-c.since.Duration)
	}
	for _, a := range attempts {
		if chosen(a.Plan) && !a.UpdatedAt.Before(oldest) {
			f.Attempts = append(f.Attempts, report.Attempt{At: a.UpdatedAt, Outcome: a.Outcome, Failure: aps.FailureOfCode(a.Code)})
		}
	}
	runs, err := readRuns(ctx, ledger, c.target.ledgerPath(), "")
	if err != nil {
		return nil, err
	}
	for _, r := range runs {
		if chosen(r.Plan) {
			f.Runs = append(f.Runs, newReportRun(r))
		}
	}
	return jobs, nil
}

func newReportRun(r pastRun) report.Run {
	run := report.Run{Run: newRunJSON(r)}
	if run.ExitCode != nil {
		run.Ended = exitWords(*run.ExitCode)
	}
	return run
}

func reportJobs(jobs []jobStatus, resolve resolveLine) []report.Job {
	all := make([]report.Job, len(jobs))
	for i, j := range jobs {
		all[i] = report.Job{
			Entry: j.Entry, Asked: j.asked, Remote: j.remote, Duplicates: j.others, Logs: j.logs,
			Failure: aps.FailureOfCode(j.Code), WayOut: wayOut(j.Entry, resolve),
		}
	}
	return all
}

// reportAdvice is what explain says of the errors that jobs in a report have.
func reportAdvice() report.Advice {
	next := func(code errorCode) string {
		entry, _ := entryOf(code)
		return strings.TrimSuffix(strings.ReplaceAll(entry.Next, "`", ""), " Nothing more was created.")
	}
	a := report.Advice{
		Unhealthy: next(codeJobUnhealthy), NotTried: next(codeJobNotTried), Person: next(codeJobPerson), NotSent: next(codeTemporary),
		Refused: map[plan.Failure]string{}, Codes: map[string]string{},
	}
	for _, failure := range []plan.Failure{
		plan.FailureThrottled, plan.FailureTemporary, plan.FailureCredentials, plan.FailurePermission, plan.FailureConfig,
	} {
		a.Refused[failure] = next(callCode(failure))
	}
	for _, entry := range errorTable {
		a.Codes[string(entry.Code)] = next(entry.Code)
	}
	return a
}

func (c *reportCommand) write(w io.Writer, r report.Report) error {
	switch c.form.name {
	case "html":
		return report.WriteHTML(w, r)
	case "csv":
		return report.WriteCSV(w, r)
	case "json":
		return writeJSON(w, r)
	}
	return report.WriteMarkdown(w, r, c.full)
}
