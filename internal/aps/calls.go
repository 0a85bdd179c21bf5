package aps

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// CallCount is how often one operation was called in one region.
type CallCount struct {
	Operation, Region string
	Sent              int // requests that may have arrived
	Throttled         int // of those, answered by a request to slow down
}

// Calls returns what the Client has sent so far, sorted by operation and region;
// nil when it sent nothing.
func (c *Client) Calls() []CallCount {
	c.calls.mu.Lock()
	defer c.calls.mu.Unlock()
	var all []CallCount
	for _, n := range c.calls.counts {
		all = append(all, *n)
	}
	slices.SortFunc(all, func(x, y CallCount) int {
		return cmp.Or(cmp.Compare(x.Operation, y.Operation), cmp.Compare(x.Region, y.Region))
	})
	return all
}

// callBook counts calls by operation and region.
type callBook struct {
	mu     sync.Mutex
	counts map[[2]string]*CallCount
}

func (b *callBook) count(k call, add func(*CallCount)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := [2]string{k.operation, k.region}
	if b.counts == nil {
		b.counts = map[[2]string]*CallCount{}
	}
	n := b.counts[key]
	if n == nil {
		n = &CallCount{Operation: k.operation, Region: k.region}
		b.counts[key] = n
	}
	add(n)
}

// observe tells the Limiter and the books how an answered call went.
func (c *Client) observe(k call, throttled bool, retryAfter time.Duration) {
	if throttled {
		c.calls.count(k, func(n *CallCount) { n.Throttled++ })
	}
	c.opts.Limiter.Observe(k.operation, k.region, throttled, retryAfter)
}
