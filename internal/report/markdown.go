package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/human"
	"github.com/apsctl/apsctl/internal/printable"
)

// What is listed of a kind unless all is asked for: a comment on a change has a
// limit of its own.
const (
	jobsInMarkdown    = 200
	sourcesInMarkdown = 50
)

// WriteMarkdown writes r in the Markdown of GitHub and GitLab. Unless full it lists
// only jobs that are not as they should be, and not more than a comment holds. An
// error is one of writing.
func WriteMarkdown(w io.Writer, r Report, full bool) error {
	d := &markdownPage{}
	code := printable.Markdown
	d.line("# Migration %s", code(r.Title))
	d.line("**%s of %s jobs** on the service (%s), as of %s. %s", human.Number(r.Exist()), human.Number(r.Total), cmp.Or(shareOf(r.Exist(), r.Total), "none"),
		shownUTC(r.GeneratedAt), askedText(r.Asked, code))
	if n := r.attention(); n > 0 {
		d.line("**%s to look at:** see what failed below.", human.Jobs(n))
	} else {
		d.line("Nothing needs you.")
	}
	d.table([]string{"stand", "jobs:", "meaning"}, len(r.Stands), func(i int) []string {
		c := r.Stands[i]
		return []string{string(c.Stand), human.Number(c.Jobs), c.Meaning}
	})
	if len(r.Failures) > 0 {
		d.line("## What failed, and what to do")
	}
	for _, g := range r.Failures {
		d.line("**%s %s** %s", human.Jobs(g.Jobs), g.Stand, code(g.Cause))
		if g.Words != "" {
			d.line("> %s", code(g.Words))
		}
		if len(g.Names) > 0 {
			d.line("%s", namesInMarkdown(g.Names, g.Jobs))
		}
		d.line("What to do: %s", code(g.Next))
	}
	d.unknown(r)
	d.timeline(r.Timeline)
	if s := r.Sync; s != nil {
		d.line("## Running jobs")
		d.line("%s running, the longest delay is %s.", human.Jobs(s.Running), human.Number(s.MaxDelay))
		d.table([]string{"delay", "jobs:"}, len(s.Delays), func(i int) []string { return []string{s.Delays[i].Range, human.Number(s.Delays[i].Jobs)} })
		d.table([]string{"progress", "jobs:"}, len(s.Progresses), func(i int) []string {
			return []string{s.Progresses[i].Range, human.Number(s.Progresses[i].Jobs)}
		})
	}
	d.sources(r.Sources, full)
	d.runs(r.Runs)
	d.jobs(r.Jobs, full)
	_, err := io.WriteString(w, d.String())
	return err
}

// askedText says where the figures are from. encode is that of the form.
func askedText(asked []Region, encode func(string) string) string {
	if len(asked) == 0 {
		return "From the ledger alone: the service was not asked."
	}
	parts := make([]string, len(asked))
	for i, a := range asked {
		parts[i] = encode(a.Region) + " listed " + shownUTC(a.At)
	}
	return "Status, progress and delay are from the service: " + strings.Join(parts, "; ") + "."
}

// markdownPage is Markdown on its way. Text from outside is handed to it as the
// code spans that printable.Markdown makes.
type markdownPage struct{ strings.Builder }

// line writes a paragraph or a heading.
func (d *markdownPage) line(format string, args ...any) {
	if d.Len() > 0 {
		d.WriteByte('\n')
	}
	fmt.Fprintf(d, format+"\n", args...)
}

// table writes n rows. A column whose name ends in a colon has numbers.
func (d *markdownPage) table(columns []string, n int, row func(int) []string) {
	if n == 0 {
		return
	}
	d.WriteByte('\n')
	rule := make([]string, len(columns))
	for i, name := range columns {
		rule[i] = "-"
		if strings.HasSuffix(name, ":") {
			rule[i] = "-:"
		}
	}
	fmt.Fprintf(d, "| %s |\n| %s |\n", strings.ReplaceAll(strings.Join(columns, " | "), ":", ""), strings.Join(rule, " | "))
	for i := range n {
		fmt.Fprintf(d, "| %s |\n", strings.Join(row(i), " | "))
	}
}

func namesInMarkdown(names []string, of int) string {
	spans := make([]string, len(names))
	for i, name := range names {
		spans[i] = printable.Markdown(name)
	}
	text := strings.Join(spans, ", ")
	if more := of - len(names); more > 0 {
		text += " and " + human.Number(more) + " more"
	}
	return text
}

func (d *markdownPage) unknown(r Report) {
	if len(r.Unknown) == 0 {
		return
	}
	d.line("## Unknown outcomes, and when they settle")
	d.line("There is nothing to do: the next apply looks for them. The settle time is %s.", settleText(r.Settle))
	shown := r.Unknown[:min(len(r.Unknown), jobsInMarkdown)]
	d.table([]string{"job", "plan", "sent", "settles", "what happened"}, len(shown), func(i int) []string {
		u := shown[i]
		sent, settles := "", ""
		if u.SentAt != nil {
			sent, settles = shownUTC(*u.SentAt), shownUTC(*u.SettlesAt)
		}
		if u.Due {
			settles = "with the next look"
		}
		return []string{printable.Markdown(u.Name), printable.Markdown(u.Plan), sent, settles, printable.Markdown(u.Reason)}
	})
	d.rest(len(r.Unknown)-len(shown), "job")
}

func (d *markdownPage) rest(more int, what string) {
	if more > 0 {
		d.line("… and %s more %ss; `--full` lists all.", human.Number(more), what)
	}
}

func (d *markdownPage) timeline(t timeline) {
	rows := slices.DeleteFunc(slices.Clone(t.Buckets), func(b timeBucket) bool { return b.Created+b.Throttled+b.Other == 0 })
	if len(rows) == 0 {
		return
	}
	d.line("## Creates over time, per %s", stepText(time.Duration(t.StepMs)*time.Millisecond))
	d.table([]string{"from", "created:", "throttled:", "other:"}, len(rows), func(i int) []string {
		return []string{shownUTC(rows[i].At), human.Number(rows[i].Created), human.Number(rows[i].Throttled), human.Number(rows[i].Other)}
	})
}

func (d *markdownPage) sources(sources []sourceStand, full bool) {
	if len(sources) == 0 {
		return
	}
	shown := sources
	if !full {
		shown = sources[:min(len(sources), sourcesInMarkdown)]
	}
	d.line("## By source")
	d.table([]string{"source", "region", "jobs:", "on the service:", "stands"}, len(shown), func(i int) []string {
		s := shown[i]
		return []string{printable.Markdown(s.Source), printable.Markdown(s.Region), human.Number(s.Jobs), human.Number(s.Exist), standsText(s.Stands)}
	})
	d.rest(len(sources)-len(shown), "source")
}

func (d *markdownPage) runs(runs []Run) {
	if len(runs) == 0 {
		return
	}
	d.line("## Runs")
	d.table([]string{"started", "command", "plan", "who", "took:", "ended", "calls:", "throttled:"}, len(runs), func(i int) []string {
		row := newRunRow(runs[i])
		return []string{shownUTC(row.StartedAt), printable.Markdown(row.Command), printable.Markdown(row.Plan), printable.Markdown(row.Who),
			row.Took, row.Ended, row.Calls, row.Throttled}
	})
}

func (d *markdownPage) jobs(jobs []jobStand, full bool) {
	shown := jobs
	title := "## All jobs"
	if !full {
		title = "## Jobs that are not as they should be"
		shown = slices.DeleteFunc(slices.Clone(jobs), func(j jobStand) bool { return j.Tone == toneGood || j.Tone == toneNeutral })
	}
	if len(shown) == 0 {
		return
	}
	wrong := len(shown)
	if !full {
		shown = shown[:min(wrong, jobsInMarkdown)]
	}
	d.line("%s", title)
	d.table([]string{"job", "plan", "stand", "source", "destination", "job id", "what is said of it"}, len(shown), func(i int) []string {
		j, code := shown[i], printable.Markdown
		return []string{code(j.Name), code(j.Plan), string(j.Stand), code(j.Source), code(j.Destination), code(j.JobID), code(whatIsSaid(j))}
	})
	d.rest(wrong-len(shown), "job")
}
