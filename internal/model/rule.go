package model

// Rule is one thing that the protocol or its surroundings guarantee, and that
// can be left out of a Config.
type Rule uint64

// The starred rules of the protocol. Leaving out any of them gives a duplicate
// or an orphan.
const (
	// CAS: each transition is a compare-and-swap on state and attempt.
	CAS Rule = 1 << iota
	// IntentFirst: intent, nonce and date are on disk before the request leaves.
	IntentFirst
	// RestUnknown: an answer that is neither a job nor a sure refusal is unknown.
	RestUnknown
	// DeadIntent: an intent found at the start of a run counts as unknown.
	DeadIntent
	// Certificate: absence needs more than one listing without the job.
	Certificate
	// DateFence: what is sent carries the date that was committed.
	DateFence
)

// Further rules, and parts of the starred ones.
const (
	// CASIntent and CASVerdict are the two places of CAS.
	CASIntent Rule = 1 << (iota + 8)
	CASVerdict
	// CASAttempt: the compare-and-swap looks at the attempt, not only the state.
	CASAttempt
	// Settle: absence waits for the whole of settle, not one tick less.
	Settle
	// TwoScans: absence needs a second listing that agrees with the first.
	TwoScans
	// ScanStart: absence is dated by the start of its listing, not by its end.
	ScanStart
	// Listing: absence needs a listing at all, not only the time.
	Listing
	// Canary: absence needs a listing that shows another job known to exist.
	Canary
	// TimeoutUnknown: a create that is given up after it was sent is unknown.
	TimeoutUnknown
	// BrokenUnknown: an answer such as a 5xx is unknown.
	BrokenUnknown
	// UsedUnknown: the answer that the nonce was used is unknown.
	UsedUnknown
	// Presence: a job that is listed under a wanted name blocks its create.
	Presence
	// Baseline: a job that was listed before the attempt is not its job.
	Baseline
	// Freshness: a process that stood still after choosing the date does not send.
	Freshness
	// VerdictKept: a cancelled run still records the verdicts it has.
	VerdictKept
)

// What is assumed of the surroundings.
const (
	// Window: the gateway refuses a request whose date is too old.
	Window Rule = 1 << (iota + 32)
	// NonceMemory: the gateway refuses a nonce that it accepted before.
	NonceMemory
	// NonceOfRefused: it also refuses the nonce of a request that it refused.
	NonceOfRefused
	// NonceBeforeDate: of a late copy of a request that arrived before, it never
	// answers that the date is too old; such an answer counts as a sure refusal.
	NonceBeforeDate
	// BackendBound: an accepted request is done or given up within its bound.
	BackendBound
	// LagBound: a job is listed within its bound.
	LagBound
	// SomeVisible: credentials that hide jobs hide one that the ledger has.
	SomeVisible
)

// Everything is the full protocol in the surroundings that it assumes.
const Everything = ^Rule(0)

// Info describes one rule for people.
type Info struct {
	Rule Rule
	Name string
	Left string // what happens when the rule is left out
}

// Starred describes the starred rules, in the order of docs/protocol.md.
var Starred = []Info{
	{CAS, "CAS", "transitions are written whatever the row says by now"},
	{IntentFirst, "IntentFirst", "the row is written when the answer is there, not before the request leaves"},
	{RestUnknown, "RestUnknown", "whatever is not a job counts as a failure and is tried again"},
	{DeadIntent, "DeadIntent", "an intent found at the start of a run counts as never sent"},
	{Certificate, "Certificate", "one listing without the job counts as its absence"},
	{DateFence, "DateFence", "the date is chosen when the request leaves"},
}

// Further describes the further rules that matter on their own.
var Further = []Info{
	{CASIntent, "CASIntent", "the intent is written whatever the row says by now"},
	{CASVerdict, "CASVerdict", "verdicts are written whatever the row says by now"},
	{CASAttempt, "CASAttempt", "the compare-and-swap looks at the state only"},
	{Settle, "Settle", "absence waits one tick less than settle"},
	{TwoScans, "TwoScans", "one listing is enough, and pages may shift under it"},
	{ScanStart, "ScanStart", "absence is dated by the end of its listing, however long that took"},
	{Listing, "Listing", "absence follows from the time alone"},
	{Canary, "Canary", "absence follows from a listing that hides what is known to exist"},
	{TimeoutUnknown, "TimeoutUnknown", "a create given up or cancelled after it was sent counts as not sent"},
	{BrokenUnknown, "BrokenUnknown", "a 5xx counts as a failure"},
	{UsedUnknown, "UsedUnknown", "a used nonce counts as a refusal"},
	{Presence, "Presence", "what the listing shows does not block, and the ledger may be lost"},
}

// Spare describes rules that nothing rests on alone: each is backed by another.
var Spare = []Info{
	{Freshness, "Freshness", "a process that stood still sends all the same; the gateway refuses"},
	{Baseline, "Baseline", "a job that was there before counts as ours; its presence blocks the create"},
	{VerdictKept, "VerdictKept", "a cancelled run writes no verdict; its intent counts as unknown"},
}

// Assumed describes the assumptions.
var Assumed = []Info{
	{Window, "Window", "the gateway takes requests of any age"},
	{NonceMemory, "NonceMemory", "the gateway accepts a nonce twice, and a proxy replays"},
	{NonceOfRefused, "NonceOfRefused", "the gateway forgets the nonce of a request it refused, and a proxy replays"},
	{NonceBeforeDate, "NonceBeforeDate", "a late copy is refused for its date though the first one was accepted"},
	{BackendBound, "BackendBound", "an accepted request may be worked on for ever"},
	{LagBound, "LagBound", "a job may stay out of the listing for ever"},
	{SomeVisible, "SomeVisible", "credentials hide jobs while the ledger has none to compare with"},
}
