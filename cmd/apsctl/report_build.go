package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/store"
)

// Bounds of what a report shows of a kind. -o json and csv have every job.
const (
	runsReported    = 20
	slowestReported = 20
)

// reportFacts is what a report is made of.
type reportFacts struct {
	now      time.Time
	version  string
	ledger   jsonform.Ledger
	plans    []string // those that were asked for; none means all
	jobs     []jobStatus
	attempts []store.Attempt
	runs     []pastRun // newest first
	asked    []askedRegion
	settle   time.Duration
	resolve  resolveLine
}

// newMigration works out the report. It does no I/O and reads no clock.
func newMigration(f reportFacts) migration {
	m := migration{
		Title: reportTitle(f.plans, f.jobs), GeneratedAt: f.now.UTC(), Version: f.version, Ledger: f.ledger,
		Asked: f.asked, Settle: f.settle.Milliseconds(),
		Sources: []sourceStand{}, Failures: []failureGroup{}, Unknown: []unknownStand{}, Runs: []jsonform.Run{}, Jobs: []jobStand{},
	}
	for _, j := range f.jobs {
		m.Jobs = append(m.Jobs, newJobStand(j, f.resolve))
		if j.State.Unresolved() {
			m.Unknown = append(m.Unknown, newUnknownStand(j.Entry, f.now, f.settle))
		}
	}
	slices.SortStableFunc(m.Unknown, func(x, y unknownStand) int { return compareTimes(x.SettlesAt, y.SettlesAt) })
	m.Plans = planStands(m.Jobs, f.runs)
	m.Endpoints = countEndpoints(m.Jobs)
	m.countStands()
	m.Sources = sourceStands(m.Jobs)
	m.Timeline = newTimeline(f.attempts)
	m.Failures = failureGroups(m.Jobs, f.runs)
	if len(f.asked) > 0 {
		m.Sync = newSyncStand(m.Jobs)
	}
	for _, r := range f.runs[:min(len(f.runs), runsReported)] {
		m.Runs = append(m.Runs, newRunJSON(r))
	}
	return m
}

// reportTitle names the plans, as long as they are few.
func reportTitle(plans []string, jobs []jobStatus) string {
	if len(plans) == 0 {
		for _, j := range jobs {
			plans = append(plans, j.Plan)
		}
		slices.Sort(plans)
		plans = slices.Compact(plans)
	}
	if len(plans) == 0 || len(plans) > 3 {
		return fmt.Sprintf("%d plans", len(plans))
	}
	return strings.Join(plans, ", ")
}
