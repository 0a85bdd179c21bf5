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

// event counts a change of an entry and keeps its row.
func (w *writer) event(e Event) error {
	var serial int64
	if err := w.scan("UPDATE meta SET serial = serial + 1 WHERE id = 1 RETURNING serial", nil, &serial); err != nil {
		return err
	}
	_, err := w.exec(`INSERT INTO events (serial, at_ms, run_id, plan, name, attempt, from_state, to_state,
		aps_job_id, request_id, code, reason, evidence) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		serial, toMs(e.At), e.Run, e.Plan, e.Name, e.Attempt, string(e.From), string(e.To),
		e.JobID, e.RequestID, e.Code, e.Reason, e.Evidence)
	return err
}

// Events returns what happened to a job, oldest first. A name of "" means all
// jobs of the plan, and a plan of "" all of the ledger.
func (l *Ledger) Events(ctx context.Context, planName, name string) (events []Event, err error) {
	where, args := "TRUE", []any(nil)
	if planName != "" {
		where, args = "plan = ?", []any{planName}
		if name != "" {
			where, args = "plan = ? AND name = ?", []any{planName, name}
		}
	}
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
	return events, trouble(l.path, fmt.Sprintf("read the events of job %q of plan %q", name, planName), err)
}
