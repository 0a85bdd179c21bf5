package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

const (
	driftShown  = 20 // lines of drift, and of notes, unless everything is asked for
	driftSample = "5%"
)

type driftCommand struct {
	app    *app
	files  planFiles
	target target
	output outputFormat
	chosen selection
	looker looker
	sample *plan.Limit
	full   bool
}

func newDriftCommand(a *app) *cobra.Command {
	c := &driftCommand{app: a}
	c.looker = looker{app: a, target: &c.target, quiet: true, needsLedger: true}
	cmd := &cobra.Command{
		Use:   "drift [FILE...]",
		Short: "Tell what was changed outside apsctl; for cron",
		Long: `drift holds the service against plan and ledger and tells which jobs are not as
they were left: missing, there twice, failed, changed outside apsctl, or running
or suspended otherwise than the plan says or they were last put to. It exits with
2 when there are some, and with 0 when there are none. What the plan wants and no
apply has done yet is no drift. It changes nothing at the service, takes no lock,
and can run beside an apply: a job that moves meanwhile is not judged.

One complete listing of each region tells existence and status of every job.
Whether objects were changed takes a call a job, so a run reads the details of
--sample jobs, those first that were compared longest ago, and of at most as many
again that differed when they were last read. With 5%, 20 runs come by every job;
with --sample N, as many runs as the ledger has jobs, divided by N. The ledger
remembers when each job was compared, and what differed counts until it is read
again. --sample 100% reads all at once.

` + planUsage + "\n\n" + selectorUsage,
		Example: "  apsctl drift --emulator examples/quickstart.yaml\n  apsctl drift -o json migration.yaml | jq '.drift[] | .name + \": \" + .text'",
		RunE:    c.run,
	}
	c.files.addFlags(cmd)
	c.target.addLedgerFlags(cmd)
	c.output.addFlag(cmd)
	c.chosen.addFlags(cmd)
	c.looker.addFlags(cmd)
	cmd.Flags().Var(limitFlag{&c.sample}, "sample", "read the details of so many jobs in one run, a number or a share (default "+driftSample+")")
	cmd.Flags().BoolVar(&c.full, "full", false, "list everything, however much")
	return cmd
}

func (c *driftCommand) run(cmd *cobra.Command, args []string) error {
	choice, err := c.chosen.choice(cmd)
	if err != nil {
		return err
	}
	wanted, err := c.files.load(c.app, cmd, args)
	if err != nil {
		return err
	}
	if c.sample == nil {
		share, _ := plan.ParseLimit(driftSample) // it is one
		c.sample = &share
	}
	refresh := plan.DriftSample(*c.sample)
	run, changes, err := c.looker.look(cmd, wanted, runner.Options{Refresh: refresh, Choice: choice})
	if err != nil {
		return err
	}
	found := plan.FindDrift(changes, run.Listings(), run.Owners())
	report := driftReport{plan: wanted, Drifts: found, runs: refresh.Runs(found.Jobs), untold: run.Untold()}
	if c.output.json() {
		err = writeJSON(c.app.stdout, newDriftJSON(report))
	} else {
		err = writeDrift(c.app.stdout, report, c.full)
	}
	if err == nil && len(found.Drifts) > 0 {
		return exitWith(exitChanges)
	}
	return err
}

// driftReport is what one look for drift came to.
type driftReport struct {
	plan *plan.Plan
	plan.Drifts
	runs   int // in which every job is come by
	untold []string
}

func writeDrift(w io.Writer, r driftReport, full bool) error {
	var b strings.Builder
	name := printable.Line(r.plan.Name)
	if len(r.Drifts.Drifts) == 0 {
		fmt.Fprintf(&b, "No drift in plan %s: %s", name, plan.Count(r.Jobs, "job"))
	} else {
		fmt.Fprintf(&b, "Drift in plan %s:\n\n", name)
		writeDrifts(&b, r.Drifts.Drifts, full)
		fmt.Fprintf(&b, "\n%s", plan.Count(r.Jobs, "job"))
	}
	fmt.Fprintf(&b, ", %d compared in detail%s.\n", r.Compared, r.rotation())
	if len(r.Notes) > 0 {
		b.WriteString("\nTo note, and no drift:\n\n")
		writeDrifts(&b, r.Notes, full)
	}
	for _, line := range []struct {
		n    int
		text string
	}{
		{len(r.untold), "that the service lists and tells no details of"},
		{r.Busy, "not judged, since a create or change is under way or has no answer yet"},
	} {
		if line.n > 0 {
			fmt.Fprintf(&b, "%s %s.\n", plan.Count(line.n, "job"), line.text)
		}
	}
	if r.Waiting > 0 {
		fmt.Fprintf(&b, "%s that no apply has made yet; plan lists them.\n", plan.Count(r.Waiting, "planned change"))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// rotation says how long it takes to come by every job.
func (r driftReport) rotation() string {
	switch {
	case r.runs > 1:
		return fmt.Sprintf(" (each in %d runs)", r.runs)
	case r.runs == 1 || r.Jobs == 0:
		return ""
	}
	return " (--sample says of how many)"
}

func writeDrifts(b *strings.Builder, drifts []plan.Drift, full bool) {
	shown := drifts
	if !full {
		shown = drifts[:min(len(drifts), driftShown)]
	}
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	for _, d := range shown {
		text := d.Text
		if !d.SeenAt.IsZero() {
			text += " at " + d.SeenAt.Local().Format(time.DateTime)
		}
		t.AppendRow(table.Row{"  " + string(d.Kind), printable.Line(d.Name), printable.Line(d.JobID), printable.Clip(text, 200)})
	}
	fmt.Fprintf(b, "%s\n", t.Render())
	if more := len(drifts) - len(shown); more > 0 {
		fmt.Fprintf(b, "  … and %d more; --full lists all\n", more)
	}
}

type driftJSON struct {
	Plan  string         `json:"plan"`
	File  string         `json:"file"`
	Drift []oneDriftJSON `json:"drift"`
	Notes []oneDriftJSON `json:"notes"`
	// Jobs are those that the ledger has as created, Compared those whose details were
	// read, and Runs in how many runs each is come by; 0 means never.
	Jobs     int `json:"jobs"`
	Compared int `json:"compared"`
	Runs     int `json:"runs"`
	// Untold are ids of listed jobs whose details the service did not tell, Busy jobs
	// of which a create or change is under way, and Waiting changes of the plan that no
	// apply has made yet.
	Untold  []string `json:"untold"`
	Busy    int      `json:"busy"`
	Waiting int      `json:"waiting"`
}

type oneDriftJSON struct {
	Kind   plan.DriftKind `json:"kind"`
	Name   string         `json:"name"`
	Region string         `json:"region"`
	JobID  string         `json:"aps_job_id"`
	Status string         `json:"status"`
	Text   string         `json:"text"`
	Fields []fieldJSON    `json:"fields,omitempty"`
	SeenAt *time.Time     `json:"seen_at,omitempty"` // for what was not looked at again
}

func newDriftJSON(r driftReport) driftJSON {
	return driftJSON{
		Plan: r.plan.Name, File: r.plan.File, Drift: driftsJSON(r.Drifts.Drifts), Notes: driftsJSON(r.Notes),
		Jobs: r.Jobs, Compared: r.Compared, Runs: r.runs, Untold: append([]string{}, r.untold...), Busy: r.Busy, Waiting: r.Waiting,
	}
}

func driftsJSON(drifts []plan.Drift) []oneDriftJSON {
	all := make([]oneDriftJSON, 0, len(drifts))
	for _, d := range drifts {
		one := oneDriftJSON{Kind: d.Kind, Name: d.Name, Region: d.Region, JobID: d.JobID, Status: d.Status, Text: d.Text, Fields: newFieldsJSON(d.Fields)}
		if !d.SeenAt.IsZero() {
			at := d.SeenAt.UTC()
			one.SeenAt = &at
		}
		all = append(all, one)
	}
	return all
}
