package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// importResult is what one import did.
type importResult struct {
	run     string
	chosen  []plan.Found // those of this plan or of none, by name
	others  int          // jobs that were meant and belong to other plans
	left    int          // entries of this plan that were not meant
	missing []string     // ids that were asked for and are not listed
	jobs    []runner.Imported
	file    string // "" when none was written
}

// keepOthers takes in the chosen jobs but those of other plans, and says which of
// them cannot be in the plan together.
func (r *importResult) keepOthers(chosen []plan.Found, planName string, entries []plan.Entry, commands plan.Commands) {
	ours := map[string]plan.Entry{}
	for _, e := range entries {
		if e.Plan == planName {
			ours[e.Name] = e
		}
	}
	r.left = len(ours)
	for _, f := range chosen {
		switch {
		case f.Entry == nil:
			r.chosen = append(r.chosen, f)
		case f.Entry.Plan == planName:
			r.chosen = append(r.chosen, f)
			r.left--
		default:
			r.others++
		}
	}
	plan.ForPlan(r.chosen, planName, ours, commands)
	slices.SortStableFunc(r.chosen, func(a, b plan.Found) int { return cmp.Compare(a.Name(), b.Name()) })
}

// specs are those of the jobs that the plan has now.
func (r *importResult) specs() []plan.Spec {
	var specs []plan.Spec
	for _, job := range r.jobs {
		if outcome(job) == outcomeImported || outcome(job) == outcomeAlready {
			specs = append(specs, job.Spec)
		}
	}
	return specs
}

// What can come of a job.
const (
	outcomeImported = "imported"
	outcomeAlready  = "already"
	outcomeRefused  = "refused"
	outcomeFailed   = "failed"
	outcomeNone     = "" // the import ended before
)

func outcome(job runner.Imported) string {
	switch {
	case job.Why != "":
		return outcomeRefused
	case job.Err != nil:
		return outcomeFailed
	case job.Spec == plan.Spec{}:
		return outcomeNone
	case job.Entry != nil:
		return outcomeAlready
	}
	return outcomeImported
}

type importCounts struct {
	Imported   int `json:"imported"`
	Already    int `json:"already"`
	Refused    int `json:"refused"`
	Failed     int `json:"failed"`
	NotListed  int `json:"not_listed"`
	OtherPlans int `json:"other_plans"`
}

func (r *importResult) counts() importCounts {
	c := importCounts{NotListed: len(r.missing), OtherPlans: r.others}
	for _, job := range r.jobs {
		switch outcome(job) {
		case outcomeImported:
			c.Imported++
		case outcomeAlready:
			c.Already++
		case outcomeRefused:
			c.Refused++
		case outcomeFailed:
			c.Failed++
		}
	}
	return c
}

func (r *importResult) exitCode() int {
	switch c := r.counts(); {
	case c.Refused+c.NotListed > 0:
		return exitUnknown
	case c.Failed > 0:
		return exitFailed
	}
	return exitDone
}

// preview shows what is about to be imported and asks, if there is anything.
func (c *importCommand) preview(ctx context.Context, r *importResult) error {
	var todo []plan.Found
	for _, f := range r.chosen {
		if f.Why == "" && f.Entry == nil {
			todo = append(todo, f)
		}
	}
	if len(todo) == 0 || c.output.json() {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "To import into plan %s: %s of %s, with one call for the details of each.\n\n",
		printable.Line(c.plan), plan.Count(len(todo), "job"), printable.Line(strings.Join(c.regions, ", ")))
	c.foundTable(&b, todo, jobsShown)
	if _, err := io.WriteString(c.app.stdout, b.String()); err != nil {
		return err
	}
	if c.yes {
		return nil
	}
	return c.app.confirm(ctx.Done())
}

// foundTable writes at most shown jobs, all with --full.
func (c *importCommand) foundTable(b *strings.Builder, jobs []plan.Found, shown int) {
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	t.AppendHeader(table.Row{"  job", "job id", "region", "source", "destination", "status", "plan", ""})
	if shown = min(shown, len(jobs)); c.full {
		shown = len(jobs)
	}
	for _, f := range jobs[:shown] {
		planName := ""
		if f.Entry != nil {
			planName = f.Entry.Plan
		}
		t.AppendRow(table.Row{"  " + printable.Line(f.Name()), printable.Line(f.Job.ID), printable.Line(f.Region),
			printable.Line(f.Job.SourceInstance), printable.Line(f.Job.DestinationInstance), printable.Clip(f.Job.Status, 20),
			printable.Line(planName), printable.Clip(f.Why, 80)})
	}
	fmt.Fprintln(b, t.Render())
	if more := len(jobs) - shown; more > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists all\n", plan.Count(more, "more job"))
	}
}

func (c *importCommand) print(r importResult) error {
	if c.output.json() {
		return writeJSON(c.app.stdout, c.json(r))
	}
	var b strings.Builder
	counts := r.counts()
	fmt.Fprintf(&b, "\nPlan %s: %s imported, %d there already, %d refused, %d failed.\n",
		printable.Line(c.plan), plan.Count(counts.Imported, "job"), counts.Already, counts.Refused+counts.NotListed, counts.Failed)
	if r.others > 0 {
		fmt.Fprintf(&b, "%s of other plans left with them.\n", plan.Count(r.others, "job"))
	}
	c.writeTrouble(&b, r)
	c.writeNext(&b, r)
	_, err := io.WriteString(c.app.stdout, b.String())
	return err
}

// writeTrouble lists what was not imported, with the reason and the way out.
func (c *importCommand) writeTrouble(b *strings.Builder, r importResult) {
	listed, hidden := 0, 0
	say := func(name, id, why, wayOut string) {
		if listed++; listed > rowsShown && !c.full {
			hidden++
			return
		}
		if name == "" {
			name = "(no name)"
		}
		fmt.Fprintf(b, "  ! %s (%s): %s\n", printable.Line(name), printable.Line(id), printable.Line(why))
		if wayOut != "" {
			fmt.Fprintf(b, "      %s\n", printable.Line(wayOut))
		}
	}
	for _, job := range r.jobs {
		switch outcome(job) {
		case outcomeRefused:
			say(job.Job.Name, job.Job.ID, job.Why, job.WayOut)
		case outcomeFailed:
			say(job.Job.Name, job.Job.ID, c.app.redactor.Clean(job.Err.Error()), "run it again; what is imported stays so")
		}
	}
	for _, id := range r.missing {
		say("", id, "no job with this id is listed in "+strings.Join(c.regions, ", "), "correct the id, or add its --region")
	}
	if hidden > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists all\n", plan.Count(hidden, "more job"))
	}
}

// writeNext says what the plan is good for, and what it lacks.
func (c *importCommand) writeNext(b *strings.Builder, r importResult) {
	in := len(r.specs())
	switch {
	case in == 0:
		return
	case r.file != "":
		fmt.Fprintf(b, "%s has %s: %s shows no changes.\n", printable.Line(r.file), plan.Count(in, "job"),
			printable.Line("apsctl plan "+printable.ShellWord(r.file)+c.commands.Ledger))
	default:
		b.WriteString("No plan file lists them yet: the same command with --generate FILE writes one.\n")
	}
	if r.file != "" && r.left > 0 {
		fmt.Fprintf(b, "Not in it: %s that the ledger has of plan %s.\n", plan.Count(r.left, "more job"), printable.Line(c.plan))
	}
}

type importJSON struct {
	Run       string          `json:"run"`
	Plan      string          `json:"plan"`
	Regions   []string        `json:"regions"`
	File      string          `json:"file"`
	Counts    importCounts    `json:"counts"`
	Jobs      []importJobJSON `json:"jobs"`
	NotListed []string        `json:"not_listed,omitempty"`
	ExitCode  int             `json:"exit_code"`
}

// importJobJSON is one job; plan is "" where none knows it.
type importJobJSON struct {
	Name        string `json:"name"`
	JobID       string `json:"aps_job_id"`
	Region      string `json:"region"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Status      string `json:"status"`
	Plan        string `json:"plan"`
	Outcome     string `json:"outcome,omitempty"`
	Reason      string `json:"reason"`
	WayOut      string `json:"way_out"`
}

func newImportJobJSON(f plan.Found) importJobJSON {
	one := importJobJSON{
		Name: f.Name(), JobID: f.Job.ID, Region: f.Region, Source: f.Job.SourceInstance,
		Destination: f.Job.DestinationInstance, Status: f.Job.Status, Reason: f.Why, WayOut: f.WayOut,
	}
	if f.Entry != nil {
		one.Plan = f.Entry.Plan
	}
	return one
}

func (c *importCommand) json(r importResult) importJSON {
	out := importJSON{
		Run: r.run, Plan: c.plan, Regions: c.regions, File: r.file, Counts: r.counts(),
		Jobs: make([]importJobJSON, 0, len(r.jobs)), NotListed: r.missing, ExitCode: r.exitCode(),
	}
	for _, job := range r.jobs {
		one := newImportJobJSON(job.Found)
		if one.Outcome = outcome(job); one.Outcome == outcomeImported {
			one.Plan = c.plan
		}
		if job.Err != nil {
			one.Reason = c.app.redactor.Clean(job.Err.Error())
		}
		out.Jobs = append(out.Jobs, one)
	}
	return out
}
