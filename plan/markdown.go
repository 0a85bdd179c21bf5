package plan

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
)

const (
	// markdownMax is how many characters a preview in Markdown has at most. A comment
	// on GitHub has room for 65,536.
	markdownMax = 30_000
	// markdownEnd is kept for what comes behind the list.
	markdownEnd = 2_000
	// markdownLines are the changes, with their fields, that are listed if they fit.
	markdownLines = 200
	// cellShown is how much of a text stands in a cell.
	cellShown = 200
)

// Markdown writes v for a review comment: the counts, the reasons by group, and
// the changes, as far as they fit into markdownMax characters; with o.Full, all
// of them. All text from plans, the ledger and the service is encoded by
// printable.Markdown.
func Markdown(w io.Writer, v Preview, o RenderOptions) error {
	var b strings.Builder
	s := Summarize(v.Changes)
	fmt.Fprintf(&b, "**Plan %s** (%s): %s%s.\n", markdown(v.Plan.Name), markdown(v.Plan.File), Count(len(v.Plan.Jobs), "job"), markdownKinds(s))
	for _, crowds := range v.Crowds {
		fmt.Fprintf(&b, "\n> **Warning:** %s\n", markdown(crowds.String()))
	}
	groups := group(v.Changes, o.Lists)
	if len(groups) > 0 {
		b.WriteString("\n| change | reason | jobs | sources |\n| - | - | -: | - |\n")
	}
	for _, g := range groups {
		fmt.Fprintf(&b, "| %s | %s | %d | %s |\n", g.Kind, markdown(g.Cause), len(g.Changes), markdownSources(g.Sources))
	}
	markdownChanges(&b, groups, o)
	if forecast := v.Forecast.String(); forecast != "" {
		fmt.Fprintf(&b, "\n%s\n", forecast)
	}
	if v.Refusal != nil {
		fmt.Fprintf(&b, "\n> **apply refuses this:** %s\n", markdown(v.Refusal.Error()))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func markdown(text string) string { return printable.Markdown(printable.Clip(text, cellShown)) }

func markdownKinds(s Summary) string {
	text := ""
	for _, kind := range Kinds {
		if n := s.Kinds[kind]; n > 0 {
			text += fmt.Sprintf(", %d %s", n, kind.phrase())
		}
	}
	return text
}

func markdownSources(sources []Tally) string {
	var parts []string
	for _, source := range sources[:min(len(sources), groupSources)] {
		parts = append(parts, fmt.Sprintf("%s: %d", printable.Markdown(printable.Clip(source.Name, nameShown)), source.Count))
	}
	if more := len(sources) - groupSources; more > 0 {
		parts = append(parts, Count(more, "more source"))
	}
	return strings.Join(parts, ", ")
}

// markdownChanges lists changes of every group in a table, and says what it left
// out.
func markdownChanges(b *strings.Builder, groups []Group, o RenderOptions) {
	left, header := 0, false
	length := utf8.RuneCountInString(b.String())
	shares := portion(groups, markdownLines, (*Change).lines)
	for i, g := range groups {
		shown := shares[i]
		if o.Full {
			shown = len(g.Changes)
		}
		left += len(g.Changes) - shown
		for _, c := range g.Changes[:shown] {
			row := markdownRow(c)
			if length += utf8.RuneCountInString(row); length > markdownMax-markdownEnd && !o.Full {
				left++
				continue
			}
			if !header {
				b.WriteString("\n| change | job | source | destination | region | why |\n| - | - | - | - | - | - |\n")
				header = true
			}
			b.WriteString(row)
		}
	}
	if left > 0 {
		fmt.Fprintf(b, "\nNot listed: %s. `plan --full` lists them.\n", Count(left, "more change"))
	}
}

func markdownRow(c *Change) string {
	spec := c.Spec()
	var why []string
	if c.Reason != "" {
		why = append(why, markdown(c.Reason))
	}
	for _, f := range c.Fields {
		why = append(why, fmt.Sprintf("%s: %s → %s (%s)", f.Field, markdownValue(f.Old), markdownValue(f.New), f.words()))
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |\n", c.Kind, markdown(c.Name), markdown(spec.Source.Instance),
		markdown(spec.Destination.Instance), markdown(spec.Region), strings.Join(why, "; "))
}

func markdownValue(value string) string {
	if value == "" {
		return "(none)"
	}
	return printable.Markdown(printable.Clip(value, jsonShown))
}
