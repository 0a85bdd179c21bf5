package runner

import (
	"context"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
	"github.com/apsctl/apsctl/plan"
)

// Ledger is what a run needs of the ledger. An error that is not
// plan.ErrMovedOn means that the ledger cannot be trusted to record anything
// more, and ends the run. Workers and looks use it side by side.
type Ledger interface {
	// Snapshot returns every entry of one plan, read in one transaction.
	Snapshot(ctx context.Context, planName string) (plan.Snapshot, error)
	// Live returns the entries of one region that have a job id, created and
	// lost ones, over all plans.
	Live(ctx context.Context, region string) ([]plan.Entry, error)
	// Sent returns the last create of each plan, name and region that asks says yes to and
	// that the ledger does not account for. It is noted beside the ledger, and outlives it.
	Sent(ctx context.Context, planName string, asks func(plan.Sent) bool) ([]plan.Sent, error)
	// Intend commits an intent. When it returns nil the intent is on disk.
	Intend(ctx context.Context, intent plan.Intent) error
	// Stands reports whether an entry is still the intent of this attempt.
	Stands(ctx context.Context, planName, name string, attempt int) (bool, error)
	// Promise commits that a request to change an existing job is about to be sent.
	Promise(ctx context.Context, promise plan.Promise) error
	// Note records what the plan says of jobs beside their specs.
	Note(ctx context.Context, planName string, notes map[string]plan.Note, at time.Time) error
	// Move gives an entry another name within its plan, as the plan says.
	Move(ctx context.Context, entry plan.Entry, to, runID string, at time.Time) error
	// Compared notes that the details of jobs were held against their entries. It is
	// no step of any job and passes over those that moved on.
	Compared(ctx context.Context, planName string, comparisons []plan.Comparison) error
	// Settle commits a transition.
	Settle(ctx context.Context, transition plan.Transition) error
}

// Service is what a run needs of the APS API. Every error is a
// *plan.CallError, the context's own error, or says that a listing could not
// be completed. Workers and looks use it side by side.
type Service interface {
	// Create sends exactly one CreateAPSJob request.
	Create(ctx context.Context, request plan.CreateRequest) plan.Outcome
	// List takes a complete listing of one region; with agree, two consecutive
	// scans that are identical.
	List(ctx context.Context, region string, agree bool) (plan.Listing, error)
	// Find returns the listed jobs with exactly that name. What it does not
	// find may exist all the same: it proves presence, never absence.
	Find(ctx context.Context, region, name string) ([]plan.RemoteJob, error)
	// Change sends exactly one request that changes an existing job.
	Change(ctx context.Context, request plan.ChangeRequest) error
	// Detail describes one job.
	Detail(ctx context.Context, region, id string) (plan.RemoteDetail, error)
}

// Secrets reads passwords just before they are needed.
//
// Workers read side by side.
type Secrets interface {
	// Read returns one password; its error never has a part of it.
	Read(ctx context.Context, ref secret.Ref) (secret.Value, error)
	// Clean removes every secret that was read from a text.
	Clean(text string) string
}

// Clock tells the time. Both functions must be safe for concurrent use.
type Clock struct {
	// Now is the wall clock, as the gateway checks it.
	Now func() time.Time
	// Boot is a clock that only goes forward and also runs while the machine is
	// suspended, from any fixed point. The freshness of a signed date is
	// measured with it.
	Boot func() time.Duration
}
