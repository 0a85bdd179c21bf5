package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/aps"
	"github.com/apsctl/apsctl/internal/jsonform"
	"github.com/apsctl/apsctl/internal/printable"
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// resolution is what one resolve did.
type resolution struct {
	run         string // "" when there was nothing to do
	looked      []plan.Listing
	settlements []runner.Settlement
	done        []doneByHand
	heldBack    []runner.HeldJob
	calls       []aps.CallCount
}

// reread takes in what was changed by hand after the look.
func (r *resolution) reread(ctx context.Context, ledger *store.Ledger) error {
	for _, d := range r.done {
		snapshot, err := ledger.Snapshot(ctx, d.Entry.Plan)
		if err != nil {
			return err
		}
		for i := range r.settlements {
			s := &r.settlements[i]
			if s.Before.Plan == d.Entry.Plan && s.Before.Name == d.Entry.Name {
				s.After, s.SettlesAt, s.Due, s.Held = snapshot.Entries[d.Entry.Name], time.Time{}, false, false
			}
		}
	}
	return nil
}

// resolveCounts are how the jobs that were looked for stand now.
type resolveCounts struct {
	Settled int `json:"settled"`
	Unknown int `json:"unknown"`
	Due     int `json:"due"`          // of the unknown, those that no later look may settle by itself
	Person  int `json:"needs_person"` // held ones included
	ByHand  int `json:"by_hand"`
	// HeldBack are jobs of which a create was sent lately that no entry of the plan accounts for.
	HeldBack int `json:"held_back"`
}

func (r *resolution) counts() resolveCounts {
	c := resolveCounts{HeldBack: len(r.heldBack)}
	for _, d := range r.done {
		if !d.Already {
			c.ByHand++
		}
	}
	for _, s := range r.settlements {
		switch {
		case s.Held && s.After.State.Unresolved():
			c.Person++
		case s.After.State.Unresolved():
			c.Unknown++
			if s.Due {
				c.Due++
			}
		case s.After.State.NeedsPerson():
			c.Person++
		default:
			c.Settled++
		}
	}
	return c
}

func (r *resolution) exitCode() int {
	if c := r.counts(); c.Unknown+c.Person+c.HeldBack > 0 {
		return exitUnknown
	}
	return exitDone
}

func (c *resolveCommand) print(r resolution) error {
	if c.output.json() {
		return writeJSON(c.app.stdout, newResolveJSON(c.plan, r, c.line))
	}
	return writeResolution(c.app.stdout, r, c.full, c.line)
}

func writeResolution(w io.Writer, r resolution, full bool, resolve resolveLine) error {
	var b strings.Builder
	if r.run == "" {
		writeHeldBack(&b, r.heldBack, full, resolve)
		if b.Len() > 0 {
			_, err := io.WriteString(w, strings.TrimPrefix(b.String(), "\n"))
			return err
		}
		b.WriteString("Nothing to settle: no create is without an answer, and nothing waits for a person.\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	for _, l := range r.looked {
		fmt.Fprintf(&b, "Looked in %s: the complete listing has %s.\n", printable.Line(l.Region), plan.Count(len(l.Jobs), "job"))
	}
	shown := len(r.settlements)
	if !full {
		shown = min(shown, jobsShown)
	}
	for _, s := range r.settlements[:shown] {
		writeSettlement(&b, s, resolve)
	}
	if more := len(r.settlements) - shown; more > 0 {
		fmt.Fprintf(&b, "… and %s; --full lists all\n", plan.Count(more, "more job"))
	}
	for _, d := range r.done {
		writeDone(&b, d)
	}
	c := r.counts()
	fmt.Fprintf(&b, "\n%d settled, %d unknown, %d for a person.\n", c.Settled, c.Unknown, c.Person)
	if c.Unknown > c.Due {
		b.WriteString("For the unknown there is nothing to do: the next apply looks for them, and so does resolve.\n")
	}
	writeHeldBack(&b, r.heldBack, full, resolve)
	_, err := io.WriteString(w, b.String())
	return err
}

// writeSettlement says of one job what was sent and when, what happened, where
// it was looked for, and when or how it is settled.
func writeSettlement(b *strings.Builder, s runner.Settlement, resolve resolveLine) {
	e := s.After
	if e.State == plan.StateNone { // forgotten by now
		e = s.Before
	}
	line := func(format string, args ...any) {
		fmt.Fprintf(b, "  %s\n", printable.Line(fmt.Sprintf(format, args...)))
	}
	fmt.Fprintf(b, "\n%s of plan %s: %s\n", printable.Line(e.Name), printable.Line(e.Plan), settledText(s))
	if !s.Before.SignedAt.IsZero() {
		request := ""
		if s.Before.RequestID != "" {
			request = ", request " + s.Before.RequestID
		}
		line("sent %s (attempt %d%s): %s", shownAt(s.Before.SignedAt), s.Before.Attempt, request, happened(s.Before))
	}
	if s.Found != "" {
		line("looked in %s: %s", e.Region, s.Found)
	}
	if len(s.Listed) > 0 && s.Open() {
		line("under its name the service lists %s", seenText(s.Listed))
	}
	switch {
	case s.After.State.Unresolved() && !s.Due:
		line("settles at %s", shownAt(s.SettlesAt))
	case s.Open():
		line("%s", wayOutOf(s, resolve))
	}
}

// wayOutOf is wayOut of an entry that was just looked for.
func wayOutOf(s runner.Settlement, resolve resolveLine) string {
	e := s.After
	absent := fmt.Sprintf("%s --absent %s", resolve.order(e.Plan), printable.ShellWord(e.Name))
	switch {
	case e.State.Unresolved() && s.Held:
		return "to have it created by the next apply: " + absent
	case e.State.Unresolved() && s.Due:
		return fmt.Sprintf("could be settled since %s; if you know that no job exists: %s", shownAt(s.SettlesAt), absent)
	}
	return wayOut(e, resolve)
}

func settledText(s runner.Settlement) string {
	switch s.After.State {
	case plan.StateNone:
		return "forgotten"
	case plan.StateCreated:
		return "created, as " + printable.Line(s.After.JobID)
	case plan.StateAbsent:
		return "absent; the next apply creates it, if the plan still wants it"
	case plan.StateIntent, plan.StateUnknown:
		if s.Held {
			return "unknown, and held; a person settles it"
		}
		return "unknown"
	}
	return string(s.After.State) + "; a person settles it"
}

// happened says what came of the attempt, as far as it was recorded.
func happened(e plan.Entry) string {
	switch {
	case e.State == plan.StateIntent:
		return "the run ended before an answer was recorded"
	case e.Reason != "":
		return e.Reason
	}
	return "no answer says what became of it"
}

func writeDone(b *strings.Builder, d doneByHand) {
	text := map[runner.OrderKind]string{
		runner.OrderAdopt: "adopted as " + d.JobID, runner.OrderAbsent: "absent", runner.OrderForget: "forgotten",
	}[d.Kind]
	if d.Already {
		text = "already " + text + "; nothing was written"
	}
	fmt.Fprintf(b, "\nBy hand, of plan %s: %s is %s.\n", printable.Line(d.Entry.Plan), printable.Line(d.Entry.Name), printable.Line(text))
	if d.Forced != "" {
		fmt.Fprintf(b, "  Forced, although %s\n", printable.Line(d.Forced))
	}
	for _, note := range d.Notes {
		fmt.Fprintf(b, "  Note: %s\n", printable.Line(note))
	}
}

type resolveJSON struct {
	Run      string         `json:"run"`
	Plan     string         `json:"plan"` // "" for all plans
	Looked   []lookedJSON   `json:"looked"`
	Jobs     []settledJSON  `json:"jobs"`
	ByHand   []byHandJSON   `json:"by_hand"`
	HeldBack []heldBackJSON `json:"held_back"`
	Counts   resolveCounts  `json:"counts"`
	ExitCode int            `json:"exit_code"`
}

type lookedJSON struct {
	Region string     `json:"region"`
	Listed int        `json:"listed"`
	At     *time.Time `json:"at,omitempty"` // by the service's clock
}

// settledJSON is one job that was looked for; state is "" once it is forgotten.
type settledJSON struct {
	Plan       string       `json:"plan"`
	Name       string       `json:"name"`
	Before     plan.State   `json:"before"`
	State      plan.State   `json:"state"`
	Attempts   int          `json:"attempts"`
	Region     string       `json:"region"`
	JobID      string       `json:"aps_job_id"`
	Candidates []string     `json:"candidates,omitempty"`
	SentAt     *time.Time   `json:"sent_at,omitempty"`
	RequestID  string       `json:"request_id"`
	Happened   string       `json:"happened"`
	Found      string       `json:"found"`
	SettlesAt  *time.Time   `json:"settles_at,omitempty"`
	Due        bool         `json:"due"`  // settles_at has come, and a proof is missing
	Held       bool         `json:"held"` // proven absent, and held for a person
	Listed     []listedJSON `json:"listed"`
	WayOut     string       `json:"way_out"`
}

type listedJSON struct {
	JobID       string `json:"aps_job_id"`
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Status      string `json:"status"`
}

type byHandJSON struct {
	Order   runner.OrderKind `json:"order"`
	Plan    string           `json:"plan"`
	Name    string           `json:"name"`
	JobID   string           `json:"aps_job_id"`
	Who     string           `json:"who"`
	Already bool             `json:"already,omitempty"` // it was so, and nothing was written
	Forced  string           `json:"forced,omitempty"`
	Notes   []string         `json:"notes,omitempty"`
}

func newResolveJSON(planName string, r resolution, line resolveLine) resolveJSON {
	out := resolveJSON{
		Run: r.run, Plan: planName, Counts: r.counts(), ExitCode: r.exitCode(),
		Looked: []lookedJSON{}, Jobs: []settledJSON{}, ByHand: []byHandJSON{}, HeldBack: newHeldBackJSON(r.heldBack),
	}
	for _, l := range r.looked {
		out.Looked = append(out.Looked, lookedJSON{l.Region, len(l.Jobs), jsonform.Time(l.ServerStart)})
	}
	for _, s := range r.settlements {
		one := settledJSON{
			Plan: s.Before.Plan, Name: s.Before.Name, Before: s.Before.State, State: s.After.State,
			Attempts: s.Before.Attempt, Region: s.Before.Region, JobID: s.After.JobID, Candidates: s.After.Candidates,
			SentAt: jsonform.Time(s.Before.SignedAt), RequestID: s.Before.RequestID, Happened: happened(s.Before),
			Found: s.Found, SettlesAt: jsonform.Time(s.SettlesAt), Due: s.Due, Held: s.Held, Listed: []listedJSON{}, WayOut: wayOutOf(s, line),
		}
		for _, job := range s.Listed {
			one.Listed = append(one.Listed, listedJSON{job.ID, job.SourceInstance, job.DestinationInstance, job.Status})
		}
		out.Jobs = append(out.Jobs, one)
	}
	for _, d := range r.done {
		out.ByHand = append(out.ByHand, byHandJSON{d.Kind, d.Entry.Plan, d.Entry.Name, d.JobID, d.who, d.Already, d.Forced, d.Notes})
	}
	return out
}
