package plan

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
)

// Lines of a preview that does not list everything. With what stands around them,
// and what commands write above it to standard error, they stay within a page of 60.
const (
	listLines    = 25  // changes and the headings of their groups
	sourcesShown = 8   // rows of the table by source
	jsonShown    = 96  // characters of a JSON value on one line
	reasonShown  = 240 // characters of a reason
)

// Preview is what a run would do.
type Preview struct {
	Plan    *Plan
	Changes []Change
	// Crowds are where the service would have more jobs than it documents.
	Crowds   []Crowds
	Forecast Forecast
	// Refusal is the limit that keeps a run from starting, nil for none.
	Refusal error
}

// RenderOptions are the choices of Render and Markdown.
type RenderOptions struct {
	// Full lists every change with every field, also the jobs that are kept.
	Full bool
	// Kinds are those whose changes are listed; nil means all, but for jobs that are
	// kept unless Full is set.
	Kinds []Kind
}

// Lists reports whether changes of that kind are listed.
func (o RenderOptions) Lists(kind Kind) bool {
	if o.Kinds != nil {
		return slices.Contains(o.Kinds, kind)
	}
	return o.Full || kind != KindKeep
}

// Render writes v for a person: how many changes of each kind, overall and by
// source, then the changes themselves, and what they take. Unless everything is
// asked for it has at most 50 lines, refusal included: where the changes are too
// many for that they are in groups of like reasons, small groups whole and large
// ones with a few examples. All text from plans, the ledger and the service is
// encoded for a terminal. Colours follow go-pretty's switch.
func Render(w io.Writer, v Preview, o RenderOptions) error {
	b := bufio.NewWriter(w)
	s := Summarize(v.Changes)
	renderHeadline(b, v.Plan, len(v.Plan.Jobs), s, chosen(v.Changes))
	for _, crowds := range v.Crowds {
		fmt.Fprintf(b, "  %s %s\n", text.FgYellow.Sprint("!"), crowds)
	}
	if s.Changes() > 0 || s.Kinds[KindLeftOver] > 0 {
		renderSources(b, s)
	}
	renderChanges(b, v.Changes, o)
	renderLegend(b, v.Changes)
	if forecast := v.Forecast.String(); forecast != "" {
		fmt.Fprintf(b, "\n%s\n", forecast)
	}
	if v.Refusal != nil {
		fmt.Fprintf(b, "\n%s %s\n", text.FgRed.Sprint("apply refuses this:"), printable.Line(v.Refusal.Error()))
	}
	return b.Flush()
}

// chosen counts the jobs of the plan that changes are about.
func chosen(changes []Change) int {
	n := 0
	for _, c := range changes {
		if c.Job != nil {
			n++
		}
	}
	return n
}

func renderHeadline(b *bufio.Writer, p *Plan, jobs int, s Summary, chosen int) {
	fmt.Fprintf(b, "Plan %s (%s): %s", text.Bold.Sprint(printable.Line(p.Name)), printable.Line(p.File), Count(jobs, "job"))
	if chosen < jobs {
		fmt.Fprintf(b, ", %d of them chosen", chosen)
	}
	var parts []string
	for _, kind := range Kinds {
		if n := s.Kinds[kind]; n > 0 {
			parts = append(parts, kind.color().Sprintf("%d %s", n, kind.phrase()))
		}
	}
	if len(parts) > 0 {
		fmt.Fprintf(b, ": %s", strings.Join(parts, ", "))
	}
	b.WriteString(".\n")
}

// phrase is the kind as it reads after a number.
func (k Kind) phrase() string {
	switch k {
	case KindLeftOver:
		return "left over"
	case KindBlocked:
		return "blocked"
	}
	return "to " + string(k)
}

// sign marks a change at the start of its line.
func (k Kind) sign() string {
	switch k {
	case KindCreate:
		return "+"
	case KindAdopt:
		return "<"
	case KindUpdate:
		return "~"
	case KindReplace:
		return "±"
	case KindDelete:
		return "x"
	case KindStart:
		return ">"
	case KindSuspend:
		return "|"
	case KindResolve:
		return "?"
	case KindBlocked:
		return "!"
	case KindLeftOver:
		return "-"
	}
	return "="
}

func (k Kind) color() text.Color {
	switch k {
	case KindCreate, KindAdopt:
		return text.FgGreen
	case KindUpdate, KindReplace, KindStart, KindSuspend, KindResolve:
		return text.FgYellow
	case KindDelete, KindBlocked:
		return text.FgRed
	}
	return text.Reset
}

func renderSources(b *bufio.Writer, s Summary) {
	changed := s.Sources // come first
	for len(changed) > 0 && changed[len(changed)-1].changes == 0 {
		changed = changed[:len(changed)-1]
	}
	if len(changed) < 2 {
		return
	}
	t := table.NewWriter()
	t.SetStyle(PlainTable)
	t.SuppressTrailingSpaces()
	header := table.Row{"  source"}
	var shown []Kind
	for _, kind := range Kinds {
		if s.Kinds[kind] > 0 {
			header, shown = append(header, string(kind)), append(shown, kind)
		}
	}
	t.AppendHeader(header)
	for _, source := range changed[:min(len(changed), sourcesShown)] {
		row := table.Row{"  " + printable.Line(source.Instance)}
		for _, kind := range shown {
			row = append(row, source.Kinds[kind])
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(b, "\n%s\n", t.Render())
	if more := len(changed) - sourcesShown; more > 0 {
		fmt.Fprintf(b, "  … and %s\n", Count(more, "more source"))
	}
}

// PlainTable is the style of every table on a terminal: columns and nothing drawn around them.
var PlainTable = table.Style{
	Box:     table.BoxStyle{PaddingRight: "  "},
	Format:  table.FormatOptions{Header: text.FormatDefault},
	Options: table.OptionsNoBordersAndSeparators,
}

func renderChanges(b *bufio.Writer, changes []Change, o RenderOptions) {
	used, fits := 0, true
	for i := range changes {
		if c := &changes[i]; o.Lists(c.Kind) {
			used += c.lines()
			fits = used <= listLines
		}
		if !fits && !o.Full {
			break
		}
	}
	if used == 0 {
		return
	}
	b.WriteString("\n")
	if !fits && !o.Full {
		renderGroups(b, changes, o)
		return
	}
	for i := range changes {
		if o.Lists(changes[i].Kind) {
			renderChange(b, &changes[i], "  ", o)
		}
	}
}

// lines is how many lines a change takes in a list.
func (c *Change) lines() int { return 1 + len(c.Fields) }

// renderGroups lists changes that are too many for a page.
func renderGroups(b *bufio.Writer, changes []Change, o RenderOptions) {
	groups := group(changes, o.Lists)
	for i, shown := range portion(groups, listLines, (*Change).lines) {
		g := groups[i]
		color := g.Kind.color()
		fmt.Fprintf(b, "  %s %s%s\n", color.Sprint(g.Kind.sign()), color.Sprintf("%d %s", len(g.Changes), g.Kind.phrase()), g.about())
		for _, c := range g.Changes[:shown] {
			renderChange(b, c, "      ", o)
		}
		if more := len(g.Changes) - shown; more > 0 && shown > 0 {
			fmt.Fprintf(b, "      … and %s\n", Count(more, "more job"))
		}
	}
	fmt.Fprintf(b, "  --full lists everything, plan --op KIND --target SELECTOR a part\n")
}

// groupSources is how many sources the heading of a group names.
const groupSources = 3

// about says why a group's changes are needed and where.
func (g Group) about() string {
	about := ""
	if g.Cause != "" {
		about = ", " + printable.Line(g.Cause)
	}
	if len(g.Changes) < 2 {
		return about
	}
	var named []string
	for _, source := range g.Sources[:min(len(g.Sources), groupSources)] {
		named = append(named, fmt.Sprintf("%s: %d", printable.Clip(source.Name, nameShown), source.Count))
	}
	if more := len(g.Sources) - groupSources; more > 0 {
		named = append(named, Count(more, "more source"))
	}
	return about + " (" + strings.Join(named, ", ") + ")"
}

// nameShown is how much of an instance's name stands in a heading.
const nameShown = 40

func renderChange(b *bufio.Writer, c *Change, indent string, o RenderOptions) {
	spec := c.Spec()
	sign := c.Kind.color().Sprint(c.Kind.sign())
	fmt.Fprintf(b, "%s%s %s  %s → %s  (%s)", indent, sign, printable.Line(c.Name),
		printable.Line(spec.Source.Instance), printable.Line(spec.Destination.Instance), printable.Line(spec.Region))
	if c.Reason != "" {
		reason := printable.Line(c.Reason)
		if !o.Full {
			reason = printable.Clip(c.Reason, reasonShown)
		}
		fmt.Fprintf(b, "  %s", reason)
	}
	b.WriteString("\n")
	for _, f := range c.Fields {
		fmt.Fprintf(b, "%s    %s: %s → %s  (%s)\n", indent, f.Field, shorten(f.Old, o), shorten(f.New, o), f.words())
	}
	if o.Full && len(c.Fields) == 0 {
		renderFields(b, c, spec)
	}
}

// renderFields lists what a job says, one line a field, in the order of the
// plan reference.
func renderFields(b *bufio.Writer, c *Change, spec Spec) {
	line := func(field, value string) {
		if value != "" {
			fmt.Fprintf(b, "      %-22s %s\n", field, printable.Line(value))
		}
	}
	line("source.region", spec.Source.Region)
	line("source.user", spec.Source.User)
	line("destination.user", spec.Destination.User)
	if c.Job != nil {
		if c.Job.SourcePassword != nil {
			line("source.password", "from "+c.Job.SourcePassword.String())
		}
		if c.Job.DestinationPassword != nil {
			line("destination.password", "from "+c.Job.DestinationPassword.String())
		}
	}
	line("db_list", spec.DBList)
	line("partition_list", spec.PartitionList)
	line("target_table_mode", spec.TargetTableMode)
	if c.Entry != nil {
		line("job id", c.Entry.JobID)
	}
}

func shorten(value string, o RenderOptions) string {
	switch {
	case value == "":
		return "(none)"
	case o.Full:
		return printable.Line(value)
	}
	return printable.Clip(value, jsonShown)
}

// Count formats a number with its noun, for example "1 job" and "2 jobs".
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
