package aps

import (
	"context"
	"time"
)

// stoodStill is how late a timer is at least in a process that was stopped, or on a
// machine that was: more than any load delays it.
const stoodStill = time.Second

// patience is a limit of waiting. One that ends late by stoodStill runs once more: what
// was waited for stood still as well.
type patience struct {
	timer *time.Timer
	limit time.Duration
	due   time.Time
	again bool
}

func newPatience(limit time.Duration) *patience {
	return &patience{timer: time.NewTimer(limit), limit: limit, due: time.Now().Add(limit)}
}

// over reports, after its timer has fired, whether the wait ends.
func (p *patience) over() bool {
	if p.again || time.Since(p.due) < stoodStill {
		return true
	}
	p.again = true
	p.timer.Reset(p.limit)
	return false
}

// await returns what comes first. It fails when ctx ends, and with errFetchSlow when
// limit is over and nothing has come.
func await[T any](ctx context.Context, limit *patience, from <-chan T) (got T, err error) {
	for {
		select {
		case got = <-from:
			return got, nil
		case <-ctx.Done():
			return got, ctx.Err()
		case <-limit.timer.C:
			if !limit.over() {
				continue
			}
			select {
			case got = <-from: // in time, though the select above chose the other
				return got, nil
			default:
				return got, errFetchSlow
			}
		}
	}
}
