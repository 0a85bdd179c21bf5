package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
)

// findingStatus says how grave a finding is.
type findingStatus string

const (
	findingOK      findingStatus = "ok"
	findingWarning findingStatus = "warning"
	findingTrouble findingStatus = "trouble"
	findingSkipped findingStatus = "skipped" // it could not be looked at
)

// finding is what one check of doctor came to. Its texts are of any origin.
type finding struct {
	Check  string        `json:"check"`
	Status findingStatus `json:"status"`
	Text   string        `json:"text"`           // what was seen, and what it means
	Next   string        `json:"next,omitempty"` // what to do
	Code   errorCode     `json:"code,omitempty"` // of trouble
}

// diagnosis collects findings in the order of the checks.
type diagnosis struct {
	clean    func(string) string
	findings []finding
}

func (d *diagnosis) add(f finding) {
	f.Text, f.Next = d.clean(f.Text), d.clean(f.Next)
	d.findings = append(d.findings, f)
}

func (d *diagnosis) ok(check, format string, args ...any) {
	d.add(finding{Check: check, Status: findingOK, Text: fmt.Sprintf(format, args...)})
}

func (d *diagnosis) skip(check, format string, args ...any) {
	d.add(finding{Check: check, Status: findingSkipped, Text: fmt.Sprintf(format, args...)})
}

func (d *diagnosis) warn(check, next, format string, args ...any) {
	d.add(finding{Check: check, Status: findingWarning, Text: fmt.Sprintf(format, args...), Next: next})
}

// trouble adds what keeps apsctl from working, with the next step of its code.
func (d *diagnosis) trouble(check string, code errorCode, format string, args ...any) {
	entry, _ := entryOf(code)
	next := strings.ReplaceAll(entry.Next, "`", "")
	if strings.Contains(next, "apsctl doctor shows") {
		next = "" // whoever reads this has asked doctor
	}
	d.add(finding{check, findingTrouble, fmt.Sprintf(format, args...), next, code})
}

func (d *diagnosis) failed(check string, err error) { d.trouble(check, codeOf(err), "%s", err) }

// exitCode is that of the gravest trouble: the ledger before credentials before
// the plan before anything else. Warnings are no trouble.
func (d *diagnosis) exitCode() int {
	codes := map[int]bool{}
	for _, f := range d.findings {
		if f.Status == findingTrouble {
			entry, _ := entryOf(f.Code)
			codes[entry.Exit] = true
		}
	}
	for _, code := range []int{exitLedger, exitDenied, exitInvalid} {
		if codes[code] {
			return code
		}
	}
	if len(codes) > 0 {
		return exitFailure
	}
	return exitDone
}

func (d *diagnosis) count(status findingStatus) int {
	n := 0
	for _, f := range d.findings {
		if f.Status == status {
			n++
		}
	}
	return n
}

// alikeShown is how many findings that differ in their text alone are shown. A
// region may have thousands of jobs that are there twice.
const alikeShown = 5

// alike is f without what tells it from others of its sort.
func (f finding) alike() finding {
	f.Text = ""
	return f
}

func (d *diagnosis) write(w io.Writer) error {
	width := 0
	all := map[finding]int{}
	for _, f := range d.findings {
		width = max(width, len(f.Check))
		all[f.alike()]++
	}
	var b strings.Builder
	seen := map[finding]int{}
	for _, f := range d.findings {
		sort := f.alike()
		if seen[sort]++; seen[sort] > alikeShown {
			if seen[sort] == all[sort] {
				fmt.Fprintf(&b, "%-8s %-*s  … and %d more like these; -o json lists all\n", f.Status, width, f.Check, all[sort]-alikeShown)
			}
			continue
		}
		code := ""
		if f.Code != "" {
			code = fmt.Sprintf(" [%s]", f.Code)
		}
		fmt.Fprintf(&b, "%-8s %-*s  %s%s\n", f.Status, width, f.Check, printable.Line(f.Text), code)
		if f.Next != "" {
			fmt.Fprintf(&b, "%-8s %-*s  next: %s\n", "", width, "", printable.Line(f.Next))
		}
	}
	fmt.Fprintf(&b, "\n%d ok, %s, %d trouble, %d not looked at.\n",
		d.count(findingOK), plan.Count(d.count(findingWarning), "warning"), d.count(findingTrouble), d.count(findingSkipped))
	_, err := io.WriteString(w, b.String())
	return err
}

type diagnosisJSON struct {
	Checks   []finding `json:"checks"`
	OK       int       `json:"ok"`
	Warnings int       `json:"warnings"`
	Troubles int       `json:"troubles"`
	Skipped  int       `json:"skipped"`
	ExitCode int       `json:"exit_code"`
}

func (d *diagnosis) json() diagnosisJSON {
	return diagnosisJSON{
		d.findings, d.count(findingOK), d.count(findingWarning), d.count(findingTrouble), d.count(findingSkipped), d.exitCode(),
	}
}
