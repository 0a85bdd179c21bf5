package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/printable"
)

// csvHeader names the columns of the CSV form: columns are added at the end,
// never renamed.
var csvHeader = []string{
	"plan", "name", "stand", "state", "region", "source", "destination", "aps_job_id", "attempts", "updated_at",
	"settles_at", "code", "reason", "status", "progress", "delay", "message", "way_out",
}

// WriteCSV writes r as a header and one row for each job, each cell as text that no
// spreadsheet works out. An error is one of writing.
func WriteCSV(w io.Writer, r Report) error {
	settles := map[[2]string]string{}
	for _, u := range r.Unknown {
		if u.SettlesAt != nil {
			settles[[2]string{u.Plan, u.Name}] = u.SettlesAt.Format(time.RFC3339)
		}
	}
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for _, j := range r.Jobs {
		row := []string{
			j.Plan, j.Name, string(j.Stand), string(j.State), j.Region, j.Source, j.Destination, j.JobID,
			strconv.Itoa(j.Attempts), j.UpdatedAt.UTC().Format(time.RFC3339), settles[[2]string{j.Plan, j.Name}], j.Code, j.Reason,
		}
		if s := j.Service; s != nil {
			row = append(row, s.Status, s.Progress, strconv.FormatInt(s.Delay, 10), s.Message)
		} else {
			row = append(row, "", "", "", "")
		}
		row = append(row, j.WayOut)
		for i := range row {
			row[i] = csvCell(row[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// csvFormula are the first characters, in both widths, by which a spreadsheet
// takes a cell for a formula.
const csvFormula = "=+-@＝＋－＠"

// csvCell returns text as a cell that a spreadsheet shows and does not work out:
// what printable.Line escapes is escaped, and an apostrophe goes before what would
// begin a formula, also after spaces.
func csvCell(text string) string {
	text = printable.Line(text)
	if strings.IndexAny(strings.TrimLeft(text, " \u3000'\""), csvFormula) == 0 {
		return "'" + text
	}
	return text
}
