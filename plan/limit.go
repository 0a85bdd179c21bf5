package plan

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Limit is a cap on how many jobs something may happen to: a number, or a share
// of how many there are.
type Limit struct {
	number  int
	percent float64
	isShare bool
}

// LimitTo is a limit in numbers.
func LimitTo(n int) Limit { return Limit{number: n} }

// NoLimit is a limit that nothing reaches.
func NoLimit() Limit { return LimitTo(math.MaxInt) }

// ParseLimit reads a whole number from 0 to 1,000,000, or a share such as 30% from
// 0% to 100%.
func ParseLimit(text string) (Limit, error) {
	if digits, ok := strings.CutSuffix(text, "%"); ok {
		percent, err := strconv.ParseFloat(digits, 64)
		if err != nil || !isJSONNumber(digits) || !(percent >= 0 && percent <= 100) {
			return Limit{}, fmt.Errorf("a share is from 0%% to 100%%, not %q", text)
		}
		return Limit{percent: percent, isShare: true}, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 || n > limitMax {
		return Limit{}, fmt.Errorf("a limit is a whole number from 0 to %d or a share such as 30%%, not %q", limitMax, text)
	}
	return LimitTo(n), nil
}

// Of is the limit in jobs, where there are total of them. A share is rounded up.
func (l Limit) Of(total int) int {
	if !l.isShare {
		return l.number
	}
	return int(math.Ceil(l.percent * float64(total) / 100))
}

// Floor is Of with a share rounded down.
func (l Limit) Floor(total int) int {
	if !l.isShare {
		return l.number
	}
	return int(math.Floor(l.percent * float64(total) / 100))
}

// limitNone is the word for no limit.
const limitNone = "none"

// String is as ParseLimit reads it, or none.
func (l Limit) String() string {
	if l == NoLimit() {
		return limitNone
	}
	if l.isShare {
		return plainNumber(l.percent) + "%"
	}
	return strconv.Itoa(l.number)
}

// looser reports whether l may let through what other does not. A number and a
// share cannot be compared.
func (l Limit) looser(other Limit) bool {
	return l.isShare != other.isShare || l.number > other.number || l.percent > other.percent
}

// MarshalText is String.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (l *Limit) UnmarshalText(text []byte) (err error) {
	if string(text) == limitNone {
		*l = NoLimit()
		return nil
	}
	*l, err = ParseLimit(string(text))
	return err
}

// Limits are what one run may do. nil means no limit.
type Limits struct {
	// A run that would do more is refused before it starts. Shares of MaxCreate and
	// MaxUpdate are of the jobs in the plan, those of the others of the plan's jobs
	// that exist.
	MaxCreate, MaxUpdate, MaxReplace, MaxDelete *Limit
	// MaxRemoved are jobs that exist and left the plan, whatever becomes of them.
	MaxRemoved *Limit
	// MaxFailures stops a run once more jobs have failed: of those in the plan.
	MaxFailures *Limit
	// ServicePerSource and ServicePerRegion are how many jobs the service is known to
	// take: more lead to a warning. Neither is a share.
	ServicePerSource, ServicePerRegion *Limit
}

// Defaults of limits: they stop a plan file that was cut in the middle, and slips
// of the hand in what cannot be undone.
var (
	maxRemovedDefault = Limit{percent: 30, isShare: true}
	maxGoneDefault    = LimitTo(10)
)

// DefaultLimits are those that hold where nobody says otherwise.
func DefaultLimits() Limits {
	removed, gone := maxRemovedDefault, maxGoneDefault
	source, region := servicePerSourceDefault, servicePerRegionDefault
	return Limits{MaxReplace: &gone, MaxDelete: &gone, MaxRemoved: &removed, ServicePerSource: &source, ServicePerRegion: &region}
}

// Or takes what l does not say from other.
func (l Limits) Or(other Limits) Limits {
	for i, limit := range l.all() {
		if *limit == nil {
			*limit = *other.all()[i]
		}
	}
	return l
}

// all are the limits in the order of the plan reference.
func (l *Limits) all() []**Limit {
	return []**Limit{&l.MaxCreate, &l.MaxUpdate, &l.MaxReplace, &l.MaxDelete, &l.MaxRemoved, &l.MaxFailures, &l.ServicePerSource, &l.ServicePerRegion}
}

// LimitError is a run that would do more than it may. Nothing was sent.
type LimitError struct {
	What  string // what was about to happen, in numbers
	Limit Limit
	Flag  string // that allows it, with its value
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%s, and the limit is %s; nothing was sent: %s allows it", e.What, e.Limit, e.Flag)
}

// Check holds changes against the limits that a run has before it starts. The
// error is a *LimitError.
func (l Limits) Check(changes []Change, mayReplace bool) error {
	kinds := map[Kind]int{}
	wanted, exist, removed := 0, 0, 0
	for _, c := range changes {
		kinds[c.Kind]++
		if c.Job != nil {
			wanted++
		}
		if c.State() == StateCreated {
			exist++
			if c.Job == nil {
				removed++
			}
		}
	}
	if !mayReplace {
		kinds[KindReplace] = 0 // they are reported, and left alone
	}
	for _, check := range []struct {
		limit    *Limit
		n, total int
		key      string
		what     string
	}{
		{l.MaxRemoved, removed, exist, "max-removed", fmt.Sprintf("%d of the %s that exist left the plan (is the file whole?)", removed, Count(exist, "job"))},
		{l.MaxDelete, kinds[KindDelete], exist, "max-delete", Count(kinds[KindDelete], "job") + " would be deleted"},
		{l.MaxReplace, kinds[KindReplace], exist, "max-replace", Count(kinds[KindReplace], "job") + " would be deleted and created again"},
		{l.MaxUpdate, kinds[KindUpdate], wanted, "max-update", Count(kinds[KindUpdate], "job") + " would be changed in place"},
		{l.MaxCreate, kinds[KindCreate], wanted, "max-create", Count(kinds[KindCreate], "job") + " would be created"},
	} {
		if check.limit != nil && check.n > check.limit.Of(check.total) {
			return &LimitError{check.what, *check.limit, fmt.Sprintf("--%s %d", check.key, check.n)}
		}
	}
	return nil
}
