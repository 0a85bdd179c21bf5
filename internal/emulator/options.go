package emulator

import (
	"fmt"
	"log/slog"
	"slices"
	"time"
)

// Switches with a closed set of values. The empty string means the first one.
type (
	// NameFilter says how ApsJobName narrows a listing.
	NameFilter string
	// DuplicateNames says whether a name may be used twice in a region.
	DuplicateNames string
	// ListOrder is the order of a listing.
	ListOrder string
	// PageCapMode says what happens to a page size above the cap.
	PageCapMode string
	// JSONForm is how a detail shows DbList and PartitionList.
	JSONForm string
	// KeyOrder is the order of the keys in DbList and PartitionList.
	KeyOrder string
	// ModeForm is how a detail shows TargetTableMode.
	ModeForm string
	// OmittedPartitions says what a modify without PartitionList does to it.
	OmittedPartitions string
	// UnknownDetail is the answer to a detail of a job that does not exist.
	UnknownDetail string
	// BusinessErrors is the form of a refusal by the service behind the gateway.
	BusinessErrors string
	// Hint is the response header that tells a throttled client when to return.
	Hint string
)

// Values of the switches, the default first in each group.
const (
	NameContains NameFilter = "contains"
	NamePrefix   NameFilter = "prefix"
	NameExact    NameFilter = "exact"

	DuplicatesAllow  DuplicateNames = "allow"
	DuplicatesRefuse DuplicateNames = "refuse"

	OrderNewest ListOrder = "newest"
	OrderOldest ListOrder = "oldest"
	OrderID     ListOrder = "id"

	PageCapLower  PageCapMode = "lower"
	PageCapRefuse PageCapMode = "refuse"

	FormObject JSONForm = "object"
	FormString JSONForm = "string"

	KeysReversed KeyOrder = "reversed"
	KeysAsSent   KeyOrder = "as-sent"

	ModeNumber ModeForm = "number"
	ModeString ModeForm = "string"

	OmittedClear OmittedPartitions = "clear"
	OmittedKeep  OmittedPartitions = "keep"

	UnknownDetailError UnknownDetail = "error"
	UnknownDetailEmpty UnknownDetail = "empty"

	BusinessHTTP400 BusinessErrors = "http400"
	BusinessHTTP200 BusinessErrors = "http200"

	HintNone       Hint = "none"
	HintRetryAfter Hint = "retry-after"
	HintRateLimit  Hint = "ratelimit"
)

// Defaults of the switches that are numbers.
const (
	pageCapDefault      = 100
	initializingDefault = 3 * time.Second
	regionDefault       = "cn-hangzhou"
	throttleCodeDefault = "Throttling.User"
	quotaMax            = 1e9
)

// Options are the emulator's switches. The zero value is a strict emulator in
// memory. The sections named are those of the project's API reference.
type Options struct {
	// State is the path of the state file; its folder is made if it is
	// missing. Empty keeps everything in memory.
	State string

	// Keys may sign requests, besides the pair emulator/emulator.
	Keys []Key
	// NoDefaultKey removes the pair emulator/emulator.
	NoDefaultKey bool

	// Secrets are what KMS keeps, in every region and for every key. Each name
	// and stage may come once. They are in no state, log or page.
	Secrets []Secret

	// Quota is the number of requests a second for each account, action and
	// region; the bucket holds one second's worth, at least one request.
	// Zero means unlimited.
	Quota float64
	// QuotaHint is sent with a throttled answer. Default: none.
	QuotaHint Hint
	// QuotaStatus is the HTTP status of a throttled answer: 400 (default), 429 or 503.
	QuotaStatus int
	// QuotaCode is its error code. Default: Throttling.User.
	QuotaCode string

	// Latency is waited before a valid request is carried out. A client that
	// leaves meanwhile does not stop its request. Zero means none.
	Latency time.Duration
	// ListLag is how long a new job stays out of listings. Zero means none.
	ListLag time.Duration
	// DetailAtOnce shows a new job's detail before ListLag has passed.
	// By default the detail lags as the listing does.
	DetailAtOnce bool

	// PageCap is the largest page size. Zero means 100.
	PageCap int
	// PageCapMode: a larger page size is lowered silently (default) or refused.
	PageCapMode PageCapMode
	// ListOrder: newest first (default, so that inserts shift pages), oldest, or by id.
	ListOrder ListOrder
	// NameFilter: contains (default), prefix or exact.
	NameFilter NameFilter
	// CreateTimeZone is the zone of CreateTime in listings. Nil means UTC+8.
	CreateTimeZone *time.Location

	// DuplicateNames: allow (default, so that a careless client does make
	// duplicates) or refuse a name that is live in the account and region.
	DuplicateNames DuplicateNames
	// CrossRegion allows a SourceEndpointRegion that differs from RegionId.
	// By default it is refused: source and destination share a region.
	CrossRegion bool
	// JobsPerSource and JobsPerRegion limit live jobs; the documentation names
	// 3 and 30. Zero means no limit.
	JobsPerSource, JobsPerRegion int

	// NeedsStart leaves new jobs unstarted until StartApsJob.
	// By default they start by themselves.
	NeedsStart bool
	// FirstStatus is what a job shows before it runs for the first time.
	// Default: Initializing, or NotStarted with NeedsStart.
	FirstStatus string
	// Initializing is how long a started job takes until it is Running.
	// Zero means 3 seconds, a negative value no time at all.
	Initializing time.Duration
	// FailShare is the share of new jobs, from 0 to 1, that fail when their
	// initialising is over. Their names and Seed decide which. Started again, they
	// come up.
	FailShare float64
	// RepeatAllowed lets a running job be started and a suspended one be
	// suspended again. By default both are refused.
	RepeatAllowed bool
	// ModifyNeedsSuspended and DeleteNeedsSuspended refuse the operation on a
	// job that is started and not suspended.
	ModifyNeedsSuspended, DeleteNeedsSuspended bool
	// OmittedPartitions: a modify without PartitionList clears it (default) or keeps it.
	OmittedPartitions OmittedPartitions

	// DetailForm: DbList and PartitionList are JSON objects, as in the
	// documented sample (default), or strings, as the SDK declares them.
	DetailForm JSONForm
	// DetailKeys: their keys come in reversed order (default) or as sent.
	DetailKeys KeyOrder
	// DetailMode: TargetTableMode is a number where it can be (default) or a string.
	DetailMode ModeForm
	// UnknownDetail: an unknown id is an error (default) or an empty detail.
	UnknownDetail UnknownDetail
	// BusinessErrors: refusals are HTTP 400 (default) or 200 with Success false.
	BusinessErrors BusinessErrors

	// DefaultRegion is the region of a request without RegionId, where that is
	// optional. Default: cn-hangzhou, the home of the general endpoint.
	DefaultRegion string

	// ReplayAllowed turns the check of nonces off: a replayed request is
	// carried out again.
	ReplayAllowed bool

	// Faults strike from the start; see [Server.SetFaults].
	Faults []Fault
	// Seed makes the faults and FailShare repeat. Zero means 1.
	Seed uint64

	// Now is the clock. Nil means time.Now.
	Now func() time.Time
	// Log gets one line for each request: never parameters, never secrets.
	// Nil means no log.
	Log *slog.Logger
}

// withDefaults fills in the defaults, or says which switch is wrong.
func (o Options) withDefaults() (Options, error) {
	err := firstError(
		oneOf("name filter", &o.NameFilter, NameContains, NamePrefix, NameExact),
		oneOf("duplicate names", &o.DuplicateNames, DuplicatesAllow, DuplicatesRefuse),
		oneOf("list order", &o.ListOrder, OrderNewest, OrderOldest, OrderID),
		oneOf("page cap mode", &o.PageCapMode, PageCapLower, PageCapRefuse),
		oneOf("detail form", &o.DetailForm, FormObject, FormString),
		oneOf("detail keys", &o.DetailKeys, KeysReversed, KeysAsSent),
		oneOf("detail mode", &o.DetailMode, ModeNumber, ModeString),
		oneOf("omitted partitions", &o.OmittedPartitions, OmittedClear, OmittedKeep),
		oneOf("unknown detail", &o.UnknownDetail, UnknownDetailError, UnknownDetailEmpty),
		oneOf("business errors", &o.BusinessErrors, BusinessHTTP400, BusinessHTTP200),
		oneOf("quota hint", &o.QuotaHint, HintNone, HintRetryAfter, HintRateLimit),
		oneOfStatus(&o.QuotaStatus, 400, 429, 503),
		o.validateNumbers(),
	)
	if err != nil {
		return o, err
	}
	setDefault(&o.PageCap, pageCapDefault)
	setDefault(&o.Initializing, initializingDefault)
	setDefault(&o.DefaultRegion, regionDefault)
	setDefault(&o.QuotaCode, throttleCodeDefault)
	setDefault(&o.Seed, 1)
	if !regionShape.MatchString(o.DefaultRegion) {
		return o, fmt.Errorf("default region %q does not look like cn-hangzhou", clip(o.DefaultRegion))
	}
	if o.CreateTimeZone == nil {
		o.CreateTimeZone = time.FixedZone("UTC+8", 8*60*60)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}

func (o Options) validateNumbers() error {
	switch {
	case !(o.Quota >= 0 && o.Quota <= quotaMax):
		return fmt.Errorf("quota %v is not a rate: want 0 to %v requests a second, 0 for unlimited", o.Quota, quotaMax)
	case !(o.FailShare >= 0 && o.FailShare <= 1):
		return fmt.Errorf("fail share %v is not from 0 to 1", o.FailShare)
	case o.Latency < 0 || o.ListLag < 0:
		return fmt.Errorf("latency %v and list lag %v must not be negative", o.Latency, o.ListLag)
	case o.PageCap < 0:
		return fmt.Errorf("page cap %d must not be negative; 0 means %d", o.PageCap, pageCapDefault)
	case o.JobsPerSource < 0 || o.JobsPerRegion < 0:
		return fmt.Errorf("jobs per source %d and per region %d must not be negative; 0 means no limit", o.JobsPerSource, o.JobsPerRegion)
	}
	return nil
}

func oneOf[T ~string](what string, value *T, allowed ...T) error {
	setDefault(value, allowed[0])
	if !slices.Contains(allowed, *value) {
		return fmt.Errorf("%s %q is unknown: want one of %q", what, clip(string(*value)), allowed)
	}
	return nil
}

func oneOfStatus(value *int, allowed ...int) error {
	setDefault(value, allowed[0])
	if !slices.Contains(allowed, *value) {
		return fmt.Errorf("quota status %d is not one the gateway uses for throttling: want one of %d", *value, allowed)
	}
	return nil
}

func setDefault[T comparable](value *T, fallback T) {
	var zero T
	if *value == zero {
		*value = fallback
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
