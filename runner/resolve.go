package runner

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/crashpoint"
	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// heldReason is what is said of a create that is proven absent and that
// Options.OnUnknown leaves to a person.
const heldReason = "proven absent; held for a person, as on_unknown says"

// found is what a look at the service says about one unresolved create.
type found struct {
	to         plan.State // StateUnknown: nothing is proven yet, unless held
	held       bool       // proven absent, and a person lets it go
	due        bool       // unknown past its settle time: reason says what a proof lacks
	jobID      string
	candidates []string
	reason     string
	evidence   string
	baseline   []string // added to what the entry has, nil for nothing
	kept       bool     // a deletion that did not happen, and cannot any more
}

// evidence is stored with a transition as JSON and says how it is known.
type evidence struct {
	Kind       string    `json:"kind"` // found, absence or adopted
	Region     string    `json:"region"`
	ServerTime time.Time `json:"server_time,omitzero"`
	SignedAt   time.Time `json:"signed_at,omitzero"`
	SettleMs   int64     `json:"settle_ms,omitempty"`
	Listed     int       `json:"listed,omitempty"`
	Canary     string    `json:"canary,omitempty"`
}

func (e evidence) JSON() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic("runner: evidence cannot fail to marshal: " + err.Error())
	}
	return string(text)
}

// presence judges one unresolved create by the jobs now listed under its name.
// Presence counts at once, whatever kind of look showed it. taken holds the ids
// that the ledger already gave to entries.
//
// It returns StateUnknown when nothing is listed that could be the attempt's
// job: that alone proves nothing.
func (r *Run) presence(ctx context.Context, entry plan.Entry, named []plan.RemoteJob, taken map[string]bool) (found, error) {
	matches := newcomers(entry, named, taken)
	if mutant.On(mutant.FirstOfTwo) && len(matches) > 1 {
		matches = matches[:1]
	}
	switch len(matches) {
	case 0:
		return found{to: plan.StateUnknown}, nil
	case 1:
		return r.confirm(ctx, entry, matches[0])
	}
	ids := make([]string, len(matches))
	for i, job := range matches {
		ids[i] = job.ID
	}
	return found{
		to: plan.StateDuplicate, candidates: ids,
		reason: fmt.Sprintf("%d new jobs of this name are listed after one unanswered create", len(ids)),
	}, nil
}

// newcomers are the listed jobs that entry's latest attempt may have made:
// those of its exact name that were not there before and that no entry has.
func newcomers(entry plan.Entry, named []plan.RemoteJob, taken map[string]bool) []plan.RemoteJob {
	var fresh []plan.RemoteJob
	for _, job := range named {
		sameName := job.Name == entry.Name || mutant.On(mutant.FuzzyName)
		before := slices.Contains(entry.Baseline, job.ID) && !mutant.On(mutant.NoBaseline)
		if sameName && !before && !taken[job.ID] {
			fresh = append(fresh, job)
		}
	}
	return fresh
}

// confirm holds the single match against what the attempt said.
func (r *Run) confirm(ctx context.Context, entry plan.Entry, match plan.RemoteJob) (found, error) {
	differs := plan.DisagreeListed(entry.Spec, match)
	if len(differs) == 0 {
		detail, err := r.service.Detail(ctx, entry.Region, match.ID)
		if err != nil {
			return found{}, err
		}
		differs = plan.DisagreeDetail(entry.Spec, detail)
	}
	if len(differs) > 0 && !mutant.On(mutant.AnyMatch) {
		return found{
			to: plan.StateConflict, candidates: []string{match.ID},
			reason: fmt.Sprintf("job %s has this name, but %s", match.ID, strings.Join(differs, ", ")),
		}, nil
	}
	return found{
		to: plan.StateCreated, jobID: match.ID, reason: "found in the listing",
		evidence: evidence{Kind: "found", Region: entry.Region, SignedAt: entry.SignedAt}.JSON(),
	}, nil
}

// speaksFor reports whether this run's options are those of the entry's own plan. What
// another plan, or a person without the plan, waits for must not shorten what the plan
// said when it sent the create.
func (r *Run) speaksFor(planName string) bool { return planName != "" && planName == r.plan.Name }

// settleOf is how long after an entry's create absence is proof.
func (r *Run) settleOf(entry plan.Entry) time.Duration {
	if r.speaksFor(entry.Plan) {
		return r.options.Settle
	}
	return max(r.options.Settle, saidSettle(entry.Settle))
}

// saidSettle is what the plan said when it sent a create, where that was kept: versions
// before did not, and such a plan most likely said nothing.
func saidSettle(kept time.Duration) time.Duration { return cmp.Or(kept, SettleDefault) }

// holds reports whether an entry that is proven absent is left to a person.
func (r *Run) holds(entry plan.Entry) bool {
	return r.options.OnUnknown == plan.Hold || entry.OnUnknown == plan.Hold && !r.speaksFor(entry.Plan)
}

// settlesAt is the service time from which absence can be proven.
func (r *Run) settlesAt(entry plan.Entry) time.Time {
	if mutant.On(mutant.NoSettle) {
		return entry.SignedAt
	}
	return entry.SignedAt.Add(r.settleOf(entry))
}

// settlesHere is settlesAt by this machine's clock, for planning waits only.
func (r *Run) settlesHere(entry plan.Entry) time.Time {
	offset, _ := r.server.estimate()
	return r.settlesAt(entry).Add(-offset)
}

// settled reports whether that time has come, as far as is known here.
func (r *Run) settled(entry plan.Entry) bool {
	return !r.server.earliest().Before(r.settlesAt(entry))
}

// absence judges an unresolved create that the view does not show.
func (r *Run) absence(entry plan.Entry, v *view) found {
	proof, missing := r.certify(entry, v)
	switch {
	case missing != "":
		return found{to: plan.StateUnknown, reason: missing, due: !v.since.Before(r.settlesAt(entry))}
	case r.holds(entry):
		return found{to: plan.StateUnknown, held: true, reason: heldReason}
	}
	return found{to: plan.StateAbsent, reason: "proven absent", evidence: proof.JSON()}
}

// certify tries to prove that entry's job does not exist and that no request
// sent for it can still make it. Every condition of the absence certificate is
// checked here and nowhere else; missing says which one does not hold.
func (r *Run) certify(entry plan.Entry, v *view) (proof evidence, missing string) {
	at := v.since
	if at.Before(r.settlesAt(entry)) {
		return evidence{}, "not listed so far; settles at " + clockTime(r.settlesAt(entry))
	}
	if !v.listing.Agreed {
		return evidence{}, "not listed, but two scans in a row have not agreed yet"
	}
	canary, ok := v.canary(entry)
	if !ok {
		return evidence{}, "not listed, but the listing hides jobs that are known to exist, so it proves nothing: check that these credentials may see the whole region"
	}
	return evidence{
		Kind: "absence", Region: entry.Region, ServerTime: at, SignedAt: entry.SignedAt,
		SettleMs: r.settleOf(entry).Milliseconds(), Listed: len(v.listing.Jobs), Canary: canary,
	}, ""
}

// record writes what was found, if it is news. An entry that somebody else
// moved on meanwhile is left to them.
func (r *Run) record(ctx context.Context, entry plan.Entry, f found) error {
	if r.looks {
		r.suppose(entry, f)
		return nil
	}
	if f.kept {
		err := r.promise(ctx, entry, entry.Pending, entry.Pending.Modification(), "the deletion did not take effect")
		if errors.Is(err, plan.ErrMovedOn) {
			return nil
		}
		return err
	}
	if f.to == entry.State || f.to == plan.StateUnknown {
		return nil
	}
	err := r.ledger.Settle(context.WithoutCancel(ctx), plan.Transition{
		Plan: entry.Plan, Name: entry.Name, From: entry.State, Attempt: entry.Attempt,
		To: f.to, JobID: f.jobID, Baseline: f.baseline, Candidates: f.candidates, Reason: f.reason,
		Evidence: f.evidence, RunID: r.options.RunID, At: r.clock.Now(),
	})
	if err == nil || errors.Is(err, plan.ErrMovedOn) {
		crashpoint.At(crashpoint.UnknownSettled)
		return nil
	}
	return ledgerFailed(fmt.Sprintf("record job %q as %s", entry.Name, f.to), err)
}

// clockTime formats a moment for people, with its zone, and with its date unless that
// is today's.
func clockTime(t time.Time) string {
	const day, clock = "2006-01-02 ", "15:04:05 MST"
	t = t.Local()
	if t.Format(day) == time.Now().Format(day) {
		return t.Format(clock)
	}
	return t.Format(day + clock)
}
