package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// settings are the knobs of a run: flags, over the plan's run: and limits:
// sections, over the defaults.
type settings struct {
	parallel    int
	rate        float64
	settle      time.Duration
	maxAttempts int
	maxElapsed  time.Duration
	limits      plan.Limits // as flags gave them; nil where none did
	allow       []string
	unknown     string
	shortSettle bool
}

// What --allow lets apply do beside creating and changing in place.
const (
	allowReplace = "replace"
	allowDelete  = "delete"
	allowSuspend = "suspend"
)

// limitFlag is a flag that takes a number, a share, or none.
type limitFlag struct{ limit **plan.Limit }

func (f limitFlag) String() string {
	if f.limit == nil || *f.limit == nil {
		return ""
	}
	return (*f.limit).String()
}
func (limitFlag) Type() string { return "N|P%" }
func (f limitFlag) Set(text string) error {
	if text == "none" {
		none := plan.NoLimit()
		*f.limit = &none
		return nil
	}
	limit, err := plan.ParseLimit(text)
	if err != nil {
		return fmt.Errorf("%w, or none", err)
	}
	*f.limit = &limit
	return nil
}

func (s *settings) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&s.parallel, "parallel", runner.ParallelDefault, "create requests in flight at once")
	flags.Float64Var(&s.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&s.settle, "settle", runner.SettleDefault, "time after which absence from the listing proves that a create without an answer did not happen")
	s.addShortSettle(flags)
	flags.IntVar(&s.maxAttempts, "max-attempts", runner.MaxAttemptsDefault, "most create requests for one job in this run")
	flags.DurationVar(&s.maxElapsed, "max-elapsed", runner.MaxElapsedDefault, "most time for one job in this run, waiting included; a create without an answer is looked for at least "+runner.LookFor.String())
	flags.Var(limitFlag{&s.limits.MaxFailures}, "max-failures", "stop after more failed jobs than this limit, a number or a share of the plan's jobs (default none)")
	flags.Var(limitFlag{&s.limits.MaxCreate}, "max-create", "refuse to start when more jobs than this limit would be created (default none)")
	flags.Var(limitFlag{&s.limits.MaxUpdate}, "max-update", "the same for jobs changed in place (default none)")
	flags.Var(limitFlag{&s.limits.MaxReplace}, "max-replace", "the same for jobs deleted and created again (default 10)")
	flags.Var(limitFlag{&s.limits.MaxDelete}, "max-delete", "the same for jobs deleted (default 10)")
	flags.Var(limitFlag{&s.limits.MaxRemoved}, "max-removed", "refuse to start when more of the jobs that exist left the plan than this limit, whatever becomes of them (default 30%)")
	addAllowFlag(flags, &s.allow)
	flags.StringVar(&s.unknown, "on-unknown", string(plan.Recreate), "after a create without an answer is proven absent: `recreate|hold`, create it again or hold it for a person")
}

func addAllowFlag(flags *pflag.FlagSet, allow *[]string) {
	flags.StringSliceVar(allow, "allow", nil, "`what` apply may do besides: replace (delete and create again what differs in more than its objects), delete (what left the plan), suspend (a running job that the service refuses to change as it is: suspended, changed and started again)")
}

func checkAllow(cmd *cobra.Command, allow []string) error {
	for _, what := range allow {
		if what != allowReplace && what != allowDelete && what != allowSuspend {
			return usagef(cmd, "--allow takes replace, delete and suspend, not %q", what)
		}
	}
	return nil
}

func addAdoptFlag(flags *pflag.FlagSet, adopt *bool) {
	flags.BoolVar(adopt, "adopt", false, "take over jobs that exist and agree with the plan")
}

func (s *settings) addShortSettle(flags *pflag.FlagSet) {
	flags.BoolVar(&s.shortSettle, "allow-short-settle", false, "take a --settle under "+runner.SettleDefault.String()+" also against the real service, where it can lead to duplicates")
}

// checkSettle refuses a settle time that proves nothing at the service in
// question. An emulator may be as quick as it likes.
func (s *settings) checkSettle(service string) error {
	if s.settle >= runner.SettleDefault || s.shortSettle || service == "loopback" {
		return nil
	}
	return coded(codeShortSettle, fmt.Errorf("a settle time of %s is too short for the real service: a create that was lost on the way can take effect up to %s later, and would then be sent twice; leave --settle and run.settle out, or add --allow-short-settle",
		s.settle, runner.SettleDefault))
}

// merge takes the plan's values where no flag was given, and checks the result.
func (s *settings) merge(cmd *cobra.Command, p *plan.Plan) error {
	given := cmd.Flags().Changed
	from(&s.parallel, p.Run.Parallel, given("parallel"))
	from(&s.rate, p.Run.Rate, given("rate"))
	from(&s.settle, p.Run.Settle, given("settle"))
	from(&s.maxAttempts, p.Run.MaxAttempts, given("max-attempts"))
	from(&s.maxElapsed, p.Run.MaxElapsed, given("max-elapsed"))
	s.limits = s.limits.Or(p.Limits).Or(plan.DefaultLimits())
	if p.Run.OnUnknown != nil && !given("on-unknown") {
		s.unknown = string(*p.Run.OnUnknown)
	}
	return s.check(cmd)
}

// from replaces a default by the plan's value, if it has one.
func from[T any](value *T, planned *T, given bool) {
	if planned != nil && !given {
		*value = *planned
	}
}

func (s *settings) check(cmd *cobra.Command) error {
	switch {
	case s.parallel < 1 || s.parallel > runner.ParallelMax:
		return usagef(cmd, "--parallel is from 1 to %d, not %d", runner.ParallelMax, s.parallel)
	case !(s.rate >= 0 && s.rate <= 1e6):
		return usagef(cmd, "--rate is a number of calls per second up to 1000000, or 0 for no ceiling, not %v", s.rate)
	case s.settle <= 0:
		return usagef(cmd, "--settle is more than nothing: it is what keeps a create without an answer from being sent twice")
	case s.maxAttempts < 1:
		return usagef(cmd, "--max-attempts is at least 1, not %d", s.maxAttempts)
	case s.maxElapsed <= 0:
		return usagef(cmd, "--max-elapsed is more than nothing, not %s", s.maxElapsed)
	case s.unknown != string(plan.Recreate) && s.unknown != string(plan.Hold):
		return usagef(cmd, "--on-unknown is recreate or hold, not %q", s.unknown)
	}
	return checkAllow(cmd, s.allow)
}

func (s *settings) onUnknown() plan.OnUnknown { return plan.OnUnknown(s.unknown) }

func (s *settings) allows(what string) bool { return slices.Contains(s.allow, what) }

// failureCap is the cap as the runner takes it, for a plan of so many jobs: nil for
// none.
func (s *settings) failureCap(jobs int) *int {
	if s.limits.MaxFailures == nil {
		return nil
	}
	most := s.limits.MaxFailures.Of(jobs)
	return &most
}
