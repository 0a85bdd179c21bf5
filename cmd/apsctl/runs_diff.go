package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/store"
)

// runsDiff is what differs between two runs, whichever was named first.
type runsDiff struct {
	Older       jsonform.Run     `json:"older"`
	Newer       jsonform.Run     `json:"newer"`
	SamePlan    bool             `json:"same_plan_digest"`
	Counts      []countChange    `json:"counts"` // those that differ
	Jobs        []jobChange      `json:"jobs"`   // those that stand otherwise after the newer run than after the older
	NewErrors   []jsonform.Cause `json:"new_errors"`
	GoneErrors  []jsonform.Cause `json:"gone_errors"`
	PrunedSince bool             `json:"pruned"` // events in between may be deleted: jobs may be missing, and from is the earliest on record
}

type countChange struct {
	Name  string `json:"name"`
	Older int    `json:"older"`
	Newer int    `json:"newer"`
}

// jobChange is where a job stood after the older run and where after the newer;
// "" is "not in the ledger".
type jobChange struct {
	Plan   string     `json:"plan"`
	Name   string     `json:"name"`
	From   plan.State `json:"from"`
	To     plan.State `json:"to"`
	Reason string     `json:"reason"`
}

func (c *runsCommand) compare(cmd *cobra.Command, ledger *store.Ledger, runs []pastRun, name string) error {
	older, err := findRun(cmd, runs, name)
	if err != nil {
		return err
	}
	latest, err := findRun(cmd, runs, c.diff)
	if err != nil {
		return err
	}
	if older.ID == latest.ID {
		return usagef(cmd, "%s and %s are the same run, %s", name, c.diff, older.ID)
	}
	if newer(runs, older, latest) {
		older, latest = latest, older
	}
	diff := runsDiff{
		Older: newRunJSON(older), Newer: newRunJSON(latest), SamePlan: older.PlanDigest == latest.PlanDigest,
		Counts: countChanges(older.counts, latest.counts), NewErrors: causesOnlyIn(latest, older), GoneErrors: causesOnlyIn(older, latest),
	}
	if err := diff.readJobs(cmd.Context(), ledger, older, latest); err != nil {
		return err
	}
	if c.output.json() {
		return writeJSON(c.app.stdout, diff)
	}
	return diff.write(c.app.stdout, older, latest)
}

// countChanges lists the counts that differ, as the newer run orders them.
func countChanges(older, newer []countOf) []countChange {
	changes := []countChange{}
	for _, c := range newer {
		changes = append(changes, countChange{Name: c.Name, Newer: c.Count})
	}
	for _, c := range older {
		i := slices.IndexFunc(changes, func(have countChange) bool { return have.Name == c.Name })
		if i < 0 {
			i, changes = len(changes), append(changes, countChange{Name: c.Name})
		}
		changes[i].Older = c.Count
	}
	return slices.DeleteFunc(changes, func(c countChange) bool { return c.Older == c.Newer })
}

// causesOnlyIn lists the kinds of errors that a had and b had not.
func causesOnlyIn(a, b pastRun) []jsonform.Cause {
	only := []jsonform.Cause{}
	for _, e := range a.detail.Errors {
		if !slices.ContainsFunc(b.detail.Errors, func(o jsonform.Cause) bool { return o.Cause == e.Cause && o.Ending == e.Ending }) {
			only = append(only, e)
		}
	}
	return only
}

// readJobs finds the jobs whose state at the end of the newer run is not that at
// the end of the older, by the events in between.
func (d *runsDiff) readJobs(ctx context.Context, ledger *store.Ledger, older, newer pastRun) error {
	after, whole, err := eventsUntil(ctx, ledger, older)
	if err != nil {
		return err
	}
	through, _, err := eventsUntil(ctx, ledger, newer)
	if err != nil {
		return err
	}
	d.Jobs = []jobChange{}
	if through <= after {
		return nil
	}
	events, err := ledger.EventsOf(ctx, store.EventFilter{Plan: samePlan(older, newer), After: after, Through: through})
	if err != nil {
		return err
	}
	d.PrunedSince = !whole
	at := map[[2]string]int{}
	for _, e := range events {
		key := [2]string{e.Plan, e.Name}
		i, known := at[key]
		if !known {
			i = len(d.Jobs)
			at[key], d.Jobs = i, append(d.Jobs, jobChange{Plan: e.Plan, Name: e.Name, From: e.From})
		}
		d.Jobs[i].To, d.Jobs[i].Reason = e.To, e.Reason
	}
	d.Jobs = slices.DeleteFunc(d.Jobs, func(j jobChange) bool { return j.From == j.To })
	return nil
}

// samePlan is the plan that both runs were over, "" where they differ.
func samePlan(a, b pastRun) string {
	if a.Plan == b.Plan {
		return a.Plan
	}
	return ""
}

// eventsUntil returns the id of the last event by the end of r, and whether the
// ledger still has all events since before r's start.
func eventsUntil(ctx context.Context, ledger *store.Ledger, r pastRun) (id int64, whole bool, err error) {
	pruned, err := ledger.PrunedBefore(ctx)
	if err != nil {
		return 0, false, err
	}
	id, err = ledger.LastEvent(ctx, r.ID)
	return id, pruned.Before(r.StartedAt), err
}

func (d *runsDiff) write(w io.Writer, older, newer pastRun) error {
	var b strings.Builder
	for _, r := range []struct {
		label string
		run   pastRun
	}{{"older", older}, {"newer", newer}} {
		fmt.Fprintf(&b, "%s  %s: %s %s, %s, exit %s: %s\n", r.label, r.run.ID, printable.Line(r.run.Command), printable.Line(r.run.Plan),
			shownAt(r.run.StartedAt), r.run.exitText(), printable.Line(r.run.result()))
	}
	if d.SamePlan {
		b.WriteString("The plan was the same.\n")
	} else {
		fmt.Fprintf(&b, "The plan changed: digest %s, then %s.\n", printable.Line(orNone(older.PlanDigest)), printable.Line(orNone(newer.PlanDigest)))
	}
	for _, c := range d.Counts {
		fmt.Fprintf(&b, "  %s: %d, then %d\n", printable.Line(c.Name), c.Older, c.Newer)
	}
	d.writeCauses(&b, "New errors:", d.NewErrors)
	d.writeCauses(&b, "Errors that are gone:", d.GoneErrors)
	d.writeJobs(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func (d *runsDiff) writeCauses(b *strings.Builder, title string, causes []jsonform.Cause) {
	if len(causes) > 0 {
		fmt.Fprintln(b, title)
	}
	for _, e := range causes {
		fmt.Fprintf(b, "  %s %s: %s: %s\n", plan.Count(e.Jobs, "job"), endingText(e.Ending), printable.Line(e.Cause), printable.Clip(e.Example, 200))
	}
}

func (d *runsDiff) writeJobs(b *strings.Builder) {
	from := "after the older"
	if d.PrunedSince {
		b.WriteString("Events of that time were pruned: jobs may be missing here, and where they stood after the older is not known.\n")
		from = "earliest on record"
	}
	if len(d.Jobs) == 0 {
		b.WriteString("No job stands otherwise.\n")
		return
	}
	shown := d.Jobs[:min(len(d.Jobs), rowsShown)]
	t := table.NewWriter()
	t.SuppressTrailingSpaces()
	t.SetStyle(plan.PlainTable)
	t.AppendHeader(table.Row{"plan", "job", from, "after the newer", "why"})
	for _, j := range shown {
		t.AppendRow(table.Row{printable.Line(j.Plan), printable.Line(j.Name), stateText(j.From), stateText(j.To), printable.Clip(j.Reason, 80)})
	}
	fmt.Fprintf(b, "%s otherwise:\n%s\n", standVerb(len(d.Jobs)), t.Render())
	if more := len(d.Jobs) - len(shown); more > 0 {
		fmt.Fprintf(b, "… and %s; -o json lists all\n", plan.Count(more, "more job"))
	}
}

func standVerb(n int) string {
	if n == 1 {
		return "1 job stands"
	}
	return plan.Count(n, "job") + " stand"
}
