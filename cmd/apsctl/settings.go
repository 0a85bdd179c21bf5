package main

import (
	"fmt"
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
	maxFailures int
	maxCreate   int
	unknown     string
	shortSettle bool
}

// noCap is the value of a cap that is not set.
const noCap = -1

func (s *settings) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&s.parallel, "parallel", runner.ParallelDefault, "create requests in flight at once")
	flags.Float64Var(&s.rate, "rate", runner.RateDefault, "most calls per second, for each operation and region; 0 means no ceiling")
	flags.DurationVar(&s.settle, "settle", runner.SettleDefault, "time after which absence from the listing proves that an unanswered create did not happen")
	s.addShortSettle(flags)
	flags.IntVar(&s.maxAttempts, "max-attempts", runner.MaxAttemptsDefault, "most create requests for one job in this run")
	flags.DurationVar(&s.maxElapsed, "max-elapsed", runner.MaxElapsedDefault, "most time for one job in this run, waiting included; a create without an answer is looked for at least "+runner.LookFor.String())
	flags.IntVar(&s.maxFailures, "max-failures", noCap, "stop creating after more failed jobs than this; -1 means never")
	flags.IntVar(&s.maxCreate, "max-create", noCap, "refuse to start when more jobs would be created; -1 means no limit")
	flags.StringVar(&s.unknown, "on-unknown", string(plan.Recreate), "after an unanswered create is proven absent: recreate, or hold it for a person")
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
	return &exitError{exitInvalid, fmt.Errorf("a settle time of %s is too short for the real service: a create that was lost on the way can take effect up to %s later, and would then be sent twice; leave --settle and run.settle out, or add --allow-short-settle",
		s.settle, runner.SettleDefault)}
}

// merge takes the plan's values where no flag was given, and checks the result.
func (s *settings) merge(cmd *cobra.Command, p *plan.Plan) error {
	given := cmd.Flags().Changed
	from(&s.parallel, p.Run.Parallel, given("parallel"))
	from(&s.rate, p.Run.Rate, given("rate"))
	from(&s.settle, p.Run.Settle, given("settle"))
	from(&s.maxAttempts, p.Run.MaxAttempts, given("max-attempts"))
	from(&s.maxElapsed, p.Run.MaxElapsed, given("max-elapsed"))
	from(&s.maxFailures, p.Limits.MaxFailures, given("max-failures"))
	from(&s.maxCreate, p.Limits.MaxCreate, given("max-create"))
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
		return usagef(cmd, "--settle is more than nothing: it is what keeps an unanswered create from being sent twice")
	case s.maxAttempts < 1:
		return usagef(cmd, "--max-attempts is at least 1, not %d", s.maxAttempts)
	case s.maxElapsed <= 0:
		return usagef(cmd, "--max-elapsed is more than nothing, not %s", s.maxElapsed)
	case s.maxFailures < noCap:
		return usagef(cmd, "--max-failures is 0 or more, or -1 for no cap, not %d", s.maxFailures)
	case s.maxCreate < noCap:
		return usagef(cmd, "--max-create is 0 or more, or -1 for no limit, not %d", s.maxCreate)
	case s.unknown != string(plan.Recreate) && s.unknown != string(plan.Hold):
		return usagef(cmd, "--on-unknown is recreate or hold, not %q", s.unknown)
	}
	return nil
}

func (s *settings) onUnknown() plan.OnUnknown { return plan.OnUnknown(s.unknown) }

// failureCap is the cap as the runner takes it: nil for none.
func (s *settings) failureCap() *int {
	if s.maxFailures == noCap {
		return nil
	}
	return &s.maxFailures
}

// checkCreates refuses a run that would create more than it may.
func (s *settings) checkCreates(n int) error {
	if s.maxCreate == noCap || n <= s.maxCreate {
		return nil
	}
	return &exitError{exitLimit, fmt.Errorf("%s would be created and the limit is %d; nothing was sent: --max-create %d allows it",
		plan.Count(n, "job"), s.maxCreate, n)}
}
