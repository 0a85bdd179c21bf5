package report

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/human"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
)

// Bounds of what the page lists one by one beside the list of all jobs.
const (
	unknownsOnPage = 100
	sourcesOnPage  = 500
	sourcesOpen    = 15 // the others are folded away
)

var (
	//go:embed page.html
	pageText string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// pagePolicy lets the page use its own style and script and nothing else: a name
// that got past the template's escaping could load and run nothing.
var pagePolicy = "default-src 'none'; style-src " + pageHash(pageStyle) + "; script-src " + pageHash(pageScript) +
	"; base-uri 'none'; form-action 'none'"

func pageHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// pageTemplate shows text from outside through line, and html/template encodes
// the result for where it stands.
var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"line": printable.Line, "num": human.Number[int], "num64": human.Number[int64],
	"iso":  func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"at":   func(t time.Time) string { return t.UTC().Format("2 Jan 2006, 15:04:05") },
	"day":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
	"jobs": human.Jobs, "more": func(all, shown int) string { return human.Number(all - shown) }, "said": whatIsSaid,
}).Parse(pageText))

// whatIsSaid is the one thing worth knowing of a job in a list: what the service
// says of it, else why it is not as it should be.
func whatIsSaid(j jobStand) string {
	var parts []string
	if s := j.Service; s != nil {
		if s.Message != "" && !strings.EqualFold(s.Message, "OK") {
			parts = append(parts, s.Message)
		}
		if s.Duplicates > 0 {
			parts = append(parts, fmt.Sprintf("%d more of this name are listed", s.Duplicates))
		}
	}
	if j.Tone != toneGood && j.Tone != toneNeutral && j.Stand != standUnhealthy {
		if j.Code != "" {
			parts = append(parts, j.Code)
		}
		parts = append(parts, j.Reason)
	}
	return strings.Join(parts, ": ")
}

// pageView is a report with what the page's pictures need.
type pageView struct {
	Report
	Policy                  string
	Style                   template.CSS
	Script                  template.JS
	Exist, Attention        int
	Share, BarLabel         string
	SettleText              string
	Bar                     []barPart
	Chart                   *chart
	UnknownShown            []unknownStand
	SourceRows, MoreSources []sourceRow
	RunRows                 []runRow
	LastRun                 *runRow
	DelayBars, ProgressBars []rangeBar
	JobStands               []stand
	Columns                 []column
	ManyPlans               bool
}

// column is one of the list of jobs. Class gives its width, "" an equal share.
type column struct {
	Text, Class string
	Number      bool
}

// barPart is one part of a bar that is 1,000 wide, or 100 for that of a source.
type barPart struct {
	Class tone
	X     float64
	Width float64
	Title string
}

type sourceRow struct {
	sourceStand
	Bar    []barPart
	Others string
}

type runRow struct {
	Run
	Who, Took, Ended, Calls, Throttled string
}

type rangeBar struct {
	Text  string
	Jobs  int
	Width float64
}

// WriteHTML writes r as one HTML page that needs nothing beside itself. An error is
// one of writing.
func WriteHTML(w io.Writer, r Report) error {
	v := pageView{
		Report: r, Policy: pagePolicy, Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Exist: r.Exist(), Attention: r.attention(), Share: shareOf(r.Exist(), r.Total),
		SettleText: settleText(r.Settle),
		Bar:        barOf(r.Stands, r.Total, 1000), BarLabel: standsText(r.Stands),
		Chart: newChart(r.Timeline), UnknownShown: r.Unknown[:min(len(r.Unknown), unknownsOnPage)],
		ManyPlans: len(r.Plans) > 1, Columns: columnsOf(r),
	}
	for i, s := range r.Sources[:min(len(r.Sources), sourcesOnPage)] {
		if i < sourcesOpen {
			v.SourceRows = append(v.SourceRows, newSourceRow(s))
		} else {
			v.MoreSources = append(v.MoreSources, newSourceRow(s))
		}
	}
	for _, run := range r.Runs {
		v.RunRows = append(v.RunRows, newRunRow(run))
	}
	if len(v.RunRows) > 0 {
		v.LastRun = &v.RunRows[0]
	}
	if r.Sync != nil {
		v.DelayBars, v.ProgressBars = rangeBars(r.Sync.Delays), rangeBars(r.Sync.Progresses)
	}
	for _, s := range r.Stands {
		if s.Stand != standNotStarted {
			v.JobStands = append(v.JobStands, s.Stand)
		}
	}
	return pageTemplate.Execute(w, v)
}

// settleText is a settle time for people: 31m, not 31m0s.
func settleText(ms int64) string {
	text := (time.Duration(ms) * time.Millisecond).String()
	if whole, ok := strings.CutSuffix(text, "m0s"); ok {
		return whole + "m"
	}
	return text
}

func columnsOf(r Report) []column {
	columns := []column{{Text: "Job"}}
	if len(r.Plans) > 1 {
		columns = append(columns, column{Text: "Plan"})
	}
	columns = append(columns, column{Text: "Stand", Class: "c-stand"}, column{Text: "Source"}, column{Text: "Destination"})
	if len(r.Asked) > 0 {
		columns = append(columns, column{Text: "Status", Class: "c-status"}, column{"Progress", "c-few", true}, column{"Delay", "c-few", true})
	}
	columns = append(columns, column{Text: "Job id", Class: "c-id"})
	if len(r.Asked) == 0 { // else there is no room for it
		columns = append(columns, column{Text: "Updated (UTC)", Class: "c-day"})
	}
	return append(columns, column{Text: "What is said of it"})
}

// shareOf is a share in whole percent that says 100 % of all only, and 0 % of
// none only; "" of nothing.
func shareOf(n, of int) string {
	if of == 0 {
		return ""
	}
	percent := n * 100 / of
	if percent == 0 && n > 0 {
		return "under 1 %"
	}
	return fmt.Sprintf("%d %%", percent)
}

// barOf lays the counts side by side in a bar of that width.
func barOf(counts []standCount, total int, width float64) []barPart {
	var parts []barPart
	x := 0.0
	for _, c := range counts {
		w := width * float64(c.Jobs) / float64(total)
		parts = append(parts, barPart{c.Tone, rounded(x), rounded(w), fmt.Sprintf("%s: %s", c.Stand, human.Jobs(c.Jobs))})
		x += w
	}
	return parts
}

// rounded keeps two digits, so that the page stays small.
func rounded(x float64) float64 { return float64(int(x*100+0.5)) / 100 }

func standsText(counts []standCount) string {
	parts := make([]string, len(counts))
	for i, c := range counts {
		parts[i] = human.Number(c.Jobs) + " " + string(c.Stand)
	}
	return strings.Join(parts, ", ")
}

func newSourceRow(s sourceStand) sourceRow {
	others := slices.DeleteFunc(slices.Clone(s.Stands), func(c standCount) bool { return c.Tone == toneGood })
	return sourceRow{s, barOf(s.Stands, s.Jobs, 100), standsText(others)}
}

func newRunRow(r Run) runRow {
	row := runRow{Run: r, Who: r.User, Took: "-", Ended: cmp.Or(r.Ended, string(r.State)), Calls: "-", Throttled: "-"}
	if r.Host != "" {
		row.Who += "@" + r.Host
	}
	if r.ElapsedMs != nil {
		row.Took = human.Duration(time.Duration(*r.ElapsedMs) * time.Millisecond)
	}
	if len(r.Calls) > 0 {
		sent, throttled := jsonform.Sum(r.Calls)
		row.Calls, row.Throttled = human.Number(sent), human.Number(throttled)
	}
	return row
}

func rangeBars(ranges []rangeOf) []rangeBar {
	most := 1
	for _, r := range ranges {
		most = max(most, r.Jobs)
	}
	bars := make([]rangeBar, len(ranges))
	for i, r := range ranges {
		bars[i] = rangeBar{r.Range, r.Jobs, rounded(100 * float64(r.Jobs) / float64(most))}
	}
	return bars
}
