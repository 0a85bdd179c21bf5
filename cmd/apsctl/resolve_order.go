package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
	"github.com/apsctl/apsctl/store"
)

// byHand is what a person tells resolve to do with single jobs.
type byHand struct {
	adopt, absent, forget []string
	reason                string
	force                 bool
}

func (h *byHand) addFlags(flags *pflag.FlagSet) {
	flags.StringArrayVar(&h.adopt, "adopt", nil, "take this job of the service for the plan's, as `NAME=APSID`")
	flags.StringArrayVar(&h.absent, "absent", nil, "vouch that no job exists for `NAME`; the next apply may create it")
	flags.StringArrayVar(&h.forget, "forget", nil, "remove `NAME` from the ledger; its job, if any, stays on the service")
	flags.StringVar(&h.reason, "reason", "", "`why`; required by these three, and kept")
	flags.BoolVar(&h.force, "force", false, "carry these three out against an objection, which is kept as well")
}

// check finds mistakes that need no ledger to be seen.
func (h *byHand) check(cmd *cobra.Command) error {
	seen := map[string]bool{}
	for _, text := range h.adopt {
		name, id, ok := cutLast(text)
		if !ok || name == "" || id == "" {
			return usagef(cmd, "--adopt is NAME=APSID, not %q", text)
		}
	}
	for _, order := range h.list() {
		if seen[order.Entry.Name] {
			return usagef(cmd, "job %q is told two things at once: one of --adopt, --absent and --forget is enough", order.Entry.Name)
		}
		seen[order.Entry.Name] = true
	}
	switch {
	case len(seen) > 0:
		return checkReason(cmd, h.reason)
	case h.reason != "" || h.force:
		return usagef(cmd, "--reason and --force go with --adopt, --absent or --forget, and there is none")
	}
	return nil
}

// cutLast cuts around the last "=": an id has none, a name may.
func cutLast(text string) (name, id string, ok bool) {
	i := strings.LastIndex(text, "=")
	if i < 0 {
		return "", "", false
	}
	return text[:i], text[i+1:], true
}

// list returns the orders as they were given, with nothing but the name filled in.
func (h *byHand) list() []runner.Order {
	var orders []runner.Order
	add := func(kind runner.OrderKind, name, id string) {
		orders = append(orders, runner.Order{Kind: kind, JobID: id, Force: h.force, Entry: plan.Entry{Name: name}})
	}
	for _, text := range h.adopt {
		name, id, _ := cutLast(text)
		add(runner.OrderAdopt, name, id)
	}
	for _, name := range h.absent {
		add(runner.OrderAbsent, name, "")
	}
	for _, name := range h.forget {
		add(runner.OrderForget, name, "")
	}
	return orders
}

// orders finds what each order is about, in the ledger or else in the plan file.
func (h *byHand) orders(cmd *cobra.Command, ledger *store.Ledger, entries []plan.Entry, wanted *plan.Plan) ([]runner.Order, error) {
	orders := h.list()
	for i := range orders {
		o := &orders[i]
		name := o.Entry.Name
		var plans []string
		for _, e := range entries {
			if e.Name == name {
				o.Entry = e
				plans = append(plans, e.Plan)
			}
		}
		if len(plans) > 1 {
			return nil, severalPlans(cmd, name, plans)
		}
		planName := ""
		if wanted != nil {
			planName = wanted.Name
			for j := range wanted.Jobs {
				if wanted.Jobs[j].Name == name {
					o.Job, o.Entry.Plan = &wanted.Jobs[j], wanted.Name
				}
			}
		}
		if len(plans) == 0 && (o.Job == nil || o.Kind != runner.OrderAdopt) {
			return nil, noSuchJob(ledger, planName, name)
		}
	}
	return orders, nil
}

func onlyForget(orders []runner.Order) bool {
	for _, o := range orders {
		if o.Kind != runner.OrderForget {
			return false
		}
	}
	return true
}

// doneByHand is one order that was carried out.
type doneByHand struct {
	runner.Decision
	who string
}

// carryOut judges every order against the ledger as it is after the look, and
// carries them out if none is refused.
func (h *byHand) carryOut(ctx context.Context, ledger *store.Ledger, resolver *runner.Resolver, runID string, orders []runner.Order) ([]doneByHand, error) {
	person := newPerson(h.reason, runID)
	decisions := make([]runner.Decision, len(orders))
	for i, o := range orders {
		snapshot, err := ledger.Snapshot(ctx, o.Entry.Plan)
		if err != nil {
			return nil, err
		}
		if now, ok := snapshot.Entries[o.Entry.Name]; ok {
			o.Entry = now
		}
		if decisions[i], err = resolver.Judge(ctx, o); err != nil {
			return nil, err
		}
	}
	var done []doneByHand
	for _, d := range decisions {
		var err error
		switch {
		case d.Already:
		case d.Kind == runner.OrderForget:
			err = ledger.Forget(ctx, store.MarkOf(d.Entry), d.Forced != "", person)
		default:
			err = ledger.Settle(ctx, transition(d, person))
		}
		if err != nil {
			return done, err
		}
		done = append(done, doneByHand{d, person.Who})
	}
	return done, nil
}

// transition is what an adoption or an absence by hand writes.
func transition(d runner.Decision, person store.Person) plan.Transition {
	proof := store.PersonEvidence{Who: person.Who, Reason: person.Reason, Forced: d.Forced != "", Seen: seenText(d.Seen)}
	t := plan.Transition{
		Plan: d.Entry.Plan, Name: d.Entry.Name, From: d.Entry.State, Attempt: d.Entry.Attempt, To: plan.StateAbsent,
		Reason: "no job exists, by hand: " + person.Reason, Evidence: proof.JSON(), Baseline: d.Baseline(), RunID: person.RunID, At: person.At,
	}
	if d.Kind == runner.OrderAdopt {
		t.To, t.JobID, t.Reason = plan.StateCreated, d.JobID, "adopted by hand: "+person.Reason
		t.Spec, t.Digest, t.Labels = d.Spec, plan.HashSpec(d.Spec), d.Entry.Labels
		if d.Job != nil {
			t.Labels = d.Job.Labels
		}
	}
	return t
}

// seenText says what was listed, in one line.
func seenText(jobs []plan.RemoteJob) string {
	texts := make([]string, len(jobs))
	for i, job := range jobs {
		texts[i] = fmt.Sprintf("%s (%s to %s)", job.ID, job.SourceInstance, job.DestinationInstance)
		if job.Status != "" {
			texts[i] = strings.TrimSuffix(texts[i], ")") + ", " + job.Status + ")"
		}
	}
	return strings.Join(texts, ", ")
}
