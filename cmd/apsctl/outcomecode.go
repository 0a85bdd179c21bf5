package main

import (
	"github.com/apsctl/apsctl/plan"
	"github.com/apsctl/apsctl/runner"
)

// resultCode is the code of what became of a job, "" for one that is as it is
// wanted.
func resultCode(r runner.Result) errorCode {
	switch r.Ending {
	case runner.EndFailed:
		return codeJobFailed
	case runner.EndUnhealthy:
		return codeJobUnhealthy
	case runner.EndUnknown:
		if r.Held {
			return codeJobHeld
		}
		return codeJobUnknown
	case runner.EndNotTried:
		return codeJobNotTried
	case runner.EndBlocked:
		return blockedCode(r)
	}
	return ""
}

func blockedCode(r runner.Result) errorCode {
	switch {
	case r.Cause == causeProtected:
		return codeJobProtected
	case r.Cause == causeNoJob:
		return codeJobNone
	case r.Cause == causeOpen:
		return codeJobUnknown
	case r.State.NeedsPerson():
		return codeJobPerson
	case r.Action == plan.KindReplace:
		return codeJobDiffers
	}
	return codeJobBlocked
}

// stopCode is the code of why a run stopped early, "" when it did not.
func stopCode(report runner.Report) errorCode {
	switch report.Stop {
	case runner.StopNone:
		return ""
	case runner.StopInterrupted:
		return codeInterrupted
	case runner.StopRefused, runner.StopConfiguration:
		return callCode(report.StopFailure)
	case runner.StopUnknownBudget:
		return codeStopUnknown
	case runner.StopFailureCap:
		return codeStopFailures
	case runner.StopWave:
		return codeStopWave
	case runner.StopWait:
		return codeStopWait
	case runner.StopTime:
		return codeStopTime
	case runner.StopSkew:
		return codeSkew
	case runner.StopLedger:
		return codeLedgerTrouble
	}
	return codeUnexpected
}
