package plan

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apsctl/apsctl/internal/secret"
)

// RemoteJob is one job as DescribeApsJobs lists it. The text fields are the
// service's, unchecked: encode them for where they go.
type RemoteJob struct {
	ID, Name            string
	SourceInstance      string
	DestinationInstance string
	Status, SubStatus   string
	CreateTime          string // the service's text; its zone is not documented
	Delay               int64  // its unit is not documented; seconds are assumed
	Progress            string // e.g. "30", explained as 30 %
	ErrorMessage        string
}

// Listing is a complete listing of one region: every page arrived, and the
// distinct ids add up to the service's own total. An incomplete listing is
// never represented by this type; it is an error.
type Listing struct {
	Region string
	Jobs   []RemoteJob // in order of ID, distinct
	// ServerStart and ServerEnd are the Date headers of the first and the last
	// page's answers; zero if the service sent none that could be read. What is
	// not listed was not there at ServerStart; the clock is read off ServerEnd.
	ServerStart, ServerEnd time.Time
	// Agreed is true when two consecutive complete scans were identical, which
	// absence certificates ask for.
	Agreed bool
}

// Named returns the listed jobs with exactly that name, in order of ID.
func (l Listing) Named(name string) []RemoteJob {
	var found []RemoteJob
	for _, job := range l.Jobs {
		if job.Name == name {
			found = append(found, job)
		}
	}
	return found
}

// RemoteDetail is what DescribeApsJobDetail tells of one job. DBList and
// PartitionList are JSON text as it came, whatever its layout; compare them
// with SameJSON.
type RemoteDetail struct {
	ID                                     string
	SourceRegion, SourceInstance           string
	DestinationRegion, DestinationInstance string
	DBList, PartitionList                  string
	TargetTableMode, Status                string
}

// Class is what a status word means, as far as it can be told: the vocabulary is
// not documented (API reference, section 5).
type Class string

const (
	ClassRunning   Class = "running"
	ClassSuspended Class = "suspended"
	ClassFailed    Class = "failed"
	ClassPending   Class = "pending" // anything else: not started, on its way, or a new word
)

// ClassOf classifies a status word, whatever its case.
func ClassOf(status string) Class {
	status = strings.ToLower(status)
	has := func(words ...string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(status, word) })
	}
	switch {
	case has("fail", "error"):
		return ClassFailed
	case Suspending(status), NotStarted(status):
		return ClassPending
	case has("suspend", "pause", "stop"):
		return ClassSuspended
	case has("run", "synchron"):
		return ClassRunning
	}
	return ClassPending
}

// NotStarted reports whether a status word says that a job waits to be started.
func NotStarted(status string) bool {
	status = strings.ToLower(status)
	return strings.Contains(status, "notstart") || strings.Contains(status, "not start")
}

// Suspending reports whether a status word says that a job is about to stand still.
func Suspending(status string) bool { return strings.Contains(strings.ToLower(status), "suspending") }

// CreateRequest is one CreateAPSJob request, complete but for its signature.
type CreateRequest struct {
	Spec Spec
	// A zero password is not sent.
	SourcePassword, DestinationPassword secret.Value
	// Nonce and SignedAt are those of the committed Intent; they go out as the
	// headers x-acs-signature-nonce and x-acs-date, to the second.
	Nonce    string
	SignedAt time.Time
}

// Operation is an operation of the API that changes an existing job.
type Operation string

const (
	OperationNone    Operation = ""
	OperationModify  Operation = "ModifyApsJob"
	OperationStart   Operation = "StartApsJob"
	OperationSuspend Operation = "SuspendApsJob"
	OperationDelete  Operation = "DeleteApsJob"
)

// ChangeRequest is one request that changes an existing job, complete but for its
// nonce and signature.
type ChangeRequest struct {
	Operation     Operation
	Region, JobID string
	// SignedAt goes out as the header x-acs-date, to the second: once it is too
	// old for the gateway, no copy of the request can take effect any more.
	SignedAt time.Time
	// DBList and PartitionList are sent with OperationModify only. Both always
	// are, since what leaving one out does is not documented; an empty
	// PartitionList is {} (API reference, section 6).
	DBList, PartitionList string
}

// Verdict says what the answer to one CreateAPSJob request proves. The zero
// Verdict is VerdictUnknown: nothing is proven unless something proves it.
type Verdict int

const (
	VerdictUnknown  Verdict = iota // it may or may not have happened
	VerdictCreated                 // the service acknowledged it with a job id
	VerdictRejected                // refused before execution, for certain
	VerdictNotSent                 // failed before a connection was handed over
)

func (v Verdict) String() string {
	return [...]string{"unknown", "created", "rejected", "not-sent"}[v]
}

// Outcome is what came of one CreateAPSJob request.
type Outcome struct {
	Verdict Verdict
	JobID   string // never empty when Verdict is VerdictCreated, else empty
	// Failure classifies what went wrong; FailureNone when created.
	Failure Failure
	// Why says in our words, in one line, what happened. Code and Message are
	// the service's own, Message cut to a bounded length; both may be empty.
	Why, Code, Message string
	RequestID          string
	HTTPStatus         int           // 0 when no answer came
	RetryAfter         time.Duration // the service's hint; 0 when there was none
	ServerTime         time.Time     // the answer's Date header; zero when there was none
}

// Failure groups failures by what has to happen next.
type Failure int

const (
	FailureNone        Failure = iota
	FailureOther               // this call fails; others may well succeed
	FailureThrottled           // too many calls: wait, then try again
	FailureTemporary           // the service or the network: trying again may help
	FailureCredentials         // keys, signature, token or clock refused: stop the run
	FailurePermission          // RAM refuses the operation: stop the run
	FailureConfig              // wrong endpoint, certificate, API version: stop the run
)

func (f Failure) String() string {
	return [...]string{"none", "other", "throttled", "temporary", "credentials", "permission", "configuration"}[f]
}

// StopsRun reports whether going on with other jobs makes no sense.
func (f Failure) StopsRun() bool {
	return f == FailureCredentials || f == FailurePermission || f == FailureConfig
}

// CallError is the failure of a call to the service that may be repeated
// freely: every operation but CreateAPSJob, which has an Outcome instead.
type CallError struct {
	Operation, Region string
	Failure           Failure
	Why               string // in our words, one line
	Code, Message     string // the service's; Message is cut to a bounded length
	RequestID         string
	HTTPStatus        int
	RetryAfter        time.Duration
	// Undone says that the request is proven not to have taken effect.
	Undone bool
}

func (e *CallError) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	if e.Region != "" {
		fmt.Fprintf(&b, " in %s", e.Region)
	}
	fmt.Fprintf(&b, ": %s", e.Why)
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s", e.Code)
		if e.Message != "" {
			fmt.Fprintf(&b, ": %s", e.Message)
		}
		b.WriteString(")")
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, ", request %s", e.RequestID)
	}
	return b.String()
}

// ActionLog is one line that a job logged, as the service tells it.
type ActionLog struct {
	Time  string // the service's text; its form is not documented
	State string // INFO, WARN or ERROR
	Stage string // StructureMigrate, FullDataSync or IncrementalSync
	Text  string
}
