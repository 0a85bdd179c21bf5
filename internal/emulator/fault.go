package emulator

import (
	"fmt"
	"net/http"
	"path"
	"slices"
	"time"
)

// FaultKind is what a fault does to a request.
type FaultKind string

// The kinds of fault.
const (
	FaultDrop         FaultKind = "drop"          // the connection is closed without an answer
	FaultHang         FaultKind = "hang"          // held until the client leaves or Hold has passed, then dropped
	FaultCut          FaultKind = "cut"           // half of the body, under the Content-Length of the whole
	FaultStatus       FaultKind = "status"        // an error in JSON; by default 500, 503 or 408 decide the code
	FaultHTML         FaultKind = "html"          // a proxy's HTML page, by default with 503
	FaultEmpty        FaultKind = "empty"         // an empty body, by default with 200
	FaultNoID         FaultKind = "no-id"         // a success without ApsJobId; strikes only where there would be one
	FaultSuccessFalse FaultKind = "success-false" // HTTP 200 with Success false
	FaultThrottle     FaultKind = "throttle"      // as if the quota were used up
)

var faultKinds = []FaultKind{
	FaultDrop, FaultHang, FaultCut, FaultStatus, FaultHTML, FaultEmpty, FaultNoID, FaultSuccessFalse, FaultThrottle,
}

// FaultTime says on which side of the commit a fault strikes.
type FaultTime string

// Before leaves the state as it is; After spoils the answer to what was done.
const (
	Before FaultTime = "before"
	After  FaultTime = "after"
)

// Fault spoils the answers to some requests. It strikes only requests that
// passed signature, quota and parameters.
type Fault struct {
	// Operation is an action's name or a glob: "*" is every action, "Describe*"
	// the reads. Empty means "*".
	Operation string `json:"operation"`
	// Kind is required.
	Kind FaultKind `json:"kind"`
	// When is before (default) or after the commit. A throttle is always before.
	When FaultTime `json:"when"`
	// Share of the matching requests to strike, above 0 up to 1. Zero means 1.
	Share float64 `json:"share"`
	// Skip lets that many matching requests pass first.
	Skip int `json:"skip"`
	// Count is how often it strikes at most. Zero means without limit.
	Count int `json:"count"`
	// Seed makes the draws of this fault its own. Zero takes Options.Seed.
	Seed uint64 `json:"seed"`
	// Status is the HTTP status, for the kinds status (default 500), html
	// (503), empty (200) and throttle (400).
	Status int `json:"status"`
	// Code is the error code, for status, success-false and throttle. For
	// status it defaults to what the reference lists for 500, 503 and 408.
	Code string `json:"code"`
	// Hint is the header that tells when to return, for throttle and status.
	Hint Hint `json:"hint"`
	// Wait is what the hint says. Default: 1 second.
	Wait time.Duration `json:"-"`
	// Hold is how long a hang lasts at most. Default: 60 seconds.
	Hold time.Duration `json:"-"`
}

const (
	faultHoldDefault = time.Minute
	faultHoldMax     = time.Hour
	faultWaitDefault = time.Second
)

// withDefaults fills in the defaults or says what is wrong.
func (f Fault) withDefaults() (Fault, error) {
	setDefault(&f.Operation, "*")
	setDefault(&f.When, Before)
	setDefault(&f.Share, 1)
	if err := firstError(f.validateAim(), f.validateExtras()); err != nil {
		return f, err
	}
	switch f.Kind {
	case FaultStatus:
		setDefault(&f.Status, http.StatusInternalServerError)
		setDefault(&f.Code, statusCodes[f.Status])
		if f.Code == "" {
			return f, fmt.Errorf("kind status with status %d needs a code; only 408, 500 and 503 have one by default", f.Status)
		}
	case FaultHTML:
		setDefault(&f.Status, http.StatusServiceUnavailable)
	case FaultEmpty:
		setDefault(&f.Status, http.StatusOK)
	case FaultThrottle:
		setDefault(&f.Status, http.StatusBadRequest)
		setDefault(&f.Code, throttleCodeDefault)
	case FaultSuccessFalse:
		setDefault(&f.Code, "InternalError")
	case FaultHang:
		setDefault(&f.Hold, faultHoldDefault)
	}
	setDefault(&f.Hint, HintNone)
	if f.Hint != HintNone {
		setDefault(&f.Wait, faultWaitDefault)
	}
	return f, nil
}

// statusCodes are the ambiguous codes of the reference, section 7.
var statusCodes = map[int]string{
	http.StatusRequestTimeout:      "AcsServerTimeOut",
	http.StatusInternalServerError: "InternalError",
	http.StatusServiceUnavailable:  "ServiceUnavailable",
}

func (f Fault) validateAim() error {
	if !slices.Contains(faultKinds, f.Kind) {
		return fmt.Errorf("kind %q is unknown: want one of %q", clip(string(f.Kind)), faultKinds)
	}
	if f.When != Before && f.When != After {
		return fmt.Errorf("when %q is unknown: want before or after", clip(string(f.When)))
	}
	if f.When == After && f.Kind == FaultThrottle {
		return fmt.Errorf("a throttle is always before: a throttled request is not executed")
	}
	if !(f.Share > 0 && f.Share <= 1) {
		return fmt.Errorf("share %v is not above 0 and at most 1; leave the fault out to never strike", f.Share)
	}
	if f.Skip < 0 || f.Count < 0 {
		return fmt.Errorf("skip %d and count %d must not be negative", f.Skip, f.Count)
	}
	if !slices.ContainsFunc(operations, func(op operation) bool { return f.matches(&op) }) {
		return fmt.Errorf("operation %q strikes nothing with kind %s: want * or an action such as CreateAPSJob (mind the capitals), also as a glob", clip(f.Operation), f.Kind)
	}
	return nil
}

// validateExtras refuses a field that its kind has no use for: it would be a
// fault other than the one that was meant.
func (f Fault) validateExtras() error {
	only := func(field string, set bool, kinds ...FaultKind) error {
		if set && !slices.Contains(kinds, f.Kind) {
			return fmt.Errorf("%s has no meaning for kind %s, only for %q", field, f.Kind, kinds)
		}
		return nil
	}
	err := firstError(
		only("status", f.Status != 0, FaultStatus, FaultHTML, FaultEmpty, FaultThrottle),
		only("code", f.Code != "", FaultStatus, FaultSuccessFalse, FaultThrottle),
		only("hint", f.Hint != "" && f.Hint != HintNone, FaultStatus, FaultThrottle),
		only("hold", f.Hold != 0, FaultHang),
		only("wait", f.Wait != 0, FaultStatus, FaultThrottle),
	)
	if err != nil {
		return err
	}
	switch {
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		return fmt.Errorf("status %d is not a final HTTP status", f.Status)
	case f.Status != 0 && f.Status < 400 && (f.Kind == FaultStatus || f.Kind == FaultThrottle):
		return fmt.Errorf("status %d is no error: want 400 to 599", f.Status)
	case f.Hold < 0 || f.Hold > faultHoldMax || f.Wait < 0:
		return fmt.Errorf("hold %v and wait %v must not be negative, nor hold above %v", f.Hold, f.Wait, faultHoldMax)
	case f.Wait != 0 && (f.Hint == "" || f.Hint == HintNone):
		return fmt.Errorf("wait is what a hint says, and there is no hint: want %s or %s", HintRetryAfter, HintRateLimit)
	}
	return oneOf("hint", &f.Hint, HintNone, HintRetryAfter, HintRateLimit)
}

func (f Fault) matches(op *operation) bool {
	if f.Kind == FaultNoID && !op.hasID {
		return false
	}
	ok, err := path.Match(f.Operation, op.name)
	return err == nil && ok
}
