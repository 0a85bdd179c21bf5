package plan

import (
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/apsctl/apsctl/internal/printable"
)

const (
	changesShown = 40 // changes listed unless everything is asked for
	sourcesShown = 8  // rows of the table by source
	jsonShown    = 96 // characters of a JSON value on one line
)

// RenderOptions are the choices of Render.
type RenderOptions struct {
	// Full lists every change with every field, also the jobs that are kept.
	Full bool
}

// Render writes changes for a person: first how many of each kind, overall and
// by source, then the changes themselves. All text from plans, the ledger and
// the service is encoded for a terminal. Colours follow go-pretty's switch.
func Render(w io.Writer, p *Plan, changes []Change, o RenderOptions) error {
	var b strings.Builder
	s := Summarize(changes)
	renderHeadline(&b, p, s, chosen(changes))
	if s.Changes() > 0 || s.Kinds[KindLeftOver] > 0 {
		renderSources(&b, s)
	}
	renderChanges(&b, changes, o)
	renderLegend(&b, changes)
	_, err := io.WriteString(w, b.String())
	return err
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

func renderHeadline(b *strings.Builder, p *Plan, s Summary, chosen int) {
	fmt.Fprintf(b, "Plan %s (%s): %s", text.Bold.Sprint(printable.Line(p.Name)), printable.Line(p.File), Count(len(p.Jobs), "job"))
	if chosen < len(p.Jobs) {
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

func renderSources(b *strings.Builder, s Summary) {
	if len(s.Sources) < 2 {
		return
	}
	t := table.NewWriter()
	t.SetStyle(PlainTable)
	header := table.Row{"  source"}
	var shown []Kind
	for _, kind := range Kinds {
		if s.Kinds[kind] > 0 {
			header, shown = append(header, string(kind)), append(shown, kind)
		}
	}
	t.AppendHeader(header)
	for _, source := range s.Sources[:min(len(s.Sources), sourcesShown)] {
		row := table.Row{"  " + printable.Line(source.Instance)}
		for _, kind := range shown {
			row = append(row, source.Kinds[kind])
		}
		t.AppendRow(row)
	}
	fmt.Fprintf(b, "\n%s\n", t.Render())
	if more := len(s.Sources) - sourcesShown; more > 0 {
		fmt.Fprintf(b, "  … and %s\n", Count(more, "more source"))
	}
}

// PlainTable is the style of every table on a terminal: columns and nothing drawn around them.
var PlainTable = table.Style{
	Box:     table.BoxStyle{PaddingRight: "  "},
	Format:  table.FormatOptions{Header: text.FormatDefault},
	Options: table.OptionsNoBordersAndSeparators,
}

func renderChanges(b *strings.Builder, changes []Change, o RenderOptions) {
	listed, hidden := 0, 0
	for _, c := range changes {
		if c.Kind == KindKeep && !o.Full {
			continue
		}
		if listed == changesShown && !o.Full {
			hidden++
			continue
		}
		if listed == 0 {
			b.WriteString("\n")
		}
		listed++
		renderChange(b, c, o)
	}
	if hidden > 0 {
		fmt.Fprintf(b, "  … and %s; --full lists everything\n", Count(hidden, "more change"))
	}
}

func renderChange(b *strings.Builder, c Change, o RenderOptions) {
	spec := c.Spec()
	sign := c.Kind.color().Sprint(c.Kind.sign())
	fmt.Fprintf(b, "  %s %s  %s → %s  (%s)", sign, printable.Line(c.Name),
		printable.Line(spec.Source.Instance), printable.Line(spec.Destination.Instance), printable.Line(spec.Region))
	if c.Reason != "" {
		fmt.Fprintf(b, "  %s", printable.Line(c.Reason))
	}
	b.WriteString("\n")
	for _, f := range c.Fields {
		fmt.Fprintf(b, "      %s: %s → %s  (%s)\n", f.Field, shorten(f.Old, o), shorten(f.New, o), f.words())
	}
	if o.Full && len(c.Fields) == 0 {
		renderFields(b, c, spec)
	}
}

// renderFields lists what a job says, one line a field, in the order of the
// plan reference.
func renderFields(b *strings.Builder, c Change, spec Spec) {
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
