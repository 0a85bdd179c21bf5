package runner_test

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"
)

// dice makes every choice of a history from its seed. A choice has a stream of
// its own, named by what is chosen and not by who asks first, so that two
// goroutines that reach their choices in another order get the same answers.
type dice struct{ seed uint64 }

func (d dice) roll(about ...any) *rand.Rand {
	h := fnv.New64a()
	for _, part := range about {
		_, _ = fmt.Fprintf(h, "%v|", part)
	}
	return rand.New(rand.NewPCG(d.seed, h.Sum64()))
}

func (d dice) chance(odds float64, about ...any) bool {
	return odds >= 1 || odds > 0 && d.roll(about...).Float64() < odds
}

// between is a span with all its nanoseconds: no two things that are drawn from
// it happen at one instant.
func between(rng *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(rng.Int64N(int64(high-low)+1))
}

func oneOf[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }
