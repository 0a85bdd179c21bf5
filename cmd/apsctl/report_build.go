package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/plan"
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
	ledger   ledgerJSON
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
		Sources: []sourceStand{}, Failures: []failureGroup{}, Unknown: []unknownStand{}, Runs: []runJSON{}, Jobs: []jobStand{},
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

func newJobStand(j jobStatus, resolve resolveLine) jobStand {
	s := jobStand{
		Plan: j.Plan, Name: j.Name, Stand: standOf(j), State: j.State, Region: j.Region,
		Source: j.Spec.Source.Instance, Destination: j.Spec.Destination.Instance, JobID: j.JobID,
		Attempts: j.Attempt, UpdatedAt: j.UpdatedAt, Code: j.Code, Reason: j.Reason, WayOut: wayOut(j.Entry, resolve),
	}
	s.Tone = s.Stand.tone()
	if r := j.remote; r != nil {
		s.Service = &jobListing{r.Status, r.Progress, r.DelaySeconds, r.ErrorMessage, j.others, newLogsJSON(j.logs)}
	}
	return s
}

func standOf(j jobStatus) stand {
	switch {
	case j.State.Unresolved():
		return standUnknown
	case j.State.NeedsPerson():
		return standPerson
	case j.State != plan.StateCreated:
		return standFailed
	case !j.asked:
		return standCreated
	case j.remote == nil:
		return standUnlisted
	}
	switch plan.ClassOf(j.remote.Status) {
	case plan.ClassRunning:
		return standRunning
	case plan.ClassFailed:
		return standUnhealthy
	case plan.ClassSuspended:
		return standSuspended
	}
	return standStarting
}

func newUnknownStand(e plan.Entry, now time.Time, settle time.Duration) unknownStand {
	u := unknownStand{Plan: e.Plan, Name: e.Name, Attempt: e.Attempt, Reason: e.Reason}
	if !e.SignedAt.IsZero() {
		settles := e.SignedAt.Add(settle).UTC()
		u.SentAt, u.SettlesAt, u.Due = timeJSON(e.SignedAt), &settles, !now.Before(settles)
	}
	return u
}

// compareTimes puts what is not known last.
func compareTimes(x, y *time.Time) int {
	switch {
	case x == nil && y == nil:
		return 0
	case x == nil:
		return 1
	case y == nil:
		return -1
	}
	return x.Compare(*y)
}

// planStands lists the plans, by name. How many jobs a plan wants is what its last
// apply that came to the end of its planning counted.
func planStands(jobs []jobStand, runs []pastRun) []planStand {
	byName := map[string]*planStand{}
	at := func(name string) *planStand {
		if byName[name] == nil {
			byName[name] = &planStand{Plan: name}
		}
		return byName[name]
	}
	for _, j := range jobs {
		p := at(j.Plan)
		p.Jobs++
		if j.State == plan.StateCreated {
			p.Created++
		}
	}
	planned := map[string]bool{}
	for _, r := range runs { // newest first
		if r.Plan == "" {
			continue
		}
		p := at(r.Plan)
		p.LastRun = cmp.Or(p.LastRun, r.ID)
		i := slices.IndexFunc(r.counts, func(c countOf) bool { return c.Name == "planned" })
		if r.Command == "apply" && i >= 0 && !planned[r.Plan] {
			planned[r.Plan] = true
			p.Missing = max(0, r.counts[i].Count-p.Jobs)
		}
	}
	all := []planStand{}
	for _, p := range byName {
		all = append(all, *p)
	}
	slices.SortFunc(all, func(x, y planStand) int { return cmp.Compare(x.Plan, y.Plan) })
	return all
}

func countEndpoints(jobs []jobStand) endpointCounts {
	regions, sources, destinations := map[string]bool{}, map[[2]string]bool{}, map[[2]string]bool{}
	c := endpointCounts{Regions: []string{}}
	for _, j := range jobs {
		if !regions[j.Region] {
			regions[j.Region], c.Regions = true, append(c.Regions, j.Region)
		}
		sources[[2]string{j.Region, j.Source}], destinations[[2]string{j.Region, j.Destination}] = true, true
	}
	slices.Sort(c.Regions)
	c.Sources, c.Destinations = len(sources), len(destinations)
	return c
}

// countStands counts the jobs, those that are in no ledger yet too.
func (m *migration) countStands() {
	byStand, byState := map[stand]int{}, map[plan.State]int{}
	for _, j := range m.Jobs {
		byStand[j.Stand]++
		byState[j.State]++
	}
	for _, p := range m.Plans {
		byStand[standNotStarted] += p.Missing
	}
	m.Stands = standCounts(byStand)
	for _, c := range m.Stands {
		m.Total += c.Jobs
	}
	m.States = []stateCount{}
	for _, s := range plan.States {
		if n := byState[s]; n > 0 {
			m.States = append(m.States, stateCount{s, n})
		}
	}
}

// standCounts lists what is there, in the order of stands.
func standCounts(n map[stand]int) []standCount {
	counts := []standCount{}
	for _, s := range stands {
		if n[s.stand] > 0 {
			counts = append(counts, standCount{s.stand, s.tone, s.meaning, n[s.stand]})
		}
	}
	return counts
}

// exist is the number of jobs on the service, as far as is known.
func (m *migration) exist() int {
	n := 0
	for _, c := range m.Stands {
		if c.Stand.exists() {
			n += c.Jobs
		}
	}
	return n
}

// attention is the number of jobs that somebody has to do something about.
func (m *migration) attention() int {
	n := 0
	for _, c := range m.Stands {
		if c.Tone == toneBad || c.Tone == tonePerson {
			n += c.Jobs
		}
	}
	return n
}

// sourceStands lists the sources: those with something wrong first, then the
// larger ones.
func sourceStands(jobs []jobStand) []sourceStand {
	type key struct{ region, source string }
	counts := map[key]map[stand]int{}
	for _, j := range jobs {
		k := key{j.Region, j.Source}
		if counts[k] == nil {
			counts[k] = map[stand]int{}
		}
		counts[k][j.Stand]++
	}
	all := []sourceStand{}
	wrong := map[key]int{}
	for k, n := range counts {
		s := sourceStand{Region: k.region, Source: k.source, Stands: standCounts(n)}
		for _, c := range s.Stands {
			s.Jobs += c.Jobs
			if c.Stand.exists() {
				s.Exist += c.Jobs
			}
			if c.Tone == toneBad || c.Tone == tonePerson || c.Tone == toneWait {
				wrong[k] += c.Jobs
			}
		}
		all = append(all, s)
	}
	slices.SortFunc(all, func(x, y sourceStand) int {
		return cmp.Or(cmp.Compare(wrong[key{y.Region, y.Source}], wrong[key{x.Region, x.Source}]), cmp.Compare(y.Jobs, x.Jobs),
			cmp.Compare(x.Region, y.Region), cmp.Compare(x.Source, y.Source))
	})
	return all
}

// failureGroups puts together the jobs that fail alike, most first. The words are
// those of the job in the ledger, else of the last run with that cause.
func failureGroups(jobs []jobStand, runs []pastRun) []failureGroup {
	type key struct {
		stand stand
		cause string
	}
	groups := map[key]*failureGroup{}
	for _, j := range jobs {
		if j.Tone != toneBad && j.Tone != tonePerson {
			continue
		}
		k := key{j.Stand, causeOfStand(j)}
		g := groups[k]
		if g == nil {
			g = &failureGroup{Stand: j.Stand, Tone: j.Tone, Cause: k.cause, Words: wordsOf(j, runs), Next: nextStep(j)}
			groups[k] = g
		}
		if g.Jobs++; len(g.Names) < namesShown {
			g.Names = append(g.Names, j.Name)
		}
	}
	all := []failureGroup{}
	for _, g := range groups {
		all = append(all, *g)
	}
	slices.SortFunc(all, func(x, y failureGroup) int {
		return cmp.Or(cmp.Compare(y.Jobs, x.Jobs), cmp.Compare(x.Stand, y.Stand), cmp.Compare(x.Cause, y.Cause))
	})
	return all
}

func causeOfStand(j jobStand) string {
	switch {
	case j.Stand == standUnhealthy:
		return j.Service.Status
	case j.Stand == standUnlisted:
		return "the service does not list it"
	case j.Stand == standPerson || j.Code == "":
		return string(j.State)
	}
	return j.Code
}

func wordsOf(j jobStand, runs []pastRun) string {
	switch {
	case j.Stand == standUnhealthy:
		return serviceWords(j.Service)
	case j.Reason != "":
		return j.Reason
	}
	for _, r := range runs {
		for _, e := range r.detail.Errors {
			if e.Cause == j.Code {
				return e.Example
			}
		}
	}
	return ""
}

// serviceWords is what the service says of a job that failed, its last log too.
func serviceWords(l *jobListing) string {
	var parts []string
	if l.Message != "" && !strings.EqualFold(l.Message, "OK") {
		parts = append(parts, l.Message)
	}
	if n := len(l.Logs); n > 0 {
		if last := l.Logs[n-1]; last.Text != l.Message {
			parts = append(parts, fmt.Sprintf("last log, %s %s: %s", last.Stage, last.State, last.Text))
		}
	}
	return strings.Join(parts, "; ")
}

// nextStep is what to do about a job that is not as it should be.
func nextStep(j jobStand) string {
	switch {
	case j.Stand == standUnhealthy:
		return nextOf(codeJobUnhealthy)
	case j.Stand == standUnlisted:
		return "Run apply: it proves whether the job is gone. One that was deleted on purpose is then let go with apsctl resolve."
	case j.Stand == standPerson:
		return nextOf(codeJobPerson) + " For " + j.Name + ": " + j.WayOut + "."
	case j.State == plan.StateAbsent:
		return "Nothing: the next apply creates it, if the plan still wants it."
	case j.State == plan.StateNotSent:
		return nextOf(codeTemporary)
	}
	if failure := aps.FailureOfCode(j.Code); failure != plan.FailureOther {
		return nextOf(callCode(failure))
	}
	return "Mend what the service complains about, in the plan or on the service; the next apply tries again."
}

func nextOf(code errorCode) string {
	entry, _ := entryOf(code)
	return strings.TrimSuffix(strings.ReplaceAll(entry.Next, "`", ""), " Nothing was created.")
}

// newSyncStand looks at the jobs that are listed.
func newSyncStand(jobs []jobStand) *syncStand {
	s := &syncStand{}
	delays, progress := newRanges(delayRanges), newRanges(progressRanges)
	var running []jobStand
	for _, j := range jobs {
		if j.Service == nil {
			continue
		}
		if n, err := strconv.ParseFloat(strings.TrimSuffix(j.Service.Progress, "%"), 64); err == nil {
			progress.add(int64(n))
		} else {
			progress.none++
		}
		if j.Stand == standRunning {
			s.Running++
			delays.add(j.Service.Delay)
			s.MaxDelay = max(s.MaxDelay, j.Service.Delay)
			running = append(running, j)
		}
	}
	s.Delays, s.Progresses = delays.counts("not told"), progress.counts("not told")
	slices.SortStableFunc(running, func(x, y jobStand) int { return cmp.Compare(y.Service.Delay, x.Service.Delay) })
	s.Slowest = running[:min(len(running), slowestReported)]
	return s
}

// valueRange is up to and with the value; the last one has no end.
type valueRange struct {
	upTo int64
	text string
}

var (
	delayRanges    = []valueRange{{0, "0"}, {10, "1 to 10"}, {60, "11 to 60"}, {600, "61 to 600"}, {3600, "601 to 3,600"}, {1<<63 - 1, "more than 3,600"}}
	progressRanges = []valueRange{{0, "0 %"}, {25, "1 to 25 %"}, {50, "26 to 50 %"}, {75, "51 to 75 %"}, {99, "76 to 99 %"}, {1<<63 - 1, "100 %"}}
)

type ranges struct {
	of   []valueRange
	n    []int
	none int
}

func newRanges(of []valueRange) *ranges { return &ranges{of: of, n: make([]int, len(of))} }

func (r *ranges) add(value int64) {
	r.n[slices.IndexFunc(r.of, func(v valueRange) bool { return value <= v.upTo })]++
}

func (r *ranges) counts(none string) []rangeOf {
	var all []rangeOf
	for i, v := range r.of {
		all = append(all, rangeOf{v.text, r.n[i]})
	}
	if r.none > 0 {
		all = append(all, rangeOf{none, r.none})
	}
	return all
}
