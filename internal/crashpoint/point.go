// Package crashpoint names the moments of a run at which the kill tests end the
// process with SIGKILL. In a normal build At does nothing and leaves nothing in
// the binary; built with the tag crashpoints it obeys the environment variable
// APSCTL_CRASHPOINT, "NAME" or "NAME:N" for the N-th time that NAME is reached;
// with ":stop" behind it, the process is stopped with SIGSTOP instead.
package crashpoint

// Variable is the environment variable that names the point to die at.
const Variable = "APSCTL_CRASHPOINT"

// Point is the name of one moment. They are numbered in the order of a run.
type Point string

const (
	LedgerOpened    Point = "01-ledger-opened"     // its migration is begun and not committed
	LockTaken       Point = "02-lock-taken"        //
	PlanLoaded      Point = "03-plan-loaded"       //
	UnknownSettled  Point = "04-unknown-settled"   // one of several
	ListingTaken    Point = "05-listing-taken"     //
	SecretRead      Point = "06-secret-read"       //
	DateChosen      Point = "07-date-chosen"       // and the nonce
	IntentWritten   Point = "08-intent-written"    // not committed
	IntentCommitted Point = "09-intent-committed"  //
	Fresh           Point = "10-fresh"             // the date was found fresh enough
	Connected       Point = "11-connected"         //
	PartlyWritten   Point = "12-partly-written"    // half of the body
	FullyWritten    Point = "13-fully-written"     // the service may not have read it
	ServerWorking   Point = "14-server-working"    // a moment after it was written
	JobUnlisted     Point = "15-job-unlisted"      // the job exists and is not listed yet
	AnswerSent      Point = "16-answer-sent"       // its first byte is here
	AnswerRead      Point = "17-answer-read"       // not parsed
	VerdictWritten  Point = "18-verdict-written"   // not committed
	VerdictDone     Point = "19-verdict-committed" //
	LookBegun       Point = "20-look-begun"        // for a create without an answer
	StartSent       Point = "21-start-sent"        // a created job was started, and that is not recorded
	ReportBegun     Point = "22-report-begun"      //
	LedgerClosing   Point = "23-ledger-closing"    // its log is not folded in yet
	CreatedUnsaved  Point = "24-created-not-saved" // the commit of a created job fails, as on a full disk: no kill
)

// The moments of a request that changes an existing job.
const (
	PromiseWritten   Point = "31-promise-written" // not committed
	PromiseCommitted Point = "32-promise-committed"
	ChangeAnswered   Point = "33-change-answered" // not confirmed
	ChangeConfirmed  Point = "34-change-confirmed"
)

// ChangePoints lists those of a change, in the order of a run.
var ChangePoints = []Point{PromiseWritten, PromiseCommitted, ChangeAnswered, ChangeConfirmed}

// Points lists those of a create, in the order of a run.
var Points = []Point{
	LedgerOpened, LockTaken, PlanLoaded, UnknownSettled, ListingTaken, SecretRead, DateChosen, IntentWritten,
	IntentCommitted, Fresh, Connected, PartlyWritten, FullyWritten, ServerWorking, JobUnlisted, AnswerSent,
	AnswerRead, VerdictWritten, VerdictDone, LookBegun, StartSent, ReportBegun, LedgerClosing, CreatedUnsaved,
}
