package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// Event is one transition that was committed. Events are never changed.
type Event struct {
	ID         int64 // their order
	Serial     int64 // the ledger's serial after it
	At         time.Time
	Run        string // id of the run that made it, "" outside of runs
	Plan, Name string
	Attempt    int
	From, To   plan.State
	JobID      string
	RequestID  string
	Code       string
	Reason     string
	Evidence   string // JSON, or ""
}

// event counts a change of an entry and keeps its row. The count itself is written
// once for all events of the transaction, see transact.
func (w *writer) event(e Event) error {
	w.serial++
	if e.Plan != w.alone {
		w.alone = "" // it may have an open entry now
	}
	_, err := w.exec(`INSERT INTO events (serial, at_ms, run_id, plan, name, attempt, from_state, to_state,
		aps_job_id, request_id, code, reason, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		w.serial, toMs(e.At), e.Run, e.Plan, e.Name, e.Attempt, string(e.From), string(e.To),
		e.JobID, e.RequestID, e.Code, e.Reason, e.Evidence)
	return err
}

// EventFilter chooses events; the zero EventFilter is all of them.
type EventFilter struct {
	Plan, Name, Run string
	After, Through  int64 // ids: later than After, and no later than Through unless that is 0
}

// Events returns what happened to a job, oldest first. A name of "" means all
// jobs of the plan, and a plan of "" all of the ledger.
func (l *Ledger) Events(ctx context.Context, planName, name string) (events []Event, err error) {
	if planName == "" {
		name = ""
	}
	events, err = l.events(ctx, EventFilter{Plan: planName, Name: name})
	return events, trouble(l.path, fmt.Sprintf("read the events of job %q of plan %q", name, planName), err)
}

// EventsOf returns the events that f chooses, oldest first.
func (l *Ledger) EventsOf(ctx context.Context, f EventFilter) ([]Event, error) {
	events, err := l.events(ctx, f)
	return events, trouble(l.path, "read its events", err)
}

func (l *Ledger) events(ctx context.Context, f EventFilter) (events []Event, err error) {
	where, args := "id > ?", []any{f.After}
	also := func(condition string, value any, zero bool) {
		if !zero {
			where, args = where+" AND "+condition, append(args, value)
		}
	}
	also("plan = ?", f.Plan, f.Plan == "")
	also("name = ?", f.Name, f.Name == "")
	also("run_id = ?", f.Run, f.Run == "")
	also("id <= ?", f.Through, f.Through == 0)
	err = each(ctx, l.read, `SELECT id, serial, at_ms, run_id, plan, name, attempt, from_state, to_state,
		aps_job_id, request_id, code, reason, evidence FROM events WHERE `+where+` ORDER BY id`, args,
		func(rows *sql.Rows) error {
			var e Event
			var at sql.NullInt64
			err := rows.Scan(&e.ID, &e.Serial, &at, &e.Run, &e.Plan, &e.Name, &e.Attempt, &e.From, &e.To,
				&e.JobID, &e.RequestID, &e.Code, &e.Reason, &e.Evidence)
			e.At = fromMs(at)
			events = append(events, e)
			return err
		})
	return events, err
}

// LastEvent returns the id of the last event by the end of a run: its own last
// one, or where it has none, the last before it started; 0 when there is none.
func (l *Ledger) LastEvent(ctx context.Context, runID string) (id int64, err error) {
	err = l.read.QueryRowContext(ctx, `SELECT coalesce((SELECT max(id) FROM events WHERE run_id = ?1),
		(SELECT max(id) FROM events WHERE at_ms <= (SELECT started_at_ms FROM runs WHERE id = ?1)), 0)`, runID).Scan(&id)
	return id, trouble(l.path, "read its events", err)
}
