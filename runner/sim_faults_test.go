package runner_test

import (
	"math/rand/v2"
	"time"
)

// kind is one way in which the world fails.
type kind string

const (
	dropBefore   kind = "request-lost"
	dropAfter    kind = "answer-lost"
	hang         kind = "hang"
	cutBody      kind = "answer-cut"
	noRoute      kind = "no-connection"
	late         kind = "late-execution"
	replay       kind = "replayed-request"
	serverError  kind = "server-error"
	noID         kind = "answer-without-id"
	throttle     kind = "throttled"
	redirect     kind = "redirected"
	refusal      kind = "refused"
	sameID       kind = "id-of-another-job"
	nonceUsed    kind = "nonce-used"
	lag          kind = "listed-late"
	lagBeyond    kind = "listed-later-than-assumed"
	flap         kind = "flapping-list"
	missingPage  kind = "page-missing"
	wrongTotal   kind = "wrong-total"
	churn        kind = "shifting-pages"
	hideCluster  kind = "hidden-cluster"
	oddDate      kind = "no-date-header"
	clockSkew    kind = "clock-skew"
	clockJump    kind = "clock-jump"
	freeze       kind = "frozen-before-send"
	death        kind = "death"
	overlap      kind = "two-processes"
	drain        kind = "interrupt"
	abort        kind = "second-interrupt"
	secretFails  kind = "secret-unreadable"
	ledgerFails  kind = "ledger-write-fails"
	foreignSame  kind = "foreign-twin"
	foreignOther kind = "foreign-namesake"
	deletion     kind = "deleted-by-others"
	edit         kind = "plan-edited"
	oldBaseline  kind = "intent-beside-a-namesake"
	comeAndGo    kind = "come-and-go"       // the last job leaves the plan or comes back, before each turn
	hasty        kind = "hasty"             // the same within moments, with a job that is to be deleted when it leaves
	toAndFro     kind = "edited-to-and-fro" // the objects of the first job, before each turn
	behindUs     kind = "changed-by-others" // what a job that is on record loads or does, before each turn
)

// families groups the kinds: a random history has faults of several families.
var families = [][]kind{
	{dropBefore, dropAfter, hang, cutBody, noRoute, late, late, replay, replay},
	{serverError, noID, throttle, redirect, refusal, sameID, nonceUsed},
	{lag, lagBeyond, flap, flap, missingPage, missingPage, wrongTotal, churn, hideCluster},
	{clockSkew, clockJump, oddDate, freeze},
	{death, death, overlap, overlap, drain, abort, secretFails},
	{ledgerFails},
	{foreignSame, foreignOther, deletion, edit, oldBaseline},
}

// leaving are kinds that leave jobs behind which are not on record, and lies
// those that mislead whoever looks for them.
var (
	lies    = []kind{flap, missingPage, churn, hideCluster}
	leaving = []kind{late, late, death, ledgerFails}
)

// protocolFaults are the kinds that are played systematically.
var protocolFaults = []kind{
	dropBefore, dropAfter, late, replay, serverError, throttle, lag, flap, missingPage, churn,
	clockJump, freeze, death, ledgerFails, overlap, foreignSame,
}

// fault is one fault of a history: what, in which of its processes, and how
// often.
type fault struct {
	kind     kind
	from, to int     // processes, by number
	odds     float64 // each time it could strike
	left     int     // times that it still may
	n        int     // at the n-th step, write or page; or a choice
	d        time.Duration
	yes      bool
}

func (f *fault) in(process int) bool { return f.from <= process && process <= f.to }

// drawKinds draws at least three kinds of different families. Every other time
// they are something that leaves a job which is not on record, and then a lie
// about what is listed: where most rules of the protocol are for.
func drawKinds(rng *rand.Rand) []kind {
	var kinds []kind
	for _, i := range rng.Perm(len(families))[:3+rng.IntN(3)] {
		kinds = append(kinds, oneOf(rng, families[i]...))
	}
	if rng.IntN(2) == 0 {
		kinds = append([]kind{oneOf(rng, leaving...), oneOf(rng, lies...)}, kinds...)
	}
	return kinds
}

// drawFault settles the particulars of one fault for a history of so many
// faulty processes. place is its position among the history's faults: earlier
// ones strike first.
func drawFault(rng *rand.Rand, k kind, place, processes int) *fault {
	f := &fault{kind: k, odds: oneOf(rng, 0.3, 0.6, 1), left: oneOf(rng, 1, 2, 3, 1000), yes: rng.IntN(2) == 0}
	f.from = min(place, processes-1) * rng.IntN(2)
	f.to = f.from + rng.IntN(processes-f.from)
	switch k {
	case lag, lagBeyond, flap, missingPage, wrongTotal, churn, hideCluster, oddDate, toAndFro, comeAndGo, hasty, behindUs:
		// Lies of the listing matter to those who look for what earlier
		// processes sent.
		f.to, f.left = processes-1, 1000
	}
	switch k {
	case death:
		f.n = 1 + rng.IntN(oneOf(rng, 12, 40, 120))
	case ledgerFails:
		f.n = 1 + rng.IntN(12)
		f.left = oneOf(rng, 1, 1, 2, 1000)
	case missingPage:
		f.n = 1 + rng.IntN(3)
	case wrongTotal, refusal, edit, serverError, noID:
		f.n = rng.IntN(6)
	case freeze:
		f.d = oneOf(rng, 20*time.Second, 59*time.Second, 62*time.Second, 14*time.Minute, 20*time.Minute, 2*time.Hour)
	case lag:
		f.d = oneOf(rng, time.Second, 20*time.Second, 2*time.Minute, timeLag)
	case lagBeyond:
		f.d = oneOf(rng, 2*timeLag, 10*timeLag)
	case clockSkew:
		f.d = oneOf[time.Duration](rng, 1, -1) * oneOf(rng, 45*time.Second, 3*time.Minute, 9*time.Minute, 16*time.Minute, time.Hour)
	case clockJump:
		f.d = oneOf[time.Duration](rng, 1, -1) * oneOf(rng, 50*time.Second, 8*time.Minute, 16*time.Minute, time.Hour)
	case foreignSame, foreignOther, deletion, overlap, drain, abort, oldBaseline:
		f.left = oneOf(rng, 1, 1, 2)
	}
	return f
}
