// Package mutant names the weakenings of the creation protocol that its tests
// must notice. Each is one switch in the product: in a normal build On is
// false, and nothing of it is left in the binary; built with the tag mutants,
// the tests turn one on at a time and expect to fail.
package mutant

// Names of the weakenings. M1 to M13 each drop one rule of the protocol; the
// others are mistakes that are easily made in its place.
const (
	NoSwap            = "no-compare-and-swap"      // M1: a refused compare-and-swap is not heeded
	LateNonce         = "nonce-chosen-late"        // M2: the nonce sent is not the one on disk
	LateDate          = "date-chosen-late"         // M3: the date sent is not the one on disk
	NoFreshness       = "no-freshness-check"       // M4: a date is sent however old it is
	DefaultRejected   = "default-is-rejected"      // M5: an answer that proves nothing counts as a refusal
	DeadIntentNotSent = "dead-intent-is-not-sent"  // M6: the intent of a dead run counts as not sent
	NoSettle          = "settle-ignored"           // M7: absence is proven at once
	SingleScan        = "single-scan"              // M8: absence is proven by one scan
	IncompleteList    = "incomplete-list-accepted" // M9: a listing may lack jobs
	NoCanary          = "canary-skipped"           // M10: a listing that hides known jobs is believed
	NoBaseline        = "baseline-ignored"         // M11: a job that was there before is taken for ours
	FuzzyName         = "fuzzy-name"               // M12: a job of a like name is taken for ours
	RetryUnknown      = "unknown-retried"          // M13: an unknown create is sent again in the same run

	AnyMatch         = "disagreement-ignored"     // a job that is not as the attempt said is taken for ours
	FirstOfTwo       = "first-of-two"             // of two matches the first is taken
	NoBudget         = "no-unknown-budget"        // a sick network makes any number of unknowns
	IntentAfterSend  = "intent-after-send"        // the promise is written once it is kept
	CancelledVerdict = "verdict-on-ended-context" // an interrupt keeps verdicts from being written
	FollowRedirects  = "redirects-followed"       // a redirected create is sent on
	ServerErrorFails = "server-error-is-failure"  // a 5xx counts as a refusal
	NoPromise        = "change-unpromised"        // a job is changed without a note of it
	ChangeOvertakes  = "change-overtakes"         // a change follows another that got no answer
	PauseUnrecorded  = "pause-unrecorded"         // a job is suspended to be changed before the ledger says so
	ChangeAssumed    = "change-assumed"           // a change without an answer counts as undone
	DeleteUnlisted   = "delete-unlisted"          // a job that may not be listed yet is deleted, and taken for gone
)

// Names lists all of them.
var Names = []string{
	NoSwap, LateNonce, LateDate, NoFreshness, DefaultRejected, DeadIntentNotSent, NoSettle, SingleScan,
	IncompleteList, NoCanary, NoBaseline, FuzzyName, RetryUnknown,
	AnyMatch, FirstOfTwo, NoBudget, IntentAfterSend, CancelledVerdict, FollowRedirects, ServerErrorFails,
	NoPromise, ChangeOvertakes, ChangeAssumed, PauseUnrecorded, DeleteUnlisted,
}
