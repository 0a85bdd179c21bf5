package runner

import (
	"math/rand/v2"
	"time"
)

const (
	backoffBase = 500 * time.Millisecond
	backoffMax  = 60 * time.Second
)

// backoff is the pause before the next attempt after the n-th one failed
// (n counts from 1): full jitter over a doubling range, and never less than
// the service's hint.
func backoff(rng *rand.Rand, n int, hint time.Duration) time.Duration {
	ceiling := backoffMax
	if n < 8 { // 500 ms doubled seven times is past a minute
		ceiling = min(backoffMax, backoffBase<<(n-1))
	}
	return max(hint, time.Duration(rng.Int64N(int64(ceiling))+1))
}

// retryBudget keeps a sick service from being sent many more requests than
// there are jobs: a retry costs a token, and a created job gives a tenth of one
// back. It starts with enough for a short run's ordinary trouble.
type retryBudget struct{ tokens, most float64 }

func newRetryBudget(jobs int) *retryBudget {
	most := 10 + float64(jobs)/20
	return &retryBudget{most, most}
}

// take reports whether a retry may be made, and pays for it.
func (b *retryBudget) take() bool {
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

func (b *retryBudget) earn() { b.tokens = min(b.most, b.tokens+0.1) }
