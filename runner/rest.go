package runner

import (
	"context"
	"errors"
	"strings"

	"github.com/apsctl/apsctl/internal/mutant"
	"github.com/apsctl/apsctl/plan"
)

// refusedAsItRuns reports whether a change was refused for the state that the job is
// in. The code is not documented for APS: those of the database service that say so
// have State or Status in them.
func refusedAsItRuns(err error) bool {
	call := callOf(err)
	return refusedAsIs(err) && (strings.Contains(call.Code, "State") || strings.Contains(call.Code, "Status"))
}

// rest brings a job to a standstill whose change was refused with u.err. The ledger says
// before it is suspended that this was not to last: whoever comes next starts it again
// unless the plan wants it so, whatever dies meanwhile. With u.err nil it rests, or
// does so soon.
func (r *Run) rest(ctx, stop context.Context, c plan.Change, u updating) updating {
	refused := u.err
	now, err := r.stands(stop, *c.Entry, plan.Paused)
	switch {
	case err != nil:
		u.err = err
		return u
	case now.failed, now.is && u.doing != plan.Paused:
		return u // standing still is not what it lacks
	case now.is, now.begun:
		u.err = laterError(refused) // acknowledged, and not in effect yet
		return u
	case !r.options.AllowSuspend && c.Puts() != plan.Suspended:
		if u.doing == plan.Paused { // somebody started it
			if u = r.putForChange(ctx, stop, c, plan.Running, u); outranks(u.err) {
				return u
			}
		}
		u.err = advise(refused, "the job runs; --allow suspend has apply suspend it, change it and start it again")
		return u
	}
	if !mutant.On(mutant.PauseUnrecorded) {
		if u.err = r.recordPut(ctx, *c.Entry, plan.Paused, u.pending, u.pending); u.err != nil {
			return u
		}
		u.doing = plan.Paused
	}
	return r.putForChange(ctx, stop, c, plan.Paused, u)
}

// putForChange suspends a job whose change was refused, or starts it again. A refusal
// does not always prove that the change came to nothing: until it is confirmed, that
// it may take effect stays on record.
func (r *Run) putForChange(ctx, stop context.Context, c plan.Change, to plan.DesiredState, u updating) updating {
	before := u.pending
	p := r.putBeside(ctx, stop, *c.Entry, to, before, before)
	if u.pending, u.err = p.pending, p.err; u.err == nil {
		u.pending, u.doing = before, to
	}
	return u
}

// restart starts a job again that was suspended to be changed, when nothing more comes
// of the change now. It keeps what u says of the change.
func (r *Run) restart(ctx, stop context.Context, c plan.Change, u updating) updating {
	if u.doing != plan.Paused || c.Puts() == plan.Suspended {
		return u
	}
	after := r.putForChange(ctx, stop, c, plan.Running, u)
	switch {
	case after.err == nil:
		after.err = u.err
	case u.err != nil && !outranks(after.err):
		after.err = advise(u.err, "it was suspended for the change, and could not be started again: "+after.err.Error())
	}
	return after
}

// outranks reports whether err is more than a refusal, and is not to be told as advice
// beside another one: the ledger failed, or has something else of the job by now.
func outranks(err error) bool {
	return errors.As(err, new(*LedgerError)) || errors.Is(err, plan.ErrMovedOn)
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
	call := callOf(err)
	if call == nil {
		return err
	}
	other := *call
	change(&other)
	return &other
}
