package main

import (
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// rolloutFlags say how a run spreads its changes: flags, over the plan's run:
// section, over the defaults.
type rolloutFlags struct {
	waves          string
	canary         bool
	wait           string
	timeout        time.Duration
	failures       *plan.Limit
	source, target int
}

func (r *rolloutFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&r.canary, "canary", false, "change one job first, and the others when it runs")
	flags.StringVar(&r.waves, "wave", "", "`sizes` of waves, such as 1,10,100,rest: each starts when the one before is over")
	flags.StringVar(&r.wait, "wait", "", "when a wave is over, and the run: `running|created`, its jobs run (default with waves) or are created (default without)")
	flags.DurationVar(&r.timeout, "wait-timeout", runner.WaitTimeoutDefault, "most time without any news in which jobs are waited for")
	flags.Var(limitFlag{&r.failures}, "wave-failures", "stop when more jobs than this limit failed or do not run, a number or a share of the waves so far, rounded down (default 0 with waves, none without)")
	flags.IntVar(&r.source, "per-source", 0, "most jobs of one source instance that may be initialising at once; 0 means any number")
	flags.IntVar(&r.target, "per-destination", 0, "the same for one destination instance")
}

// rollout is what flags and plan come to.
func (r *rolloutFlags) rollout(cmd *cobra.Command, p *plan.Plan) (runner.Rollout, error) {
	given := cmd.Flags().Changed
	o := runner.Rollout{Waves: p.Run.Wave, WaitTimeout: r.timeout, Failures: r.failures, PerSource: r.source, PerDestination: r.target}
	from(&o.WaitTimeout, p.Run.WaitTimeout, given("wait-timeout"))
	from(&o.PerSource, p.Run.PerSource, given("per-source"))
	from(&o.PerDestination, p.Run.PerDestination, given("per-destination"))
	if given("wave") {
		var err error
		if o.Waves, err = plan.ParseWaves(r.waves); err != nil {
			return o, usagef(cmd, "--wave: %s", err)
		}
	}
	if r.canary && (len(o.Waves) == 0 || o.Waves[0] != 1) {
		o.Waves = slices.Concat([]int{1}, o.Waves)
	}
	wait := plan.WaitCreated
	if o.Waves != nil {
		wait = plan.WaitRunning
	}
	from(&wait, p.Run.Wait, false)
	if given("wait") {
		wait = plan.Wait(r.wait)
	}
	o.WaitRunning = wait == plan.WaitRunning
	if o.Failures == nil {
		o.Failures = p.Run.WaveFailures
	}
	if o.Failures == nil && (o.Waves != nil || o.WaitRunning) {
		none := plan.LimitTo(0)
		o.Failures = &none
	}
	switch {
	case given("wait") && wait != plan.WaitRunning && wait != plan.WaitCreated:
		return o, usagef(cmd, "--wait is running or created, not %q", strings.ToValidUTF8(r.wait, "?"))
	case o.WaitTimeout <= 0:
		return o, usagef(cmd, "--wait-timeout is more than nothing, not %s", o.WaitTimeout)
	case o.PerSource < 0 || o.PerDestination < 0:
		return o, usagef(cmd, "--per-source and --per-destination are at least 1, or 0 for any number")
	}
	return o, nil
}
