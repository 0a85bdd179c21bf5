package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"os"
	"slices"
	"time"

	"github.com/apsctl/apsctl/plan"
)

// What was promised lately is noted beside the ledger as well, in a file that
// outlives it: with a ledger that is lost or put back to an older state, it tells
// of the creates that the service may have and not list yet. It is one JSON object a
// line, appended behind the commit of the promise and before its request can leave.
// It is not synced: it has to survive the death of the process, and a power cut that
// takes its end leaves the ledger whole.
const (
	sentSuffix = ".sent"
	// sentKeep is how long lines are kept at least.
	sentKeep = 24 * time.Hour
	// sentLineMax is more than a line takes; what is longer is none of ours.
	sentLineMax = 8 << 10
	// sentReadMax is how much of the file is read, from its end.
	sentReadMax = 256 << 20
)

// sentLine is one line of the file.
type sentLine struct {
	SignedAtMs int64  `json:"at"`
	Plan       string `json:"plan"`
	Name       string `json:"name"`
	Region     string `json:"region"`
	Data       string `json:"data,omitempty"` // Spec.DataKey
	Attempt    int    `json:"attempt"`
	SettleMs   int64  `json:"settle,omitempty"`
	Forgotten  bool   `json:"forgotten,omitempty"`
}

// sentNotes is the file as the ledger that writes has it. Whoever leads the queue
// owns it, but for err.
type sentNotes struct {
	file   *os.File // nil until something is noted
	text   []byte   // used again and again
	ragged bool     // the file may end in the middle of a line
	err    error    // the first trouble; the ledger's mu guards it
}

// lineOf is the line that an intent leaves.
func lineOf(in plan.Intent) []byte {
	return sentLine{
		SignedAtMs: in.SignedAt.UnixMilli(), Plan: in.Plan, Name: in.Name, Region: in.Spec.Region,
		Data: in.Spec.DataKey(), Attempt: in.Attempt, SettleMs: in.Settle.Milliseconds(),
	}.text()
}

func (s sentLine) sent() plan.Sent {
	return plan.Sent{
		Plan: s.Plan, Name: s.Name, Region: s.Region, Data: s.Data, Attempt: s.Attempt,
		SignedAt: time.UnixMilli(s.SignedAtMs).UTC(), Settle: time.Duration(s.SettleMs) * time.Millisecond, Forgotten: s.Forgotten,
	}
}

// text is the line as it is written. JSON keeps whatever a name has in it on one line.
func (s sentLine) text() []byte {
	line, err := json.Marshal(s)
	if err != nil {
		return nil // numbers and strings always marshal
	}
	return append(line, '\n')
}

// noteSent notes the promises of batch, which was committed. A failure fails none
// of them: the ledger has them, and says itself when the disk is full.
func (l *Ledger) noteSent(batch []*item) {
	n := &l.sent
	n.text = n.text[:0]
	for _, it := range batch {
		if it.err == nil {
			n.text = append(n.text, it.sent...)
		}
	}
	if len(n.text) == 0 {
		return
	}
	if err := n.write(l.path); err != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		if n.err == nil {
			n.err = err
		}
	}
}

// noteForgotten notes line on disk, for whoever leads the queue: its entry is about to go,
// and the ledger does not tell of the create any more.
func (l *Ledger) noteForgotten(line []byte) error {
	if len(line) == 0 {
		return nil
	}
	n := &l.sent
	n.text = append(n.text[:0], line...)
	err := n.write(l.path)
	if err == nil {
		err = n.file.Sync()
	}
	if err != nil {
		return sentTrouble(l.path, sentPath(l.path), err)
	}
	return nil
}

// write appends the text in one write.
func (n *sentNotes) write(ledger string) (err error) {
	if n.file == nil {
		if n.file, err = openSent(sentPath(ledger)); err != nil {
			return err
		}
		n.ragged = true // whoever wrote before may have died, or found the disk full
	}
	if n.ragged {
		n.text = append(n.text, 0)
		copy(n.text[1:], n.text)
		n.text[0] = '\n'
	}
	_, err = n.file.Write(n.text)
	n.ragged = err != nil
	return err
}

func (n *sentNotes) close() {
	if n.file != nil {
		_ = n.file.Close()
	}
}

// SentTrouble is what kept promises from being noted beside the ledger, nil for
// nothing. They hold all the same, as long as the ledger is not lost.
func (l *Ledger) SentTrouble() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sent.err
}

// Sent returns the creates that were noted of jobs and that the ledger does not account
// for, of those that asks says yes to: the last of each plan, name and region, in no
// order. It makes the file where there is none; an *Error says that it cannot be used,
// and what is promised could not be noted in it.
//
// A create of another plan counts too, since it is the region and the name that make a
// job: the plan may have been given another name, or the job may have moved. planName is
// the plan that asks.
func (l *Ledger) Sent(ctx context.Context, planName string, asks func(plan.Sent) bool) ([]plan.Sent, error) {
	path := sentPath(l.path)
	file, err := openSent(path)
	if err != nil {
		return nil, sentTrouble(l.path, path, err)
	}
	defer func() { _ = file.Close() }()
	last := map[[3]string]plan.Sent{}
	err = eachSent(file, func(_ []byte, line sentLine) bool {
		if s := line.sent(); asks(s) {
			// The order is that of the promises, whatever the clock did meanwhile.
			last[[3]string{s.Plan, s.Name, s.Region}] = s
		}
		return true
	})
	if err != nil {
		return nil, sentTrouble(l.path, path, err)
	}
	var sent []plan.Sent
	for _, s := range last {
		known, err := l.accountsFor(ctx, planName, s)
		if err != nil {
			return nil, trouble(l.path, "read what was sent", err)
		}
		if !known {
			sent = append(sent, s)
		}
	}
	if err := l.putOnRecord(ctx, sent); err != nil {
		return nil, trouble(l.path, "read what was sent", err)
	}
	return sent, nil
}

// accountsFor reports whether the ledger has a create: the entry of the same plan and
// name has that attempt, by its number, date and region. The date is compared, for a job
// that was forgotten begins with attempt 1 again. Another plan's entry has to say besides
// that there is no job.
func (l *Ledger) accountsFor(ctx context.Context, planName string, s plan.Sent) (known bool, err error) {
	const query = "SELECT state FROM entries JOIN attempts ON entry_id = entries.id" +
		" WHERE plan = ? AND name = ? AND attempts.attempt = ? AND attempts.signed_at_ms = ? AND attempts.region = ?"
	args := []any{s.Plan, s.Name, s.Attempt, s.SignedAt.UnixMilli(), s.Region}
	err = each(ctx, l.read, query, args, func(rows *sql.Rows) error {
		var state plan.State
		if err := rows.Scan(&state); err != nil {
			return err
		}
		known = s.Plan == planName || state.HasNoJob()
		return nil
	})
	return known, err
}

// putOnRecord says of each of sent what the ledger knows of it all the same.
func (l *Ledger) putOnRecord(ctx context.Context, sent []plan.Sent) error {
	if len(sent) == 0 {
		return nil
	}
	stands, err := l.standing(ctx, sent)
	if err != nil {
		return err
	}
	for i := range sent {
		s := &sent[i]
		stands := stands[createOf(*s)]
		s.Forgotten = s.Forgotten && !stands
		if s.OnRecord, err = l.onRecord(ctx, *s); err != nil {
			return err
		}
		s.OnRecord = s.OnRecord || stands
	}
	return nil
}

// sentCreate tells one create from every other: by the name that the service knows.
type sentCreate struct {
	plan, name, region string
	attempt            int
	signedAtMs         int64
}

func createOf(s plan.Sent) sentCreate {
	return sentCreate{s.Plan, s.Name, s.Region, s.Attempt, s.SignedAt.UnixMilli()}
}

// standing are the creates since the first of sent that an entry has, under whatever name:
// it was renamed, or was to be forgotten and the commit failed.
func (l *Ledger) standing(ctx context.Context, sent []plan.Sent) (map[sentCreate]bool, error) {
	first := slices.MinFunc(sent, func(a, b plan.Sent) int { return a.SignedAt.Compare(b.SignedAt) })
	const query = "SELECT plan, json_extract(spec, '$.name'), attempts.region, attempts.attempt, attempts.signed_at_ms" +
		" FROM attempts JOIN entries ON entries.id = entry_id WHERE attempts.signed_at_ms >= ?"
	stands := map[sentCreate]bool{}
	err := each(ctx, l.read, query, []any{first.SignedAt.UnixMilli()}, func(rows *sql.Rows) error {
		var c sentCreate
		err := rows.Scan(&c.plan, &c.name, &c.region, &c.attempt, &c.signedAtMs)
		stands[c] = true
		return err
	})
	return stands, err
}

// onRecord reports whether the ledger's history has the promise of a create. It outlives the
// entry, and tells under which name it was promised. The date and the region are compared,
// too, for another ledger numbers its attempts from 1 as well. Where the history was pruned,
// or written by a version that did not note these, it does not tell.
func (l *Ledger) onRecord(ctx context.Context, s plan.Sent) (known bool, err error) {
	const query = "SELECT EXISTS (SELECT 1 FROM events WHERE plan = ? AND name = ? AND attempt = ? AND to_state = 'intent'" +
		" AND iif(json_valid(evidence), json_extract(evidence, '$.signed_at') = ? AND json_extract(evidence, '$.region') = ?, 0))"
	err = l.read.QueryRowContext(ctx, query, s.Plan, s.Name, s.Attempt, exactly(s.SignedAt), s.Region).Scan(&known)
	return known, err
}

func sentTrouble(ledger, path string, err error) error {
	if _, kind := classify(err); kind == ErrFull {
		return &Error{Kind: kind, Path: ledger, Err: err, Text: path + ", where it is noted what was sent, cannot be written: " + adviceFull}
	}
	return &Error{Kind: ErrPermission, Path: ledger, Err: err,
		Text: path + ", where it is noted what was sent, cannot be used; it must be an ordinary file of this user, and no symbolic link"}
}
