package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// ErrNameTaken says that a plan has an entry of the name that was to be given.
var ErrNameTaken = errors.New("the ledger has a job of that name in that plan")

// Rename gives one entry another name within its plan and returns when that is
// on disk. Its attempts follow it, and its history as History tells it; the job
// keeps its name on the service, where nothing can rename it.
//
// It is for entries whose job is known by its id, or that have none: an attempt
// whose outcome is open, or a conflict about a name, is looked for by that name,
// and renaming it is ErrIllegal. The error is plan.ErrMovedOn when the entry is
// not as m says and ErrNameTaken when the plan has name to already; nothing is
// written then.
func (l *Ledger) Rename(ctx context.Context, m Mark, to string, p Person) error {
	op := fmt.Sprintf("rename job %q of plan %q to %q", m.Name, m.Plan, to)
	err := p.check()
	switch {
	case err != nil:
	case to == "" || to == m.Name:
		err = errors.New("the new name must be another one")
	case !(plan.Entry{State: m.State}).Renamable():
		err = fmt.Errorf("a job in state %q is looked for by its name", m.State)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: %w", op, ErrIllegal, err)
	}
	return l.write(ctx, op, func(w *writer) error { return w.rename(m, to, p) })
}

// Move is Rename by what a plan says. A name that is taken, or an entry that is not
// as given, is plan.ErrMovedOn.
func (l *Ledger) Move(ctx context.Context, entry plan.Entry, to, runID string, at time.Time) error {
	err := l.Rename(ctx, MarkOf(entry), to, Person{Who: "the plan", Reason: "moved says so", RunID: runID, At: at})
	if errors.Is(err, ErrNameTaken) {
		return plan.ErrMovedOn
	}
	return err
}

func (w *writer) rename(m Mark, to string, p Person) error {
	var there int
	err := w.scan("SELECT 1 FROM entries WHERE plan = ? AND name = ?", []any{m.Plan, to}, &there)
	switch {
	case err == nil:
		return ErrNameTaken
	case !errors.Is(err, sql.ErrNoRows):
		return err
	}
	id, jobID, err := w.find(m.Plan, m.Name, m.State, m.Attempt)
	if err != nil {
		return err
	}
	// Its date stays: it says how late the ledger knows of the job, and a name says nothing of it.
	if _, err := w.exec("UPDATE entries SET name = ? WHERE id = ?", to, id); err != nil {
		return err
	}
	left := Event{At: p.At, Plan: m.Plan, Name: m.Name, Attempt: m.Attempt, From: m.State, To: plan.StateNone,
		Run: p.RunID, JobID: jobID, Reason: "renamed to " + to + ": " + p.Reason,
		Evidence: PersonEvidence{Who: p.Who, Reason: p.Reason, RenamedTo: to}.JSON()}
	if err := w.event(left); err != nil {
		return err
	}
	came := left
	came.Name, came.From, came.To = to, plan.StateNone, m.State
	came.Reason = "renamed from " + m.Name + ": " + p.Reason
	came.Evidence = PersonEvidence{Who: p.Who, Reason: p.Reason, RenamedFrom: m.Name}.JSON()
	return w.event(came)
}
