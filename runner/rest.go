package runner

import (
	"context"
	"errors"
	"strings"

	"github.com/apsctl/apsctl/plan"
)

// refusedAsItRuns reports whether a change was refused for the state that the job is
// in. The code is not documented for APS: those of the database service that say so
// have State or Status in them.
func refusedAsItRuns(err error) bool {
	var call *plan.CallError
	return refusedAsIs(err) && errors.As(err, &call) && (strings.Contains(call.Code, "State") || strings.Contains(call.Code, "Status"))
}

// rest brings a job to a standstill whose change was refused with u.err. If it is to
// run afterwards, the ledger says so before it is suspended: whoever comes next
// starts it again, whatever dies meanwhile. With u.err nil it rests.
func (r *Run) rest(ctx, stop context.Context, c plan.Change, u updating) updating {
	refused := u.err
	now, err := r.stands(stop, *c.Entry, plan.Suspended)
	switch {
	case err != nil:
		u.err = err
		return u
	case now.is && u.doing != plan.Paused || now.failed:
		return u // standing still is not what it lacks
	case now.is, now.begun:
		u.err = laterError(refused) // acknowledged, and not in effect yet
		return u
	case !r.options.AllowSuspend:
		u.err = advise(refused, "the job runs; --allow suspend has apply suspend it, change it and start it again")
		return u
	}
	to := plan.Suspended
	if c.Puts() != plan.Suspended {
		to = plan.Paused
		if u.err = r.recordPut(ctx, *c.Entry, to, u.pending, u.pending); u.err != nil {
			return u
		}
		u.doing = to
	}
	return r.putForChange(ctx, stop, c, to, u)
}

// putForChange suspends or starts a job whose change was refused. The refusal does
// not always prove that the change came to nothing; that stays on record.
func (r *Run) putForChange(ctx, stop context.Context, c plan.Change, to plan.DesiredState, u updating) updating {
	before := u.pending
	p := r.putBeside(ctx, stop, *c.Entry, to, before, before)
	if u.pending, u.err = p.pending, p.err; u.err == nil {
		u.pending, u.doing = before, to
	}
	return u
}

// changeFailedAtRest takes in that a change failed. If that is for good, a job that
// was suspended for it is started again.
func (r *Run) changeFailedAtRest(ctx, stop context.Context, c plan.Change, u updating) updating {
	refused := u.err
	switch {
	case refusedAsItRuns(refused) && (u.doing == plan.Paused || u.doing == plan.Suspended):
		u.err = laterError(refused) // it may not be in effect yet
	case refusedAsIs(refused) && u.doing == plan.Paused:
		if u = r.putForChange(ctx, stop, c, plan.Running, u); u.err != nil {
			u.err = advise(refused, "it was suspended for the change, and could not be started again: "+u.err.Error())
		} else {
			u.err = refused
		}
	}
	return u
}

// laterError is a refusal that a pause may help.
func laterError(err error) error {
	return reword(err, func(call *plan.CallError) { call.Failure = plan.FailureTemporary })
}

// advise is a refusal that says what can be done.
func advise(err error, advice string) error {
	return reword(err, func(call *plan.CallError) { call.Why += "; " + advice })
}

func reword(err error, change func(*plan.CallError)) error {
	var call *plan.CallError
	if !errors.As(err, &call) {
		return err
	}
	other := *call
	change(&other)
	return &other
}
