package plan

import (
	"testing"
	"time"

	"github.com/apsctl/apsctl/internal/cost"
)

const (
	// fuzzCPUMax and fuzzBytesMax bound what any input of a fuzz target may cost.
	fuzzCPUMax   = time.Second
	fuzzBytesMax = 256 << 20
)

// bounded runs f and fails the test if it takes more processor time or allocates
// more than any input may.
func bounded(t *testing.T, f func()) {
	t.Helper()
	took, bytes := cost.Of(t, f)
	if took > fuzzCPUMax && !raceEnabled {
		t.Errorf("it took %v of the processor", took)
	}
	if bytes > fuzzBytesMax && !raceEnabled { // the detector takes memory of its own
		t.Errorf("it allocated %d MiB", bytes>>20)
	}
}
