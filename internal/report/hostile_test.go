package report

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// hostileTexts are names and messages that try to be more than text.
var hostileTexts = []string{
	`<script>alert(1)</script>`, `" onmouseover="alert(1)`, "javascript:alert(1)", "\x1b[2J", "a\u202eb", "=cmd|' /C calc'!A0",
	" =1+1", "\u00a0+1", "\n=1", "\t@SUM(1)", "-1", "＝1", "a|b`c`](http://x)", "@everyone #1", "\xff",
}

// TestHostileTextIsText: in every form a name is text that can be read.
func TestHostileTextIsText(t *testing.T) {
	var f Facts
	for _, text := range hostileTexts {
		spec := plan.Spec{Name: text, Source: plan.SourceEndpoint{Instance: text}}
		f.Jobs = append(f.Jobs, Job{Entry: plan.Entry{Plan: "p", Name: text, Spec: spec, State: plan.StateRejected, Reason: text}})
	}
	r := Build(f)
	var html, text, cells strings.Builder
	if err := errors.Join(WriteHTML(&html, r), WriteMarkdown(&text, r, true), WriteCSV(&cells, r)); err != nil {
		t.Fatal(err)
	}
	page, markdown, table := html.String(), text.String(), cells.String()
	wantIn(t, page, "&lt;script&gt;alert(1)", "&#34; onmouseover=", `\x1b[2J`, `a\u202eb`, `\xa0`)
	wantIn(t, markdown, "`<script>alert(1)</script>`", "`a\\x7cb\\x60c\\x60](http://x)`", "`@everyone #1`")
	for line := range strings.Lines(markdown) {
		if strings.HasPrefix(line, "| `") && strings.Count(line, " | ") != 4 && strings.Count(line, " | ") != 6 && strings.Count(line, " | ") != 7 {
			t.Errorf("a name ends its cell: %s", line)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(table)).ReadAll()
	if err != nil || len(rows) != len(hostileTexts)+1 || len(rows[0]) != len(csvHeader) {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, form := range []string{page, markdown, table} {
		if strings.ContainsAny(form, "\x1b\u202e\u00a0\t") || !utf8.ValidString(form) || strings.Contains(form, "<script>alert") != (form != page) {
			t.Errorf("text from outside is not encoded in\n%.300s", form)
		}
	}
	for _, row := range rows[1:] {
		for _, cell := range row {
			checkCell(t, cell)
		}
	}
	data, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(data, &back); err != nil || len(back.Jobs) != len(hostileTexts) || back.Jobs[0].Name != hostileTexts[0] {
		t.Errorf("in JSON it is %v, %+v", err, back.Jobs)
	}
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q is missing in:\n%s", part, text)
		}
	}
}

func checkCell(t *testing.T, cell string) {
	t.Helper()
	if first := strings.TrimLeft(cell, " \u3000\""); first != "" && strings.ContainsAny(string([]rune(first)[:1]), csvFormula+"\t\r\n") {
		t.Errorf("the cell %q is a formula", cell)
	}
}

// FuzzCSVCell: a cell is never a formula, comes back as it was written, and loses
// nothing that a person could read.
func FuzzCSVCell(f *testing.F) {
	for _, text := range hostileTexts {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cell := csvCell(text)
		checkCell(t, cell)
		if strings.TrimPrefix(cell, "'") != strings.TrimPrefix(printable.Line(text), "'") && cell != "'"+printable.Line(text) {
			t.Errorf("%q became %q", text, cell)
		}
		var b strings.Builder
		w := csv.NewWriter(&b)
		if err := w.Write([]string{cell, "x"}); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		if back, err := csv.NewReader(strings.NewReader(b.String())).Read(); err != nil || back[0] != cell {
			t.Errorf("%q came back as %q, %v", cell, back, err)
		}
	})
}
