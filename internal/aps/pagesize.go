package aps

import (
	"errors"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/apsctl/apsctl/plan"
)

// pageSizes are the sizes that pages of a listing are asked for, each where the
// service refuses the one before. The first is the only documented one (API
// reference, section 2), but whether a service takes it, lowers it in silence or
// refuses it is not documented.
var pageSizes = [...]int{30, 10, 5, 1}

// pageSize is the size that pages are asked for, for the life of a Client. It is
// safe for concurrent use.
type pageSize struct{ step atomic.Int32 }

func (p *pageSize) asked() int { return pageSizes[p.step.Load()] }

// lower reports whether err refuses the size that was asked for and there is a
// smaller one to go on with, which it sets.
func (p *pageSize) lower(asked int, err error) bool {
	step := int32(slices.Index(pageSizes[:], asked))
	if int(step) == len(pageSizes)-1 || !PageSizeRefused(err) {
		return false
	}
	p.step.CompareAndSwap(step, step+1) // else another listing has lowered it by now
	return true
}

// PageSizeRefused reports whether err says that the service does not take pages of
// the size that was asked for.
func PageSizeRefused(err error) bool {
	var failed *plan.CallError
	return errors.As(err, &failed) && failed.Failure == plan.FailureOther && strings.Contains(failed.Code, "PageSize")
}
