package main

import (
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// exitCodeOf maps a report to an exit code. Where several apply, the one that
// needs a person most wins.
func exitCodeOf(report runner.Report, failed error) int {
	counts := report.Counts()
	conflicts, changed, leftUnknown := blockedKinds(report)
	switch {
	case failed != nil || report.Stop == runner.StopLedger:
		return exitLedger
	case report.Stop == runner.StopRefused:
		return exitDenied
	case report.Stop == runner.StopInterrupted:
		return exitInterrupted
	case counts.Unknown > 0 || conflicts || leftUnknown:
		return exitUnknown
	case report.Stop == runner.StopConfiguration:
		return exitFailure
	case report.Stop == runner.StopSkew:
		return exitLimit
	case report.Stop == runner.StopTime, report.Stop == runner.StopFailureCap, report.Stop == runner.StopWave, report.Stop == runner.StopWait:
		return exitLeft
	case counts.Failed > 0 || counts.Unhealthy > 0:
		return exitFailed
	case changed:
		return exitLimit
	case counts.NotTried > 0:
		return exitLeft
	}
	return exitDone
}

func blockedKinds(report runner.Report) (conflicts, changed, leftUnknown bool) {
	for _, r := range report.Results {
		switch {
		case r.Left:
			leftUnknown = leftUnknown || r.Ending == runner.EndUnknown
		case r.Ending != runner.EndBlocked:
		case r.Action == plan.KindReplace:
			changed = true
		default:
			conflicts = true
		}
	}
	return conflicts, changed, leftUnknown
}
